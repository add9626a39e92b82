/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed_hooks - extents of a pattern: addresses, budget, pieces to tiers
 *
 * As pool/hooks.c, but that a range's bytes are two tiers'.
 *
 * Patterns share the window by segments. A pattern that takes the next one
 * while it is its neighbour goes on in it, so that a process with one pattern
 * has all its ranges side by side.
 */
#include <errno.h>

#include "base/nodeset.h"
#include "pool/hooks.h"
#include "pool/mixed.h"
#include "pool/thread.h"
#include "pool/window.h"

#define SEGMENT		(64 * MIB)
#define LARGE		(256 * MIB)	/* tried before it takes addresses */
#define MAX_PROBES	64	/* foreign maps in the window to step over */

static CM_SPARSE _Atomic unsigned char owner[CM_WINDOW_MAX / SEGMENT];
static _Atomic uint64_t nr_taken;	/* segments, from the first on */

static struct cm_mixed *mixed_of(struct cm_extent_hooks *hooks)
{
	return cm_container_of(hooks, struct cm_mixed, hooks);
}

static unsigned char id_of(const struct cm_mixed *m)
{
	return (unsigned char)(m - cm_mixed + 1);
}

static uint64_t segment_of(uintptr_t at)
{
	return (at - cm_mixed_window().base) / SEGMENT;
}

struct cm_mixed *cm_mixed_owner(const void *p)
{
	unsigned id = atomic_load_explicit(&owner[segment_of((uintptr_t)p)],
					   memory_order_relaxed);

	return id ? &cm_mixed[id - 1] : NULL;
}

/* The first segment from `at` on, up to `end`, that is not m's. */
static uint64_t first_foreign(const struct cm_mixed *m, uintptr_t at,
			      uintptr_t end)
{
	uint64_t s = segment_of(at), last = segment_of(end - 1);

	while (s <= last &&
	       atomic_load_explicit(&owner[s], memory_order_relaxed) ==
		       id_of(m))
		s++;
	return s;
}

/* From the next to be had up to `last`; another may be faster. */
static void take_segments(const struct cm_mixed *m, uint64_t next,
			  uint64_t last)
{
	if (!atomic_compare_exchange_strong(&nr_taken, &next, last + 1))
		return;
	for (uint64_t s = next; s <= last; s++)
		atomic_store_explicit(&owner[s], id_of(m),
				      memory_order_relaxed);
}

/* Aligned, and with room for size in the window; 0: not. */
static uintptr_t fitting(uintptr_t from, size_t size, size_t alignment)
{
	const struct cm_window window = cm_mixed_window();
	uintptr_t end = window.base + window.size;
	uintptr_t at = (from + alignment - 1) & ~(alignment - 1);

	return at < from || at > end || end - at < size ? 0 : at;
}

/* size bytes of the window, `step` from where the pattern is; 0: none. */
static uintptr_t take_addresses(struct cm_mixed *m, size_t size,
				size_t alignment, size_t step,
				uintptr_t *before)
{
	for (;;) {
		uintptr_t at, fresh;
		uint64_t s, taken;

		*before = atomic_load_explicit(&m->next, memory_order_relaxed);
		at = fitting(*before + step, size, alignment);
		s = at ? first_foreign(m, at, at + size) : 0;
		if (at && s > segment_of(at + size - 1)) {
			if (atomic_compare_exchange_weak_explicit(
				    &m->next, before, at + size,
				    memory_order_relaxed, memory_order_relaxed))
				return at;
			continue;
		}
		taken = atomic_load(&nr_taken);
		if (at && s >= taken) {
			take_segments(m, taken, segment_of(at + size - 1));
			continue;
		}
		/* Another pattern's are in the way: behind all. */
		fresh = cm_mixed_window().base + taken * SEGMENT;
		if (fresh <= *before || !fitting(fresh, size, alignment))
			return 0;
		(void)atomic_compare_exchange_strong(&m->next, before, fresh);
	}
}

static void *reserve(struct cm_mixed *m, size_t size, size_t alignment)
{
	const struct cm_sys_ops *sys = cm_pool[CM_TIER_DDR].sys;
	size_t step = 0;

	if (size >= LARGE && !sys->can_map(size))
		return NULL;
	for (int i = 0; i < MAX_PROBES; i++) {
		uintptr_t before, after;
		uintptr_t at = take_addresses(m, size, alignment, step,
					      &before);
		int err;

		if (!at)
			return NULL;
		err = sys->map_at((void *)at, size);
		if (err == 0)
			return (void *)at;
		if (err != -EEXIST) {
			after = at + size;
			(void)atomic_compare_exchange_strong(&m->next, &after,
							     before);
			return NULL;
		}
		step = step ? step * 2 : MIB;
	}
	return NULL;
}

static void split(const struct cm_mixed *m, const void *at, size_t size,
		  uint64_t bytes[CM_NR_TIERS])
{
	uint64_t offset = (uintptr_t)at - cm_mixed_window().base;

	cm_chunk_split(m->chunks, m->weight, offset, offset + size, bytes);
}

static void uncharge(struct cm_mixed *m, const void *at, size_t size)
{
	uint64_t bytes[CM_NR_TIERS];

	split(m, at, size, bytes);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		atomic_fetch_sub_explicit(&m->used[t], bytes[t],
					  memory_order_relaxed);
		if (bytes[t])
			cm_pool_uncharge(&cm_pool[t], bytes[t]);
	}
}

/* Both or none. */
static bool charge(struct cm_mixed *m, const void *at, size_t size)
{
	uint64_t bytes[CM_NR_TIERS];

	split(m, at, size, bytes);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		if (!bytes[t] || cm_pool_charge(&cm_pool[t], bytes[t]))
			continue;
		while (t-- > 0)
			if (bytes[t])
				cm_pool_uncharge(&cm_pool[t], bytes[t]);
		return false;
	}
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		atomic_fetch_add_explicit(&m->used[t], bytes[t],
					  memory_order_relaxed);
		if (bytes[t])
			cm_pool_raise_peaks(&cm_pool[t]);
	}
	return true;
}

static bool is_refused(void)
{
	return cm_thread.refused[CM_TIER_DDR] || cm_thread.refused[CM_TIER_CXL];
}

static void count_refusal(void)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_thread.refused[t])
			cm_pool_count_refusal(&cm_pool[t]);
}

int cm_mixed_bind_kernel(const struct cm_place *place, uintptr_t at,
			 size_t size)
{
	struct cm_nodeset nodes = place[CM_TIER_DDR].nodes;

	cm_nodeset_or(&nodes, &place[CM_TIER_CXL].nodes);
	return cm_pool[CM_TIER_DDR].sys->bind(
		(void *)at, size,
		CM_MPOL_WEIGHTED_INTERLEAVE | CM_MPOL_F_STATIC_NODES, &nodes);
}

/* A tier's piece to its nodes, or to the one whose turn it is. */
static void bind_piece(const unsigned weight[CM_NR_TIERS],
		       const struct cm_place *place, uint64_t index,
		       uintptr_t from, uintptr_t to)
{
	enum cm_tier tier = cm_chunk_tier(index, weight);

	if (place[tier].weights.nr > 1 && cm_place_is_bound(&place[tier]))
		cm_place_bind_node(&cm_pool[tier], &place[tier],
				   cm_chunk_node(cm_chunk_rank(index, weight),
						 &place[tier].weights),
				   from, to - from);
	else
		cm_place_bind_as(&cm_pool[tier], &place[tier], from, to - from);
}

/* Neighbours of one tier by one call. */
void cm_mixed_bind_pieces(struct cm_chunks chunks,
			  const unsigned weight[CM_NR_TIERS],
			  const struct cm_place *place, uintptr_t base,
			  uintptr_t start, uintptr_t end)
{
	uintptr_t from = start;

	while (from < end) {
		struct cm_chunk piece = cm_chunk_at(chunks, from - base);
		enum cm_tier tier = cm_chunk_tier(piece.index, weight);
		uintptr_t to = base + piece.start + piece.size;
		uint64_t first = piece.index;

		while (to < end && place[tier].weights.nr < 2) {
			piece = cm_chunk_at(chunks, to - base);
			if (cm_chunk_tier(piece.index, weight) != tier)
				break;
			to = base + piece.start + piece.size;
		}
		if (to > end)
			to = end;
		bind_piece(weight, place, first, from, to);
		from = to;
	}
}

static void bind_all(const struct cm_mixed *m, const struct cm_place *place,
		     uintptr_t start, uintptr_t end)
{
	if (!m->kernel) {
		cm_mixed_bind_pieces(m->chunks, m->weight, place,
				     cm_mixed_window().base, start, end);
		return;
	}
	if (cm_place_is_bound(&place[CM_TIER_DDR]) &&
	    cm_place_is_bound(&place[CM_TIER_CXL])) {
		if (cm_mixed_bind_kernel(place, start, end - start))
			atomic_store_explicit(
				&cm_pool[CM_TIER_DDR].place.rebind_due, true,
				memory_order_relaxed);
		return;
	}
	/* One of them has no nodes now: all to the other. */
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_place_is_bound(&place[t]))
			cm_place_bind_as(&cm_pool[t], &place[t], start,
					 end - start);
}

/* As cm_place_bind: places may change meanwhile. */
static void bind(const struct cm_mixed *m, uintptr_t start, uintptr_t end)
{
	struct cm_place place[CM_NR_TIERS];
	unsigned seq[CM_NR_TIERS];
	bool same = false;

	while (!same) {
		for (unsigned t = 0; t < CM_NR_TIERS; t++) {
			seq[t] = atomic_load(&cm_pool[t].place.seq);
			cm_place_get(&cm_pool[t].place, &place[t]);
		}
		bind_all(m, place, start, end);
		same = true;
		for (unsigned t = 0; t < CM_NR_TIERS; t++)
			same &= atomic_load(&cm_pool[t].place.seq) == seq[t];
	}
}

void cm_mixed_rebind(uintptr_t start, uintptr_t end)
{
	uintptr_t base = cm_mixed_window().base, to;

	for (; start < end; start = to) {
		const struct cm_mixed *m = cm_mixed_owner((void *)start);

		to = base + (segment_of(start) + 1) * SEGMENT;
		if (to > end)
			to = end;
		if (m)
			bind(m, start, to);
	}
}

void cm_mixed_no_huge_pages(void)
{
	uint64_t size = atomic_load(&nr_taken) * SEGMENT;

	if (size)
		(void)cm_pool[CM_TIER_DDR].sys->no_huge_pages(
			(void *)cm_mixed_window().base, size);
}

static bool is_limited(void)
{
	bool limited = false;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		limited |= atomic_load_explicit(&cm_pool[t].limit,
						memory_order_relaxed) !=
			   CM_NO_LIMIT;
	return limited;
}

/* What the limits will never let it commit is not even mapped. */
static bool is_beyond_limits(const struct cm_mixed *m, size_t size)
{
	uint64_t all = m->weight[CM_TIER_DDR] + m->weight[CM_TIER_CXL];

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_pool_is_beyond_limit(&cm_pool[t],
					    size / all * m->weight[t])) {
			cm_thread.refused[t] = true;
			return true;
		}
	return false;
}

static void *hook_alloc(struct cm_extent_hooks *hooks, void *at, size_t size,
			size_t alignment, bool *zero, bool *commit,
			unsigned arena)
{
	struct cm_mixed *m = mixed_of(hooks);

	(void)arena;
	if (at)
		return NULL;
	if (is_refused()) {
		count_refusal();
		return NULL;
	}
	/* It then asks for what it needs alone, which may be had. */
	if (is_beyond_limits(m, size)) {
		count_refusal();
		for (unsigned t = 0; t < CM_NR_TIERS && !*commit; t++)
			cm_thread.refused[t] = false;
		return NULL;
	}
	at = reserve(m, size, alignment);
	if (!at)
		return NULL;
	/* Whose bytes they are, the address tells. */
	if (*commit && !charge(m, at, size)) {
		uintptr_t after = (uintptr_t)at + size;

		count_refusal();
		(void)cm_pool[CM_TIER_DDR].sys->unmap(at, size);
		(void)atomic_compare_exchange_strong(&m->next, &after,
						     (uintptr_t)at);
		return NULL;
	}
	if (is_limited())
		(void)cm_pool[CM_TIER_DDR].sys->no_huge_pages(at, size);
	bind(m, (uintptr_t)at, (uintptr_t)at + size);
	*zero = true;
	return at;
}

static bool is_grouped(void)
{
	bool grouped = false;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		grouped |= atomic_load_explicit(&cm_pool[t].place.grouped,
						memory_order_relaxed);
	return grouped;
}

static bool hook_commit(struct cm_extent_hooks *hooks, void *at, size_t size,
			size_t offset, size_t length, unsigned arena)
{
	struct cm_mixed *m = mixed_of(hooks);

	(void)size, (void)arena;
	if (is_refused() || !charge(m, (char *)at + offset, length)) {
		count_refusal();
		return true;
	}
	if (is_grouped())
		bind(m, (uintptr_t)at + offset,
		     (uintptr_t)at + offset + length);
	return false;
}

static bool hook_decommit(struct cm_extent_hooks *hooks, void *at, size_t size,
			  size_t offset, size_t length, unsigned arena)
{
	struct cm_mixed *m = mixed_of(hooks);

	(void)size, (void)arena;
	if (cm_pool[CM_TIER_DDR].sys->purge((char *)at + offset, length))
		return true;	/* still there, still charged */
	uncharge(m, (char *)at + offset, length);
	return false;
}

const struct cm_extent_hooks cm_mixed_hooks = {
	.alloc = hook_alloc,
	.commit = hook_commit,
	.decommit = hook_decommit,
	/* An address tells whose it is: any cut or join is fine. */
	.split = cm_hook_split,
	.merge = cm_hook_merge,
};
