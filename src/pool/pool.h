/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - a tier's memory: jemalloc arenas over one set of NUMA nodes
 *
 * Called by entry/slow.c (a malloc the thread's cache could not serve) and by
 * pool/report.c (cold). Calls jemalloc; jemalloc calls back into
 * pool/hooks.c; those call sys.
 *
 * Invariants
 *   I1 an extent stays in its pool and window from map to exit; its memory
 *      policy stays on the range, so pages that come back (after purge, swap)
 *      come back on the same nodes.
 *   I2 used is what jemalloc holds committed; used <= allowance unless the
 *      pool is elastic. The compare and the add are one atomic step.
 *   I3 a hook never allocates, logs, or takes a lock of ours.
 *
 * Synchronization
 *   hooks, sys, je, tier, single          written before publication
 *   next        hooks, atomic add: where the next extent goes
 *   used        hooks, compare and swap; readers relaxed, may lag
 *   peak ...    hooks, atomic max; counters, relaxed
 *   allowance   entry/slow.c: atomic; hooks read it relaxed
 *   full        set by a hook that refuses, cleared by whoever finds room;
 *               a hint: hooks check the allowance themselves
 *   flush_*     pool/full.h
 *   place, room pool/place.h, pool/room.h
 *   arena[]     under cm_arena_lock; below nr_arenas, index is fixed and
 *               nr_active may be read without
 */
#ifndef CM_POOL_POOL_H
#define CM_POOL_POOL_H

#include <stdatomic.h>

#include "base/report.h"
#include "base/state.h"
#include "pool/je.h"
#include "pool/place.h"
#include "pool/room.h"
#include "sys/sys.h"

#define CM_MAX_ARENAS	256

struct cm_arena {
	unsigned index;			/* jemalloc's */
	unsigned nr_threads;
	_Atomic(const size_t *) nr_active;	/* jemalloc's, in pages */
};

struct cm_pool {
	struct cm_extent_hooks hooks;	/* first: container_of() in hooks.c */
	const struct cm_sys_ops *sys;
	const struct cm_je *je;
	enum cm_tier tier;
	bool single;			/* no window: jemalloc as it is */
	struct cm_place_shared place;
	struct cm_room room;

	_Atomic uintptr_t next;
	_Atomic uint64_t used;
	/*
	 * Where the address of its copy for cxlctl is: in memory of this process
	 * alone (entry/channel.c). Either may be NULL.
	 */
	_Atomic uint64_t *_Atomic *_Atomic shown_used;
	_Atomic uint64_t peak;
	_Atomic uint64_t over_peak;
	_Atomic uint64_t nr_full;
	_Atomic uint64_t allowance;	/* bytes hooks let through */
	_Atomic uint64_t limit;		/* bytes the operator asked for */
	_Atomic uint64_t nr_refused;	/* calls of hooks that were refused */
	_Atomic uint64_t counted_ms;	/* when pages in use were last counted */
	_Atomic uint64_t flush_asked_ms;
	_Atomic uint64_t purged_ms;	/* pool/full.c */
	_Atomic unsigned flush_wanted;
	_Atomic bool full;
	_Atomic bool elastic;		/* takes what nobody else would */

	size_t page;			/* jemalloc's, once there is an arena */
	_Atomic unsigned nr_arenas;
	unsigned max_arenas;
	const void *start_failed_by;	/* a thread's, under cm_arena_lock */
	struct cm_arena arena[CM_MAX_ARENAS];
};

extern struct cm_pool cm_pool[CM_NR_TIERS] CM_HIDDEN;

/*
 * Hysteresis: a tier found full has room again when this much of its
 * allowance is free, so that one at its limit does not flap.
 */
static inline uint64_t cm_pool_margin(const struct cm_pool *pool)
{
	uint64_t part = atomic_load_explicit(&pool->allowance,
					     memory_order_relaxed) /
			32;

	return part < 64 * KIB ? 64 * KIB : part > 16 * MIB ? 16 * MIB : part;
}

/*
 * Allocate from one pool. flags are mallocx's alignment and CM_JE_ZERO.
 * NULL when the pool has no room (cm_thread.refused[tier] tells that it was
 * the limit) or the kernel has no memory. errno is not set. last: if it
 * refuses, the allocation fails.
 */
void *cm_pool_alloc(struct cm_pool *pool, size_t size, int flags, bool last);

/* Resize in its own pool; NULL leaves the block as it was. */
void *cm_pool_realloc(struct cm_pool *pool, void *p, size_t size);

/*
 * The same where nothing is out of the ordinary (entry/usual.h). Blocks of whole
 * pages pass by the thread's cache: what they leave is there for neighbours to
 * grow into, where jemalloc would cache it and take nothing from there.
 */
void *cm_pool_resize(struct cm_pool *pool, void *p, size_t size);

/* After a charge that is kept, or with a new limit. */
void cm_pool_raise_peaks(struct cm_pool *pool);

/* Bytes in pages that hold blocks; the rest of used can be had at once. */
uint64_t cm_pool_in_use(struct cm_pool *pool);

/* Give free pages of all arenas back to the kernel. */
void cm_pool_purge(struct cm_pool *pool);

/* Give back what has been free for the decay time, in arenas of any thread. */
void cm_pool_decay(struct cm_pool *pool);

/*
 * Look whether a pool marked full has room again: pages were given back, its
 * blocks use less than the allowance by a margin, or this thread has freed
 * that much of it. True if it was marked so and no longer is. count: look at
 * what is in use even if that was done this very millisecond.
 */
bool cm_pool_refresh(struct cm_pool *pool, bool count);

#endif
