/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hooks - extents of a pool: address, binding, accounting
 *
 * What jemalloc does with them (5.3, retain on, read in its extent.c and
 * pac.c): to grow, it calls alloc for a range of growing size with *commit
 * false, takes what it needs from it and commits that; the rest is retained.
 * Pages that decay are decommitted and retained, and committed again when
 * reused. Nothing is unmapped. If commit or the first alloc fails it tries a
 * plain alloc of the size itself with *commit true.
 *
 * So: alloc reserves addresses, bound to the tier's nodes, and costs no budget;
 * commit charges the limit; decommit returns pages and budget.
 */
#include <errno.h>

#include "pool/hooks.h"
#include "pool/thread.h"
#include "sys/event.h"

#define LARGE		(256 * MIB)	/* tried before it takes addresses */
#define MAX_PROBES	64	/* foreign maps in a window to step over */

static struct cm_pool *pool_of(struct cm_extent_hooks *hooks)
{
	return cm_container_of(hooks, struct cm_pool, hooks);
}

static void atomic_max(_Atomic uint64_t *max, uint64_t value)
{
	uint64_t old = atomic_load_explicit(max, memory_order_relaxed);

	while (value > old && !atomic_compare_exchange_weak_explicit(
				      max, &old, value, memory_order_relaxed,
				      memory_order_relaxed))
		;
}

static void mark_full(struct cm_pool *pool)
{
	if (atomic_exchange_explicit(&pool->full, true, memory_order_relaxed))
		return;
	atomic_fetch_add_explicit(&pool->nr_full, 1, memory_order_relaxed);
	/* A pool of the program's own that is full is no tier that is. */
	if (pool == &cm_pool[pool->tier])
		cm_event_tell(CM_EVENT_FULL);
}

/* Two threads may leave the older figure there, until the next look. */
static void show_used(struct cm_pool *pool)
{
	_Atomic uint64_t *_Atomic *at = atomic_load_explicit(
		&pool->shown_used, memory_order_relaxed);
	_Atomic uint64_t *shown = at ? atomic_load_explicit(
					       at, memory_order_relaxed) :
				       NULL;

	if (shown)
		atomic_store_explicit(
			shown,
			atomic_load_explicit(&pool->used, memory_order_relaxed),
			memory_order_relaxed);
}

void cm_pool_uncharge(struct cm_pool *pool, uint64_t bytes)
{
	atomic_fetch_sub_explicit(&pool->used, bytes, memory_order_relaxed);
	show_used(pool);
	/* What was given back may be had at once, here or elsewhere. */
	if (atomic_load_explicit(&pool->room.retry_ms, memory_order_relaxed))
		atomic_store_explicit(&pool->room.retry_ms, 0,
				      memory_order_relaxed);
}

/* Only as the last resort of an allocation, see cm_thread.beyond. */
static bool may_exceed(struct cm_pool *pool)
{
	return cm_thread.beyond &&
	       atomic_load_explicit(&pool->elastic, memory_order_relaxed);
}

/* I2: compare and add in one step, so that used never passes the allowance. */
static bool within_allowance(struct cm_pool *pool, uint64_t bytes)
{
	uint64_t allowance = atomic_load_explicit(&pool->allowance,
						  memory_order_relaxed);
	uint64_t used = atomic_load_explicit(&pool->used, memory_order_relaxed);

	do {
		if ((bytes > allowance || used > allowance - bytes) &&
		    !may_exceed(pool)) {
			/* One big block that does not fit is no full tier. */
			if (used + cm_pool_margin(pool) / 4 >= allowance)
				mark_full(pool);
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(
		&pool->used, &used, used + bytes, memory_order_relaxed,
		memory_order_relaxed));
	return true;
}

/*
 * The limit first: what is charged then counts among the promises the nodes
 * are asked to hold, also those of other threads at this moment.
 */
bool cm_pool_charge(struct cm_pool *pool, uint64_t bytes)
{
	if (within_allowance(pool, bytes)) {
		if (cm_room_take(pool, bytes)) {
			show_used(pool);
			return true;
		}
		atomic_fetch_sub_explicit(&pool->used, bytes,
					  memory_order_relaxed);
		if (cm_room_is_out(pool))
			mark_full(pool);
	}
	cm_thread.refused[pool->tier] = true;
	return false;
}

bool cm_pool_charge_limit(struct cm_pool *pool, uint64_t bytes)
{
	if (within_allowance(pool, bytes)) {
		show_used(pool);
		return true;
	}
	cm_thread.refused[pool->tier] = true;
	return false;
}

/* Hooks keep errno, so it still is what the program had. */
void cm_pool_count_refusal(struct cm_pool *pool)
{
	cm_thread.errno_before = errno;
	atomic_fetch_add_explicit(&pool->nr_refused, 1, memory_order_relaxed);
}

void cm_pool_raise_peaks(struct cm_pool *pool)
{
	uint64_t used = atomic_load_explicit(&pool->used, memory_order_relaxed);
	uint64_t limit = atomic_load_explicit(&pool->limit,
					      memory_order_relaxed);

	atomic_max(&pool->peak, used);
	if (used > limit)
		atomic_max(&pool->over_peak, used - limit);
}

/* Take size bytes of the window from `start` up; 0: they do not fit. */
static uintptr_t take_addresses(struct cm_pool *pool, size_t size,
				size_t alignment, size_t step,
				uintptr_t *before)
{
	const struct cm_window window = cm_window_of(pool->tier);
	uintptr_t end = window.base + window.size, at;

	*before = atomic_load_explicit(&pool->next, memory_order_relaxed);
	do {
		at = (*before + step + alignment - 1) & ~(alignment - 1);
		if (at < *before || at > end || end - at < size)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(
		&pool->next, before, at + size, memory_order_relaxed,
		memory_order_relaxed));
	return at;
}

/*
 * A fresh range of the window. Extents follow each other, so that ranges of
 * one policy merge into few VMAs; whatever else was mapped there is stepped
 * over, by growing steps. What cannot be mapped gives its addresses back: a
 * program that probes for the largest block must not use up the window.
 */
static void *reserve(struct cm_pool *pool, size_t size, size_t alignment)
{
	size_t step = 0;

	if (size >= LARGE && !pool->sys->can_map(size))
		return NULL;
	for (int i = 0; i < MAX_PROBES; i++) {
		uintptr_t before, after;
		uintptr_t at = take_addresses(pool, size, alignment, step,
					      &before);
		int err;

		if (!at)
			return NULL;
		err = pool->sys->map_at((void *)at, size);
		if (err == 0)
			return (void *)at;
		if (err != -EEXIST) {
			after = at + size;
			(void)atomic_compare_exchange_strong(&pool->next,
							     &after, before);
			return NULL;
		}
		step = step ? step * 2 : MIB;
	}
	return NULL;
}

/*
 * jemalloc reserves ahead, in growing steps. What the limit will never let it
 * commit is not even mapped; it then asks for what it needs alone.
 */
bool cm_pool_is_beyond_limit(struct cm_pool *pool, uint64_t size)
{
	uint64_t allowance = atomic_load_explicit(&pool->allowance,
						  memory_order_relaxed);
	uint64_t used = atomic_load_explicit(&pool->used, memory_order_relaxed);

	return size > 64 * MIB &&
	       (used > allowance || size - 64 * MIB > allowance - used) &&
	       !may_exceed(pool);
}

/* extent_alloc: a non-NULL at is mandatory; zero and commit are in and out. */
static void *hook_alloc(struct cm_extent_hooks *hooks, void *at, size_t size,
			size_t alignment, bool *zero, bool *commit,
			unsigned arena)
{
	struct cm_pool *pool = pool_of(hooks);

	(void)arena;
	if (at)
		return NULL;
	if (cm_thread.refused[pool->tier] ||
	    (*commit ? !cm_pool_charge(pool, size) :
		       cm_pool_is_beyond_limit(pool, size))) {
		cm_pool_count_refusal(pool);
		return NULL;
	}
	at = reserve(pool, size, alignment);
	if (!at) {
		if (*commit)
			cm_pool_uncharge(pool, size);
		return NULL;
	}
	/*
	 * A huge page that reaches past what is committed would put more
	 * memory in the tier than its limit.
	 */
	if (atomic_load_explicit(&pool->limit, memory_order_relaxed) !=
	    CM_NO_LIMIT)
		(void)pool->sys->no_huge_pages(at, size);
	cm_place_bind(pool, at, size);
	if (*commit)
		cm_pool_raise_peaks(pool);
	*zero = true;
	return at;
}

/* true refuses. jemalloc takes success as "committed and zero". */
static bool hook_commit(struct cm_extent_hooks *hooks, void *at, size_t size,
			size_t offset, size_t length, unsigned arena)
{
	struct cm_pool *pool = pool_of(hooks);

	(void)size, (void)arena;
	if (cm_thread.refused[pool->tier] || !cm_pool_charge(pool, length)) {
		cm_pool_count_refusal(pool);
		return true;
	}
	cm_pool_raise_peaks(pool);
	/* No page of it is there now: it goes where there is room now. */
	if (atomic_load_explicit(&pool->place.grouped, memory_order_relaxed))
		cm_place_bind(pool, (char *)at + offset, length);
	return false;
}

static bool hook_decommit(struct cm_extent_hooks *hooks, void *at, size_t size,
			  size_t offset, size_t length, unsigned arena)
{
	struct cm_pool *pool = pool_of(hooks);

	(void)size, (void)arena;
	if (pool->sys->purge((char *)at + offset, length))
		return true;	/* still there, still charged */
	cm_pool_uncharge(pool, length);
	return false;
}

/* One window, one policy: any cut or join is fine. */
bool cm_hook_split(struct cm_extent_hooks *hooks, void *at, size_t size,
		   size_t size_a, size_t size_b, bool committed, unsigned arena)
{
	(void)hooks, (void)at, (void)size, (void)size_a, (void)size_b;
	(void)committed, (void)arena;
	return false;
}

bool cm_hook_merge(struct cm_extent_hooks *hooks, void *a, size_t size_a,
		   void *b, size_t size_b, bool committed, unsigned arena)
{
	(void)hooks, (void)a, (void)size_a, (void)b, (void)size_b;
	(void)committed, (void)arena;
	return false;
}

const struct cm_extent_hooks cm_hooks = {
	.alloc = hook_alloc,
	.commit = hook_commit,
	.decommit = hook_decommit,
	.split = cm_hook_split,
	.merge = cm_hook_merge,
};
