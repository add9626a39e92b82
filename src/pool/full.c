/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pool/full.h"
#include "pool/large.h"

#define ASK_MS		100	/* at most so often are caches asked for */
#define PURGE_MS	20	/* and little is purged, if another tier serves */

_Atomic unsigned cm_full_flush_wanted;

/*
 * jemalloc has four size classes a doubling; finer ones among the smallest do
 * no harm. -1: not one of those remembered.
 */
static int class_of(size_t size, int flags)
{
	size_t x = size > 4 ? size - 1 : 4;
	unsigned lg = 63 - (unsigned)__builtin_clzl(x);
	unsigned class = (lg - 2) * 4 + (unsigned)(x >> (lg - 2) & 3);

	/* Alignment makes it another class. */
	return class < 128 && !(flags & ~CM_JE_ZERO) ? (int)class : -1;
}

static struct cm_refusal_state state_now(struct cm_pool *pool,
					 const struct cm_thread *thread)
{
	const uint64_t *freed = thread->freed[pool->tier];

	return (struct cm_refusal_state){
		.tick = cm_room_now_ms(),
		.freed = freed ? *freed : 0,
		.in_use = cm_pool_in_use(pool),
		.used = atomic_load_explicit(&pool->used, memory_order_relaxed),
		.allowance = atomic_load_explicit(&pool->allowance,
						  memory_order_relaxed),
	};
}

bool cm_full_recalls(struct cm_pool *pool, struct cm_thread *thread,
		     size_t size, int flags)
{
	struct cm_refusals *r = &thread->refusals[pool->tier];
	int class = class_of(size, flags);
	struct cm_refusal_state now;

	now = state_now(pool, thread);
	if (!memcmp(&now, &r->state, sizeof(now)))
		return class >= 0 && r->sizes[class / 64] >> class % 64 & 1;
	memset(r->sizes, 0, sizeof(r->sizes));
	return false;
}

void cm_full_remember(struct cm_pool *pool, struct cm_thread *thread,
		      size_t size, int flags)
{
	struct cm_refusals *r = &thread->refusals[pool->tier];
	struct cm_refusal_state now = state_now(pool, thread);
	int class = class_of(size, flags);

	if (thread->freed[pool->tier])
		thread->freed_when_full[pool->tier] = now.freed;
	if (memcmp(&now, &r->state, sizeof(now)))
		memset(r->sizes, 0, sizeof(r->sizes));
	r->state = now;
	if (class >= 0)
		r->sizes[class / 64] |= UINT64_C(1) << class % 64;
}

/*
 * Budget does not come back by itself: pages free in another thread's arena
 * decay only while that thread allocates. What can be had is known exactly,
 * so a purge is only tried when it will help.
 */
bool cm_full_reclaim(struct cm_pool *pool, size_t size, bool last)
{
	uint64_t used = atomic_load_explicit(&pool->used, memory_order_relaxed);
	uint64_t allowance = atomic_load_explicit(&pool->allowance,
						  memory_order_relaxed);
	uint64_t in_use = cm_pool_in_use(pool), now;

	if (used < in_use || used - in_use < cm_pool_margin(pool) ||
	    allowance < in_use || allowance - in_use < size)
		return false;
	now = cm_room_now_ms();
	if (!last && used - in_use < used / 8 &&
	    now - atomic_load_explicit(&pool->purged_ms, memory_order_relaxed) <
		    PURGE_MS)
		return false;
	atomic_store_explicit(&pool->purged_ms, now, memory_order_relaxed);
	cm_pool_purge(pool);
	return atomic_load_explicit(&pool->used, memory_order_relaxed) < used;
}

/*
 * Counting pages in use reads a word of every arena: on slow paths that come
 * by all the time, once a tick of the coarse clock is enough.
 */
static bool may_count(struct cm_pool *pool, uint64_t now_ms)
{
	if (atomic_load_explicit(&pool->counted_ms, memory_order_relaxed) ==
	    now_ms)
		return false;
	atomic_store_explicit(&pool->counted_ms, now_ms, memory_order_relaxed);
	return true;
}

static void ask_for_caches(struct cm_pool *pool, uint64_t now_ms)
{
	uint64_t asked = atomic_load_explicit(&pool->flush_asked_ms,
					      memory_order_relaxed);

	if (now_ms - asked < ASK_MS ||
	    !atomic_compare_exchange_strong_explicit(
		    &pool->flush_asked_ms, &asked, now_ms, memory_order_relaxed,
		    memory_order_relaxed))
		return;
	atomic_fetch_add_explicit(&pool->flush_wanted, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&cm_full_flush_wanted, 1,
				  memory_order_release);
}

bool cm_pool_refresh(struct cm_pool *pool, bool count)
{
	const struct cm_thread *thread = &cm_thread;
	uint64_t allowance, margin, now;
	bool out;

	if (!cm_full_is(pool))
		return false;
	now = cm_room_now_ms();
	allowance = atomic_load_explicit(&pool->allowance,
					 memory_order_relaxed);
	margin = cm_pool_margin(pool);
	out = cm_room_is_out(pool);
	/* No memory on its nodes: what it holds free will do, nothing more. */
	if (out)
		allowance = atomic_load_explicit(&pool->used,
						 memory_order_relaxed);
	if ((thread->freed[pool->tier] &&
	     *thread->freed[pool->tier] - thread->freed_when_full[pool->tier] >=
		     margin) ||
	    ((may_count(pool, now) || count) &&
	     cm_pool_in_use(pool) + margin <= allowance)) {
		atomic_store_explicit(&pool->full, false, memory_order_relaxed);
		return true;
	}
	ask_for_caches(pool, now);
	return false;
}

void cm_full_flush_now(struct cm_thread *thread)
{
	thread->flushed = atomic_load_explicit(&cm_full_flush_wanted,
					       memory_order_acquire);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_pool *pool = &cm_pool[t];
		unsigned wanted = atomic_load_explicit(&pool->flush_wanted,
						       memory_order_relaxed);

		if (!thread->attached[t] || thread->flushed_pool[t] == wanted)
			continue;
		thread->flushed_pool[t] = wanted;
		(void)cm_large_flush(t);
		(void)pool->je->mallctl("thread.tcache.flush", NULL, NULL, NULL,
					0);
	}
}
