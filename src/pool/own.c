/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool/own.h"

#include <errno.h>
#include <string.h>

#include "base/nodeset.h"
#include "pool/arena.h"
#include "pool/full.h"
#include "pool/hooks.h"
#include "pool/thread.h"
#include "topology/node.h"

#define ddr_pool (&cm_pool[CM_TIER_DDR])

/* A size that is never one of a slab's (SC_SMALL_MAXCLASS is 14 KiB). */
#define LARGE		(16 * KIB)

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit((_Atomic uint64_t *)value,
				    memory_order_relaxed);
}

static bool is_live(const struct cm_own *own)
{
	return atomic_load_explicit((_Atomic int *)&own->state,
				    memory_order_acquire) == CM_OWN_LIVE;
}

static unsigned nr_now(void)
{
	return atomic_load_explicit(&cm_nr_own, memory_order_acquire);
}

/* --- making one ------------------------------------------------------------ */

/* Whose node is it? The CXL tier while it is emulated has none of its own. */
static int tier_of(unsigned node, enum cm_tier *tier)
{
	struct cm_place place;

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_place_get(&cm_pool[t].place, &place);
		if (place.binding != CM_BINDING_EMULATED &&
		    place.binding != CM_BINDING_OFFLINE &&
		    cm_nodeset_test(&place.nodes, node)) {
			*tier = (enum cm_tier)t;
			return 0;
		}
	}
	return -EPERM;
}

static int check_nodes(struct cm_own *own)
{
	const struct cm_nodeset *nodes = &own->attr.nodes;
	struct cm_node_memory memory;
	unsigned node, nr[CM_NR_TIERS] = { 0 }, i = 0;

	if (cm_nodeset_empty(nodes))
		return -EINVAL;
	cm_nodeset_for_each(node, nodes) {
		enum cm_tier tier = CM_TIER_DDR;
		int err = tier_of(node, &tier);

		if (err &&
		    (cm_node_memory_read("/sys", node, &memory) == -ENOENT ||
		     !memory.total))
			return -EINVAL;
		if (err)
			return err;
		if (!i)
			own->attr.tier = tier;
		nr[tier]++;
		if (i < CM_OWN_MAX_NODES && tier == CM_TIER_CXL)
			own->is_cxl |= UINT64_C(1) << i;
		i++;
	}
	own->nr_nodes = i;
	own->both = nr[CM_TIER_DDR] && nr[CM_TIER_CXL];
	if (own->both &&
	    (own->attr.policy != CM_OWN_INTERLEAVE || i > CM_OWN_MAX_NODES))
		return -EINVAL;
	return 0;
}

/* The slot's own pool: what hooks of any pool ask. */
static void fill(struct cm_own *own)
{
	struct cm_pool *pool = &own->pool;
	struct cm_place place;

	pool->hooks = cm_own_hooks;
	pool->sys = ddr_pool->sys;
	pool->je = ddr_pool->je;
	pool->tier = own->attr.tier;
	atomic_store(&pool->used, 0);
	atomic_store(&pool->peak, 0);
	atomic_store(&pool->over_peak, 0);
	atomic_store(&pool->limit, own->attr.limit);
	atomic_store(&pool->allowance, own->attr.limit);
	atomic_store(&pool->place.denied, false);
	memset(&place, 0, sizeof(place));
	if (!own->attr.follows && own->attr.policy == CM_OWN_BIND) {
		place.binding = CM_BINDING_STRICT;
		place.mode = CM_MPOL_BIND | CM_MPOL_F_STATIC_NODES;
		place.nodes = place.reach = place.home = own->attr.nodes;
	}
	cm_place_set(&pool->place, &place);
	cm_room_forget(pool);
	atomic_store(&own->next, 0);
}

/* Under cm_arena_lock. */
static struct cm_own *find_shared(const struct cm_own_attr *attr)
{
	for (unsigned i = 0; i < nr_now(); i++) {
		const struct cm_own_attr *a = &cm_own[i].attr;

		if (is_live(&cm_own[i]) && a->shared &&
		    a->policy == attr->policy && !a->follows &&
		    cm_nodeset_equal(&a->nodes, &attr->nodes))
			return &cm_own[i];
	}
	return NULL;
}

/* Under cm_arena_lock. */
static struct cm_own *free_slot(void)
{
	unsigned nr = nr_now();

	for (unsigned i = 0; i < nr; i++)
		if (atomic_load(&cm_own[i].state) == CM_OWN_NONE)
			return &cm_own[i];
	if (nr == CM_MAX_OWN)
		return NULL;
	atomic_store_explicit(&cm_nr_own, nr + 1, memory_order_release);
	return &cm_own[nr];
}

/* Under cm_arena_lock. */
static int make(struct cm_own *own, const struct cm_own_attr *attr)
{
	int err;

	own->attr = *attr;
	own->both = false;
	own->nr_nodes = 1;
	own->is_cxl = 0;
	err = attr->follows ? 0 : check_nodes(own);
	if (err)
		return err;
	fill(own);
	err = cm_own_try_to_bind(own);
	if (err)
		return err == -EINVAL ? -EPERM : err;
	if (!cm_arena_make(ddr_pool->je, &own->pool.hooks, &own->arena))
		return -ENOMEM;
	own->nr_active = cm_arena_active(ddr_pool->je, own->arena);
	atomic_store_explicit(&own->state, CM_OWN_LIVE, memory_order_release);
	return 0;
}

int cm_own_make(const struct cm_own_attr *attr, struct cm_own **own)
{
	struct cm_thread *thread = &cm_thread;
	int err = -ENOSPC;

	if (!cm_own_window().size)
		return -ENOTSUP;
	if (!thread->attached[CM_TIER_DDR] &&
	    !cm_arena_attach(ddr_pool, thread))
		return -ENOMEM;
	cm_arena_hold();
	*own = attr->shared ? find_shared(attr) : NULL;
	if (*own) {
		cm_arena_release();
		return 0;
	}
	*own = free_slot();
	if (*own)
		err = make(*own, attr);
	cm_arena_release();
	return err;
}

/* --- its end ----------------------------------------------------------------- */

static int arena_ctl(const struct cm_own *own, const char *name)
{
	const struct cm_je *je = ddr_pool->je;
	size_t mib[3], miblen = CM_ARRAY_SIZE(mib);

	if (je->mallctlnametomib(name, mib, &miblen))
		return -ENOSYS;
	mib[1] = own->arena;
	return -je->mallctlbymib(mib, miblen, NULL, NULL, NULL, 0);
}

int cm_own_end(struct cm_own *own, bool itself)
{
	int expected = CM_OWN_LIVE;
	int err;

	if (itself && own->attr.shared)
		return -EINVAL;
	/* What others count of its arena they count under this lock. */
	cm_arena_hold();
	if (!atomic_compare_exchange_strong(&own->state, &expected,
					    CM_OWN_ENDING)) {
		cm_arena_release();
		return -EINVAL;
	}
	cm_own_cache_end(own);
	err = arena_ctl(own, itself ? "arena.0.destroy" : "arena.0.reset");
	if (err) {
		atomic_store(&own->state, CM_OWN_LIVE);
	} else if (itself) {
		cm_own_forget(own);
		atomic_store_explicit(&own->state, CM_OWN_NONE,
				      memory_order_release);
	} else {
		(void)arena_ctl(own, "arena.0.purge");
		atomic_store_explicit(&own->state, CM_OWN_LIVE,
				      memory_order_release);
	}
	cm_arena_release();
	return err;
}

/* --- blocks ------------------------------------------------------------------ */

static bool exceeds(const struct cm_pool *pool, uint64_t bytes)
{
	uint64_t allowance = load(&pool->allowance);

	return bytes > allowance || load(&pool->used) > allowance - bytes;
}

/* Committed, and in no block. */
static uint64_t held_free(const struct cm_own *own)
{
	uint64_t used = load(&own->pool.used), active;

	if (!own->nr_active)
		return 0;
	active = __atomic_load_n(own->nr_active, __ATOMIC_RELAXED) *
		 ddr_pool->page;
	return used > active ? used - active : 0;
}

/* A refusal inside of jemalloc is dear: what cannot fit does not get there. */
static bool may_fit(const struct cm_own *own, size_t size)
{
	return size < LARGE || !exceeds(&own->pool, size) ||
	       held_free(own) >= size;
}

/*
 * What is free, of the pool and of the tiers that had no room. jemalloc does
 * not cut a large free range for a small block, so that may be all it needs.
 */
static bool reclaim(struct cm_own *own, size_t size)
{
	uint64_t before = load(&own->pool.used);
	bool done = false;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_thread.refused[t] && exceeds(&cm_pool[t], size))
			done |= cm_full_reclaim(&cm_pool[t], size, true);
	/* A small block fits where one was that another cache had. */
	if (before && cm_own_cache_flush(own) && size < LARGE)
		done = true;
	if (held_free(own) < size)
		return done;
	(void)arena_ctl(own, "arena.0.purge");
	return done || load(&own->pool.used) < before;
}

static void refuse_nothing(struct cm_thread *thread)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		thread->refused[t] = false;
}

/*
 * jemalloc counts it as the DDR instance's: turns of policy=interleave
 * (entry/turns.c) are of malloc's blocks alone.
 */
static void *untold(struct cm_thread *thread, struct cm_own *own, void *old,
		    size_t size, int flags)
{
	const uint64_t *allocated = thread->allocated[CM_TIER_DDR];
	uint64_t before = allocated ? *allocated : 0;
	unsigned cache = size < LARGE ? cm_own_cache_take(own) : 0;
	void *p;

	flags |= CM_JE_ARENA(own->arena);
	flags |= cache ? CM_JE_TCACHE(cache - 1) : CM_JE_TCACHE_NONE;
	p = old ? ddr_pool->je->rallocx(old, size, flags) :
		  ddr_pool->je->mallocx(size, flags);
	cm_own_cache_put(own, cache);
	if (allocated)
		thread->added[CM_TIER_DDR] += *allocated - before;
	return p;
}

static void *try_twice(struct cm_own *own, void *old, size_t size, int flags)
{
	struct cm_thread *thread = &cm_thread;
	int saved = errno;
	void *p = NULL;

	if (unlikely(!thread->attached[CM_TIER_DDR]) &&
	    !cm_arena_attach(ddr_pool, thread))
		return NULL;
	for (int tries = 0; tries < 2 && !p; tries++) {
		refuse_nothing(thread);
		if (may_fit(own, size))
			p = untold(thread, own, old, size, flags);
		/* A thread that is torn down has arena 0, whatever it asks. */
		if (p && unlikely(!cm_own_has(p))) {
			if (!old)
				ddr_pool->je->dallocx(p, CM_JE_TCACHE_NONE);
			p = old ? p : NULL;
			break;
		}
		if (!p && !tries && !reclaim(own, size))
			break;
	}
	refuse_nothing(thread);
	errno = saved;
	return p;
}

void *cm_own_alloc(struct cm_own *own, size_t size, int flags)
{
	return try_twice(own, NULL, size ? size : 1, flags);
}

void cm_own_free(void *p)
{
	struct cm_own *own = cm_own_of(p);
	unsigned cache = 0;

	/* Larger ones are not asked from there: they would never come out. */
	if (own && ddr_pool->je->usable_size(p) < LARGE)
		cache = cm_own_cache_take(own);
	ddr_pool->je->dallocx(p, cache ? CM_JE_TCACHE(cache - 1) :
					 CM_JE_TCACHE_NONE);
	if (cache)
		cm_own_cache_put(own, cache);
}

void *cm_own_realloc(void *p, size_t size)
{
	struct cm_own *own = cm_own_of(p);

	return own ? try_twice(own, p, size, 0) : NULL;
}

void cm_own_each(const char *ctl)
{
	unsigned nr = nr_now();

	/* Of each by itself, so that nobody waits for all of them. */
	for (unsigned i = 0; i < nr; i++) {
		cm_arena_hold();
		if (is_live(&cm_own[i]))
			(void)arena_ctl(&cm_own[i], ctl);
		cm_arena_release();
	}
}
