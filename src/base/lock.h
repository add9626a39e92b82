/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock - the few mutexes off the fast path, and their order
 *
 * Order, outermost first; entry/fork.c takes them in this order:
 *   1. libc's list of open files (held by us only across fork)
 *   2. cm_arena_lock   pool/arena.c: creating arenas, threads per arena
 *   3. jemalloc's own locks, DDR instance before CXL
 *
 * Nothing of ours is locked inside an extent hook: jemalloc calls those with
 * its own locks held.
 */
#ifndef CM_BASE_LOCK_H
#define CM_BASE_LOCK_H

#include <pthread.h>

#define CM_LOCK_INIT	PTHREAD_MUTEX_INITIALIZER

static inline void cm_lock(pthread_mutex_t *m)
{
	(void)pthread_mutex_lock(m);
}

static inline void cm_unlock(pthread_mutex_t *m)
{
	(void)pthread_mutex_unlock(m);
}

/* In the child of fork: nobody else is there, whoever held it is gone. */
static inline void cm_lock_reset(pthread_mutex_t *m)
{
	pthread_mutex_t fresh = CM_LOCK_INIT;

	*m = fresh;
}

#endif
