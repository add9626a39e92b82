/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pool/arena.h"
#include "pool/full.h"
#include "pool/hooks.h"
#include "pool/large.h"
#include "pool/mixed.h"
#include "pool/own.h"
#include "pool/pool.h"
#include "pool/shift.h"
#include "pool/thread.h"

#define SMALLEST	8	/* jemalloc's smallest size class */

static const size_t *active_pages(struct cm_pool *pool, unsigned slot)
{
	return atomic_load_explicit(&pool->arena[slot].nr_active,
				    memory_order_acquire);
}

uint64_t cm_pool_in_use(struct cm_pool *pool)
{
	unsigned nr = atomic_load_explicit(&pool->nr_arenas,
					   memory_order_acquire);
	uint64_t pages = 0;

	for (unsigned i = 0; i < nr; i++) {
		const size_t *active = active_pages(pool, i);

		if (unlikely(!active)) {
			cm_arena_learn(pool);
			active = active_pages(pool, i);
		}
		/* Not to be had: take all it holds for used. */
		if (!active)
			return atomic_load_explicit(&pool->used,
						    memory_order_relaxed);
		pages += __atomic_load_n(active, __ATOMIC_RELAXED);
	}
	return pages * pool->page + cm_mixed_in_use(pool->tier) +
	       cm_own_in_use(pool->tier);
}

/*
 * All arenas at once (MALLCTL_ARENAS_ALL) would be those of the program's own
 * pools, too: jemalloc notes where they are and lets go of its lock, and another
 * thread may end one meanwhile.
 */
static void each_arena(struct cm_pool *pool, const char *name)
{
	size_t mib[3], miblen = CM_ARRAY_SIZE(mib);
	unsigned nr = atomic_load_explicit(&pool->nr_arenas,
					   memory_order_acquire);

	/* An instance nobody used has nothing, and is not to start now. */
	if (!nr && !pool->single)
		return;
	if (pool->je->mallctlnametomib(name, mib, &miblen))
		return;
	mib[1] = pool->single ? CM_JE_ALL_ARENAS : 0;
	(void)pool->je->mallctlbymib(mib, miblen, NULL, NULL, NULL, 0);
	for (unsigned i = 0; i < nr; i++) {
		mib[1] = pool->arena[i].index;
		(void)pool->je->mallctlbymib(mib, miblen, NULL, NULL, NULL, 0);
	}
}

void cm_pool_purge(struct cm_pool *pool)
{
	(void)cm_large_flush(pool->tier);
	each_arena(pool, "arena.0.purge");
	cm_mixed_each("arena.0.purge");
	cm_own_each("arena.0.purge");
}

void cm_pool_decay(struct cm_pool *pool)
{
	each_arena(pool, "arena.0.decay");
	cm_mixed_each("arena.0.decay");
	cm_own_each("arena.0.decay");
}

/*
 * jemalloc serves a thread from its arena, but for one whose state it has torn
 * down (after its TSD destructor): mallocx then takes arena 0, outside of the
 * windows, whatever arena it is asked for. rallocx still obeys, so a block of
 * the smallest class is taken there and moved.
 */
static void *alloc_exiting(struct cm_pool *pool, const struct cm_thread *thread,
			   void *outside, size_t size, int flags)
{
	unsigned index = pool->arena[thread->arena[pool->tier]].index;
	void *seed, *p;

	pool->je->dallocx(outside, CM_JE_TCACHE_NONE);
	seed = pool->je->mallocx(SMALLEST, CM_JE_TCACHE_NONE);
	if (!seed)
		return NULL;
	p = pool->je->rallocx(seed, size > SMALLEST ? size : SMALLEST + 1,
			      flags | CM_JE_TCACHE_NONE | CM_JE_ARENA(index));
	if (!p || !cm_window_has(pool->tier, p)) {
		pool->je->dallocx(p ? p : seed, CM_JE_TCACHE_NONE);
		return NULL;
	}
	if (flags & CM_JE_ZERO)	/* rallocx zeroes what it adds */
		memset(p, 0, SMALLEST);
	return p;
}

void *cm_pool_alloc(struct cm_pool *pool, size_t size, int flags, bool last)
{
	struct cm_thread *thread = &cm_thread;
	bool *refused = &thread->refused[pool->tier];
	bool beyond, waited;
	void *p;

	if (pool->single)
		return pool->je->mallocx(size, flags);
	if (unlikely(!thread->attached[pool->tier]) &&
	    !cm_arena_attach(pool, thread))
		return NULL;
	beyond = thread->beyond &&
		 atomic_load_explicit(&pool->elastic, memory_order_relaxed);
	if (!beyond && cm_full_knows(pool, thread, size, flags) &&
	    !cm_large_flush(pool->tier)) {
		*refused = true;
		return NULL;
	}
	for (int tries = 0;; tries++) {
		*refused = cm_full_is(pool) && tries == 0 && !beyond &&
			   !cm_pool_refresh(pool, true);
		p = pool->je->mallocx(size, flags);
		if (p && unlikely(!cm_window_has(pool->tier, p)))
			p = alloc_exiting(pool, thread, p, size, flags);
		if (p || !*refused)
			return p;
		cm_full_flush(thread);
		if (tries)
			break;
		/* Both: what waited is free for the second to give back. */
		waited = cm_large_flush(pool->tier);
		if (!cm_full_reclaim(pool, size, last) && !waited)
			break;
		atomic_store_explicit(&pool->full, false, memory_order_relaxed);
	}
	cm_full_remember(pool, thread, size, flags);
	return NULL;
}

void *cm_pool_resize(struct cm_pool *pool, void *p, size_t size)
{
	/* SC_LARGE_MINCLASS */
	size_t large = pool->page ? 4 * pool->page : SIZE_MAX;
	bool pages = size > large / 8 * 7 && pool->je->usable_size(p) >= large;

	return pool->je->rallocx(p, size, pages ? CM_JE_TCACHE_NONE : 0);
}

void *cm_pool_realloc(struct cm_pool *pool, void *p, size_t size)
{
	struct cm_thread *thread = &cm_thread;

	if (pool->single)
		return pool->je->rallocx(p, size, 0);
	if (unlikely(!thread->attached[pool->tier]) &&
	    !cm_arena_attach(pool, thread))
		return NULL;
	thread->refused[pool->tier] = cm_full_is(pool) && !thread->beyond &&
				      !cm_pool_refresh(pool, false);
	if (unlikely(thread->exiting)) {
		unsigned index = pool->arena[thread->arena[pool->tier]].index;

		return pool->je->rallocx(
			p, size, CM_JE_TCACHE_NONE | CM_JE_ARENA(index));
	}
	if (size > CM_SHIFT_MIN) {
		void *q = cm_shift(pool, p, size);

		if (q)
			return q;
	}
	return cm_pool_resize(pool, p, size);
}
