/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "base/state.h"
#include "entry/early.h"
#include "entry/foreign.h"
#include "entry/init.h"
#include "entry/nodes.h"
#include "entry/slow.h"
#include "pool/full.h"
#include "pool/thread.h"

/* jemalloc's miss path, weak in the archives (pool/je.h). */
void *cm_ddr_malloc_default(size_t size);
void *cm_cxl_malloc_default(size_t size);

/* What cm_fast.malloc is while a tier is next. */
static cm_malloc_fn *const fast[CM_NR_TIERS] = {
	[CM_TIER_DDR] = cm_ddr_malloc,
	[CM_TIER_CXL] = cm_cxl_malloc,
};

static bool is_full(enum cm_tier tier)
{
	return cm_full_is(&cm_pool[tier]);
}

static struct cm_policy_view view_now(void)
{
	struct cm_policy_view view;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		view.full[t] = is_full(t);
	return view;
}

void cm_slow_route(void)
{
	struct cm_policy_view view = view_now();
	int tier = cm_policy_priority(&cm_process.policy, &view);
	/* All full: blocks this thread freed are still served the fast way. */
	cm_malloc_fn *route =
		fast[tier < 0 ? cm_process.policy.order[0] : (unsigned)tier];

	/* Every core reads this line: write it only when it changes. */
	if (atomic_load_explicit(&cm_fast.malloc, memory_order_relaxed) !=
	    route)
		atomic_store_explicit(&cm_fast.malloc, route,
				      memory_order_relaxed);
}

/* Another thread may take or end the round that was begun for this block. */
#define MAX_ROUNDS	8

static bool by_rounds(void)
{
	return cm_process.policy.on_full == CM_ON_FULL_INTERLEAVE;
}

/* By a limit or for want of room, not because a map failed. */
static bool was_refused(void)
{
	const struct cm_policy_snapshot *policy = &cm_process.policy;
	bool refused = false;

	for (unsigned i = 0; i < policy->nr_order; i++)
		refused |= cm_thread.refused[policy->order[i]];
	return refused;
}

/*
 * on_full=interleave: no tier took the block, so each gets its limit once
 * more, or as often as the block needs.
 */
static void next_round(size_t size)
{
	const struct cm_policy_snapshot *policy = &cm_process.policy;

	for (unsigned i = 0; i < policy->nr_order; i++) {
		struct cm_pool *pool = &cm_pool[policy->order[i]];
		uint64_t limit = atomic_load_explicit(&pool->limit,
						      memory_order_relaxed);
		uint64_t now = atomic_load_explicit(&pool->allowance,
						    memory_order_relaxed);
		uint64_t times = limit ? size / limit + 1 : 0;

		/* Two threads may both find all full: one round is enough. */
		if (limit != CM_NO_LIMIT && times <= UINT64_MAX / 2 / limit &&
		    now <= UINT64_MAX / 2 &&
		    atomic_compare_exchange_strong(&pool->allowance, &now,
						   now + times * limit))
			atomic_store_explicit(&pool->full, false,
					      memory_order_relaxed);
	}
}

/* Rounds that are no longer needed end: the limits hold again. */
static void end_rounds(void)
{
	const struct cm_policy_snapshot *policy = &cm_process.policy;

	for (unsigned i = 0; i < policy->nr_order; i++) {
		struct cm_pool *pool = &cm_pool[policy->order[i]];
		uint64_t limit = atomic_load_explicit(&pool->limit,
						      memory_order_relaxed);

		/* By a margin: another thread may be about to use its round. */
		if (atomic_load_explicit(&pool->used, memory_order_relaxed) +
			    cm_pool_margin(pool) >
		    limit)
			return;
	}
	for (unsigned i = 0; i < policy->nr_order; i++) {
		struct cm_pool *pool = &cm_pool[policy->order[i]];

		atomic_store_explicit(
			&pool->allowance,
			atomic_load_explicit(&pool->limit,
					     memory_order_relaxed),
			memory_order_relaxed);
	}
}

/* One pass over the order: tiers that have room, or those that do not. */
static void *try_tiers(size_t size, int flags, bool full)
{
	const struct cm_policy_snapshot *policy = &cm_process.policy;

	for (unsigned i = 0; i < policy->nr_order; i++) {
		enum cm_tier tier = policy->order[i];
		bool skip = is_full(tier) &&
			    !cm_policy_is_elastic(policy, tier) &&
			    !cm_pool_refresh(&cm_pool[tier], false);
		void *p;

		if (skip != full)
			continue;
		p = cm_pool_alloc(&cm_pool[tier], size, flags);
		if (p)
			return p;
	}
	return NULL;
}

static void *by_policy(size_t size, int flags)
{
	void *p;

	cm_nodes_watch();
	cm_full_flush(&cm_thread);
	if (by_rounds())
		end_rounds();
	p = try_tiers(size, flags, false);
	/* Full tiers may still have a free block, without growing. */
	if (!p)
		p = try_tiers(size, flags, true);
	for (int i = 0; !p && by_rounds() && was_refused() && i < MAX_ROUNDS;
	     i++) {
		next_round(size);
		p = try_tiers(size, flags, false);
	}
	cm_slow_route();
	if (!p)
		errno = ENOMEM;
	return p;
}

/*
 * The usual case, for sizes that have no fast path and caches that are empty:
 * the first tier of the order is the one in use. NULL: go the whole way, where
 * a tier that was full is looked at again.
 */
static inline void *quick(size_t size, int flags)
{
	cm_malloc_fn *route = atomic_load_explicit(&cm_fast.malloc,
						   memory_order_relaxed);
	enum cm_tier tier = cm_process.policy.order[0];
	struct cm_thread *thread = &cm_thread;
	struct cm_pool *pool = &cm_pool[tier];
	void *p;

	if (unlikely(route != fast[tier] || is_full(tier) || by_rounds() ||
		     !(thread->attached[tier] || pool->single) ||
		     cm_full_knows(pool, thread, size, flags)))
		return NULL;
	cm_nodes_watch();
	cm_full_flush(thread);
	thread->refused[tier] = false;
	p = tier == CM_TIER_CXL ? cm_cxl_mallocx(size, flags) :
				  cm_ddr_mallocx(size, flags);
	if (unlikely(p && !cm_window_has(tier, p))) {
		pool->je->dallocx(p, CM_JE_TCACHE_NONE);
		return NULL;
	}
	return p;
}

static int lg_align(size_t alignment)
{
	return alignment > 1 ? CM_JE_LG_ALIGN(__builtin_ctzl(alignment)) : 0;
}

static void *passed_through(size_t size, size_t alignment, bool zero)
{
	const struct cm_next *next = cm_next();
	void *p;

	if (zero && alignment <= 16)
		return next->calloc(1, size);
	if (alignment <= 16)
		return next->malloc(size);
	p = next->memalign(alignment, size);
	return p && zero ? memset(p, 0, size) : p;
}

void *cm_slow_alloc(size_t size, size_t alignment, bool zero)
{
	int flags;
	void *p;

	if (unlikely(size > PTRDIFF_MAX || alignment > PTRDIFF_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	if (unlikely(atomic_load_explicit(&cm_process.life,
					  memory_order_acquire) !=
		     CM_LIFE_READY) &&
	    !cm_init()) {
		p = cm_early_alloc(size, alignment);
		if (!p)
			errno = ENOMEM;
		return p;
	}
	if (unlikely(cm_process.passed_through))
		return passed_through(size, alignment, zero);
	if (unlikely(!size))
		size = 1;
	flags = lg_align(alignment) | (zero ? CM_JE_ZERO : 0);
	p = quick(size, flags);
	return likely(p) ? p : by_policy(size, flags);
}

void *cm_slow_malloc(size_t size)
{
	return cm_slow_alloc(size, 0, false);
}

/*
 * The thread's cache of this tier had nothing. The policy decides anew: the
 * tier may have become full, or one ahead of it may have room again.
 */
void *cm_ddr_malloc_default(size_t size)
{
	return cm_slow_alloc(size, 0, false);
}

void *cm_cxl_malloc_default(size_t size)
{
	return cm_slow_alloc(size, 0, false);
}

/* The pool a block came from, or NULL. */
static struct cm_pool *owner(const void *p)
{
	if (cm_early_owns(p) || cm_process.passed_through)
		return NULL;
	if (cm_process.state == CM_STATE_NO_WINDOW)
		return &cm_pool[CM_TIER_DDR];
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_window_has(t, p))
			return &cm_pool[t];
	return NULL;
}

void cm_slow_free(void *p)
{
	struct cm_pool *pool;
	int saved;

	if (!p || cm_early_owns(p))
		return;
	if (unlikely(atomic_load_explicit(&cm_process.life,
					  memory_order_acquire) !=
		     CM_LIFE_READY) &&
	    !cm_init())
		return;		/* not ours, and too early to find its owner */
	saved = errno;
	pool = owner(p);
	if (pool)
		pool->je->dallocx(p, 0);
	else if (cm_process.passed_through)
		cm_next()->free(p);
	else
		cm_foreign_free(p);
	errno = saved;
}

size_t cm_slow_usable_size(void *p)
{
	struct cm_pool *pool;

	if (!p)
		return 0;
	if (cm_early_owns(p))
		return cm_early_size(p);
	pool = owner(p);
	if (pool)
		return pool->je->usable_size(p);
	return cm_process.passed_through ? cm_next()->usable_size(p) :
					   cm_foreign_size(p);
}

/* To another tier or another allocator: only after the copy is the old freed. */
static void *move(void *p, size_t size)
{
	size_t old = cm_slow_usable_size(p);
	void *q;

	/* A foreign block of unknown size cannot be copied. */
	if (!old && !cm_early_owns(p)) {
		errno = ENOMEM;
		return NULL;
	}
	q = cm_slow_alloc(size, 0, false);
	if (q) {
		memcpy(q, p, old < size ? old : size);
		cm_slow_free(p);
	}
	return q;
}

void *cm_slow_realloc(void *p, size_t size)
{
	struct cm_pool *pool;
	void *q;

	if (unlikely(size > PTRDIFF_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	if (cm_process.passed_through && !cm_early_owns(p))
		return cm_next()->realloc(p, size);
	pool = owner(p);
	if (!pool)
		return move(p, size);
	q = cm_pool_realloc(pool, p, size);
	if (likely(q))
		return q;
	/* Its tier has no room: elsewhere, if the policy knows a place. */
	return pool->single ? (errno = ENOMEM, NULL) : move(p, size);
}
