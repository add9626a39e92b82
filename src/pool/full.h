/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * full - a tier at its limit: what it still has to give, what it refused
 *
 * A refusal by jemalloc is dear: it tries several ways, and each may leave
 * something behind. So what was refused is remembered, by thread and size
 * class, and refused again in front of jemalloc until something changes:
 * the thread frees a block of the tier, anybody's page becomes free, budget or
 * limit change, or a tick of the coarse clock passes (4 ms on most kernels),
 * which covers slots other threads freed in pages still in use.
 *
 * What is held free comes back in three ways: pages free in any arena are
 * purged (cm_full_reclaim); a thread's cache is its own, so threads are asked
 * to flush theirs, and do when they next come by a slow path (cm_full_flush,
 * at least once every 64 KiB a thread allocates); a thread that is idle keeps
 * its cache, which jemalloc bounds.
 *
 * Synchronization: cm_full_flush_wanted and each pool's flush_wanted are
 * atomic and only go up; a thread compares them with what it last met.
 */
#ifndef CM_POOL_FULL_H
#define CM_POOL_FULL_H

#include "pool/pool.h"
#include "pool/thread.h"

static inline bool cm_full_is(const struct cm_pool *pool)
{
	return atomic_load_explicit(&pool->full, memory_order_relaxed);
}

/* A refusal of this size would be the last one again. flags: mallocx's. */
CM_COLD bool cm_full_recalls(struct cm_pool *pool, struct cm_thread *thread,
			     size_t size, int flags);

static inline bool cm_full_knows(struct cm_pool *pool, struct cm_thread *thread,
				 size_t size, int flags)
{
	const struct cm_refusals *r = &thread->refusals[pool->tier];

	return unlikely(r->sizes[0] | r->sizes[1]) &&
	       cm_full_recalls(pool, thread, size, flags);
}

/* jemalloc refused it. */
void cm_full_remember(struct cm_pool *pool, struct cm_thread *thread,
		      size_t size, int flags);

/*
 * Purge free pages if that gives room for size. True if budget came back.
 * last: nobody else takes it, so also what is soon dirty again; otherwise
 * seldom, unless an eighth of the tier is free.
 */
bool cm_full_reclaim(struct cm_pool *pool, size_t size, bool last);

extern _Atomic unsigned cm_full_flush_wanted CM_HIDDEN;

CM_COLD void cm_full_flush_now(struct cm_thread *thread);

/* On slow paths, where this thread is not inside of jemalloc. */
static inline void cm_full_flush(struct cm_thread *thread)
{
	if (unlikely(thread->flushed !=
		     atomic_load_explicit(&cm_full_flush_wanted,
					  memory_order_relaxed)))
		cm_full_flush_now(thread);
}

#endif
