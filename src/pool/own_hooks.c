/* SPDX-License-Identifier: BSD-2-Clause */
/* own_hooks - extents of a program's own pool: addresses, budget, nodes */
#include <errno.h>

#include "base/nodeset.h"
#include "pool/hooks.h"
#include "pool/own.h"
#include "pool/thread.h"
#include "pool/window.h"
#include "sys/sys.h"

#define SEGMENT		(64 * MIB)
#define MAX_PROBES	64	/* foreign maps in the window to step over */

static CM_SPARSE _Atomic unsigned char owner[CM_WINDOW_MAX / SEGMENT];

static struct cm_own *own_of(struct cm_extent_hooks *hooks)
{
	return cm_container_of(hooks, struct cm_own, pool.hooks);
}

static unsigned char id_of(const struct cm_own *own)
{
	return (unsigned char)(own - cm_own + 1);
}

static uint64_t segment_of(uintptr_t at)
{
	return (at - cm_own_window().base) / SEGMENT;
}

static uint64_t nr_segments(void)
{
	return cm_own_window().size / SEGMENT;
}

static unsigned char owner_of(uint64_t segment)
{
	return atomic_load_explicit(&owner[segment], memory_order_relaxed);
}

struct cm_own *cm_own_of(const void *p)
{
	unsigned id = owner_of(segment_of((uintptr_t)p));

	return id ? &cm_own[id - 1] : NULL;
}

/* nr segments from `first` on become its own, all or none. */
static bool claim(const struct cm_own *own, uint64_t first, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++) {
		unsigned char none = 0;

		if (atomic_compare_exchange_strong(&owner[first + i], &none,
						   id_of(own)))
			continue;
		while (i-- > 0)
			atomic_store(&owner[first + i], 0);
		return false;
	}
	return true;
}

/* The first run of free segments from `from` on; nr_segments(): none. */
static uint64_t free_run(uint64_t from, uint64_t nr)
{
	uint64_t run = 0;

	for (uint64_t s = from; s < nr_segments(); s++) {
		run = owner_of(s) ? 0 : run + 1;
		if (run == nr)
			return s + 1 - nr;
	}
	return nr_segments();
}

static uintptr_t aligned(uintptr_t at, size_t alignment)
{
	return (at + alignment - 1) & ~(uintptr_t)(alignment - 1);
}

static bool has_all(const struct cm_own *own, uintptr_t at, size_t size)
{
	uint64_t last;

	if (!cm_own_has((void *)at) || !cm_own_has((void *)(at + size - 1)))
		return false;
	last = segment_of(at + size - 1);
	for (uint64_t s = segment_of(at); s <= last; s++)
		if (owner_of(s) != id_of(own))
			return false;
	return true;
}

/* Behind what it has, while that is its own; else of fresh segments. */
static uintptr_t take_addresses(struct cm_own *own, size_t size,
				size_t alignment, size_t step,
				uintptr_t *before)
{
	uint64_t s = 0, nr = (size + alignment - 1) / SEGMENT + 1;
	uintptr_t at;

	*before = atomic_load_explicit(&own->next, memory_order_relaxed);
	while (*before && !__builtin_add_overflow(*before, step, &at)) {
		at = aligned(at, alignment);
		if (at < *before || !has_all(own, at, size))
			break;
		if (atomic_compare_exchange_weak_explicit(
			    &own->next, before, at + size, memory_order_relaxed,
			    memory_order_relaxed))
			return at;
	}
	while ((s = free_run(s, nr)) < nr_segments()) {
		if (!claim(own, s, nr)) {
			s++;
			continue;
		}
		at = aligned(cm_own_window().base + s * SEGMENT, alignment);
		*before = at;
		/* Another thread's run may be lost: addresses, no memory. */
		atomic_store_explicit(&own->next, at + size,
				      memory_order_relaxed);
		return at;
	}
	return 0;
}

static void *reserve(struct cm_own *own, size_t size, size_t alignment)
{
	const struct cm_sys_ops *sys = own->pool.sys;
	size_t step = 0;

	if (size > cm_own_window().size / 2 || !sys->can_map(size))
		return NULL;
	for (int i = 0; i < MAX_PROBES; i++) {
		uintptr_t before, after;
		uintptr_t at = take_addresses(own, size, alignment, step,
					      &before);
		int err;

		if (!at)
			return NULL;
		err = sys->map_at((void *)at, size);
		if (err == 0)
			return (void *)at;
		if (err != -EEXIST) {
			after = at + size;
			(void)atomic_compare_exchange_strong(&own->next, &after,
							     before);
			return NULL;
		}
		step = step ? step * 2 : MIB;
	}
	return NULL;
}

/* The kernel interleaves by a page's number (MPOL_INTERLEAVE). */
enum cm_tier cm_own_tier_at(const struct cm_own *own, const void *p)
{
	uint64_t page = (uintptr_t)p / cm_sys_page_size();

	if (!own->both)
		return own->attr.tier;
	return own->is_cxl >> page % own->nr_nodes & 1 ? CM_TIER_CXL :
							 CM_TIER_DDR;
}

static void split(const struct cm_own *own, const void *at, size_t size,
		  uint64_t bytes[CM_NR_TIERS])
{
	size_t page = cm_sys_page_size();
	uint64_t nr = size / page, rounds = nr / own->nr_nodes;
	uint64_t cxl = rounds * (uint64_t)__builtin_popcountll(own->is_cxl);

	for (uint64_t i = rounds * own->nr_nodes; i < nr; i++)
		cxl += cm_own_tier_at(own, (const char *)at + i * page) ==
		       CM_TIER_CXL;
	bytes[CM_TIER_CXL] = cxl * page;
	bytes[CM_TIER_DDR] = size - cxl * page;
}

static void parts(const struct cm_own *own, const void *at, size_t size,
		  uint64_t bytes[CM_NR_TIERS])
{
	if (own->both) {
		split(own, at, size, bytes);
		return;
	}
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		bytes[t] = t == own->attr.tier ? size : 0;
}

static void give_back(struct cm_own *own, const uint64_t bytes[CM_NR_TIERS])
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		if (!bytes[t])
			continue;
		atomic_fetch_sub_explicit(&own->used[t], bytes[t],
					  memory_order_relaxed);
		cm_pool_uncharge(&cm_pool[t], bytes[t]);
	}
}

static void uncharge(struct cm_own *own, const void *at, size_t size)
{
	uint64_t bytes[CM_NR_TIERS];

	parts(own, at, size, bytes);
	give_back(own, bytes);
	cm_pool_uncharge(&own->pool, size);
}

/*
 * Its own limit, with its own nodes if it is bound to some; then the tiers'.
 * Their nodes are only asked where the pool is bound to just those: it may
 * have others, or not mind.
 */
static bool charge(struct cm_own *own, const void *at, size_t size)
{
	uint64_t bytes[CM_NR_TIERS], had[CM_NR_TIERS] = { 0 };
	bool ask = own->attr.follows && own->attr.policy == CM_OWN_BIND;

	if (!cm_pool_charge(&own->pool, size))
		return false;
	parts(own, at, size, bytes);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		if (!bytes[t])
			continue;
		if (ask ? !cm_pool_charge(&cm_pool[t], bytes[t]) :
			  !cm_pool_charge_limit(&cm_pool[t], bytes[t])) {
			give_back(own, had);
			cm_pool_uncharge(&own->pool, size);
			return false;
		}
		had[t] = bytes[t];
		atomic_fetch_add_explicit(&own->used[t], bytes[t],
					  memory_order_relaxed);
		cm_pool_raise_peaks(&cm_pool[t]);
	}
	cm_pool_raise_peaks(&own->pool);
	return true;
}

/* After its extents: a segment may have maps of the program's own, too. */
void cm_own_forget(struct cm_own *own)
{
	uint64_t bytes[CM_NR_TIERS];

	for (uint64_t s = 0; s < nr_segments(); s++)
		if (owner_of(s) == id_of(own))
			atomic_store(&owner[s], 0);
	atomic_store(&own->next, 0);
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		bytes[t] = atomic_load(&own->used[t]);
	give_back(own, bytes);
	atomic_store(&own->pool.used, 0);
}

static bool is_refused(void)
{
	return cm_thread.refused[CM_TIER_DDR] || cm_thread.refused[CM_TIER_CXL];
}

static int mode_of(const struct cm_own *own)
{
	static const int mode[] = {
		[CM_OWN_BIND] = CM_MPOL_BIND,
		[CM_OWN_PREFERRED] = CM_MPOL_PREFERRED_MANY,
		[CM_OWN_INTERLEAVE] = CM_MPOL_INTERLEAVE,
	};

	return mode[own->attr.policy] | CM_MPOL_F_STATIC_NODES;
}

/* How its ranges are bound now; false: not at all. */
static bool place_of(struct cm_own *own, struct cm_place *place)
{
	if (own->attr.follows) {
		cm_place_get(&cm_pool[own->attr.tier].place, place);
		if (!cm_place_is_bound(place))
			return false;
		if (own->attr.policy == CM_OWN_BIND)
			return true;
	} else {
		*place = (struct cm_place){ .nodes = own->attr.nodes };
		place->binding = own->attr.policy == CM_OWN_BIND ?
					 CM_BINDING_STRICT :
					 CM_BINDING_PREFERRED;
	}
	place->mode = mode_of(own);
	place->weights.nr = 0;
	place->nr_groups = 0;
	return true;
}

/* Places may change meanwhile, as in cm_place_bind. */
bool cm_own_bind(struct cm_own *own, uintptr_t at, size_t size)
{
	struct cm_place_shared *shared = &cm_pool[own->attr.tier].place;
	struct cm_place place;
	unsigned seq;
	bool bound;

	do {
		seq = atomic_load(&shared->seq);
		bound = place_of(own, &place);
		if (bound)
			cm_place_bind_as(own->attr.follows ?
						 &cm_pool[own->attr.tier] :
						 &own->pool,
					 &place, at, size);
	} while (atomic_load(&shared->seq) != seq);
	return bound;
}

int cm_own_try_to_bind(struct cm_own *own)
{
	const struct cm_window window = cm_own_window();
	const struct cm_sys_ops *sys = own->pool.sys;
	void *at = (void *)(window.base + window.size - MIB);
	struct cm_place place;
	int err = 0;

	if (!place_of(own, &place))
		return 0;
	if (sys->map_at(at, MIB))
		return 0;	/* nothing is known */
	err = sys->bind(at, MIB, place.mode, &place.nodes);
	/* Before 5.15: cm_place_bind_as then takes the first. */
	if (err == -EINVAL && own->attr.policy == CM_OWN_PREFERRED)
		err = 0;
	(void)sys->unmap(at, MIB);
	return err;
}

/* start and end are anywhere in the window. */
void cm_own_rebind(uintptr_t start, uintptr_t end)
{
	uintptr_t base = cm_own_window().base, to;

	for (; start < end; start = to) {
		struct cm_own *own = cm_own_of((void *)start);

		to = base + (segment_of(start) + 1) * SEGMENT;
		if (to > end)
			to = end;
		if (own)
			(void)cm_own_bind(own, start, to - start);
	}
}

void cm_own_no_huge_pages(void)
{
	uintptr_t base = cm_own_window().base;
	uint64_t nr = atomic_load(&cm_nr_own) ? nr_segments() : 0;

	for (uint64_t s = 0; s < nr; s++)
		if (owner_of(s))
			(void)cm_pool[CM_TIER_DDR].sys->no_huge_pages(
				(void *)(base + s * SEGMENT), SEGMENT);
}

static bool is_limited(const struct cm_own *own)
{
	bool limited = own->both ||
		       atomic_load_explicit(&own->pool.limit,
					    memory_order_relaxed) !=
			       CM_NO_LIMIT;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		limited |= atomic_load_explicit(&cm_pool[t].limit,
						memory_order_relaxed) !=
			   CM_NO_LIMIT;
	return limited;
}

/* What a limit will never let it commit is not even mapped. */
static bool is_beyond_limit(struct cm_own *own, size_t size)
{
	return cm_pool_is_beyond_limit(&own->pool, size) ||
	       (!own->both &&
		cm_pool_is_beyond_limit(&cm_pool[own->attr.tier], size));
}

static void *hook_alloc(struct cm_extent_hooks *hooks, void *at, size_t size,
			size_t alignment, bool *zero, bool *commit,
			unsigned arena)
{
	struct cm_own *own = own_of(hooks);

	(void)arena;
	if (at)
		return NULL;
	if (is_refused() || is_beyond_limit(own, size)) {
		cm_pool_count_refusal(&own->pool);
		return NULL;
	}
	at = reserve(own, size, alignment);
	if (!at)
		return NULL;
	if (*commit && !charge(own, at, size)) {
		uintptr_t after = (uintptr_t)at + size;

		cm_pool_count_refusal(&own->pool);
		(void)own->pool.sys->unmap(at, size);
		(void)atomic_compare_exchange_strong(&own->next, &after,
						     (uintptr_t)at);
		return NULL;
	}
	if (is_limited(own))
		(void)own->pool.sys->no_huge_pages(at, size);
	(void)cm_own_bind(own, (uintptr_t)at, size);
	*zero = true;
	return at;
}

static bool hook_commit(struct cm_extent_hooks *hooks, void *at, size_t size,
			size_t offset, size_t length, unsigned arena)
{
	struct cm_own *own = own_of(hooks);

	(void)size, (void)arena;
	if (is_refused() || !charge(own, (char *)at + offset, length)) {
		cm_pool_count_refusal(&own->pool);
		return true;
	}
	return false;
}

static bool hook_decommit(struct cm_extent_hooks *hooks, void *at, size_t size,
			  size_t offset, size_t length, unsigned arena)
{
	struct cm_own *own = own_of(hooks);

	(void)size, (void)arena;
	if (own->pool.sys->purge((char *)at + offset, length))
		return true;	/* still there, still charged */
	uncharge(own, (char *)at + offset, length);
	return false;
}

/* The pool is ended: each range that it has is nobody's. */
static void hook_destroy(struct cm_extent_hooks *hooks, void *at, size_t size,
			 bool committed, unsigned arena)
{
	(void)committed, (void)arena;
	(void)own_of(hooks)->pool.sys->unmap(at, size);
}

const struct cm_extent_hooks cm_own_hooks = {
	.alloc = hook_alloc,
	.destroy = hook_destroy,
	.commit = hook_commit,
	.decommit = hook_decommit,
	/* One pool's segments have one policy: any cut or join is fine. */
	.split = cm_hook_split,
	.merge = cm_hook_merge,
};
