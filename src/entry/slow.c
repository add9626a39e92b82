/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "base/state.h"
#include "entry/early.h"
#include "entry/foreign.h"
#include "entry/init.h"
#include "entry/slow.h"
#include "entry/turns.h"
#include "entry/usual.h"
#include "pool/mixed.h"

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

static bool by_turns(void)
{
	return cm_process.policy.id == CM_POLICY_INTERLEAVE;
}

static struct cm_policy_view view_now(void)
{
	struct cm_policy_view view;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		view.full[t] = is_full(t);
	return view;
}

static cm_malloc_fn *route_now(void)
{
	struct cm_policy_view view = view_now();
	int tier;

	if (by_turns() && !view.full[CM_TIER_DDR] && !view.full[CM_TIER_CXL])
		return fast[cm_turns_now(&cm_thread)];
	tier = cm_policy_priority(&cm_process.policy, &view);
	/* All full: blocks this thread freed are still served the fast way. */
	return fast[tier < 0 ? cm_process.policy.order[0] : (unsigned)tier];
}

static void set_route(cm_malloc_fn *route)
{
	/* Every core reads this line: write it only when it changes. */
	if (atomic_load_explicit(&cm_fast.malloc, memory_order_relaxed) !=
	    route)
		atomic_store_explicit(&cm_fast.malloc, route,
				      memory_order_relaxed);
}

void cm_slow_route(void)
{
	set_route(route_now());
}

/* Another thread may take or end the round that was begun for this block. */
#define MAX_ROUNDS	64

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
		uint64_t times;

		if (!limit || limit == CM_NO_LIMIT)
			continue;
		times = size / limit + 1;
		/* Two threads may both find all full: one round is enough. */
		if (times <= UINT64_MAX / 2 / limit && now <= UINT64_MAX / 2 &&
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

/*
 * One pass over the order: tiers that have room, or all. A full one may still
 * have a free block, without growing, and others change what is full meanwhile:
 * so all means all.
 */
static void *try_tiers(const enum cm_tier *order, size_t size, int flags,
		       bool all)
{
	const struct cm_policy_snapshot *policy = &cm_process.policy;

	for (unsigned i = 0; i < policy->nr_order; i++) {
		enum cm_tier tier = order[i];
		void *p;

		if (!all && is_full(tier) &&
		    !cm_pool_refresh(&cm_pool[tier], true))
			continue;
		p = cm_pool_alloc(&cm_pool[tier], size, flags,
				  all || i + 1 == policy->nr_order);
		if (p)
			return p;
	}
	return NULL;
}

/* The policy's order, but for interleave with the tier whose turn it is. */
static const enum cm_tier *order_of(enum cm_tier first)
{
	static const enum cm_tier turns[CM_NR_TIERS][CM_NR_TIERS] = {
		{ CM_TIER_DDR, CM_TIER_CXL },
		{ CM_TIER_CXL, CM_TIER_DDR },
	};

	return by_turns() ? turns[first] : cm_process.policy.order;
}

/* Where a limit may be exceeded, it is now. */
static void *beyond(const enum cm_tier *order, size_t size, int flags)
{
	void *p;

	cm_thread.beyond = true;
	p = try_tiers(order, size, flags, true);
	cm_thread.beyond = false;
	return p;
}

static void *by_policy(enum cm_tier first, size_t size, int flags)
{
	const enum cm_tier *order = order_of(first);
	void *p;

	cm_thread.nr_usual++;
	cm_nodes_watch();
	cm_full_flush(&cm_thread);
	if (by_rounds())
		end_rounds();
	p = try_tiers(order, size, flags, false);
	if (!p)
		p = beyond(order, size, flags);
	for (int i = 0; !p && by_rounds() && was_refused() && i < MAX_ROUNDS;
	     i++) {
		next_round(size);
		p = try_tiers(order, size, flags, true);
	}
	cm_slow_route();
	if (!p)
		errno = ENOMEM;
	return p;
}

/*
 * May this tier serve without a look at the others? Not before the library has
 * started, not when rounds of on_full=interleave may have to end.
 */
static inline bool is_first(enum cm_tier tier)
{
	return cm_process.is_first[tier];
}

void cm_slow_begin(void)
{
	const struct cm_policy_snapshot *policy = &cm_process.policy;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_process.is_first[t] = !by_rounds() &&
					 (by_turns() || policy->order[0] == t);
	cm_slow_route();
}

/* Sizes without a fast path, and what is to be aligned or zeroed. */
static void *usual_alloc(enum cm_tier tier, size_t size, size_t alignment,
			 bool zero)
{
	bool cxl = tier == CM_TIER_CXL;

	if (alignment <= 16) {
		if (zero)
			return cxl ? cm_cxl_calloc(1, size) :
				     cm_ddr_calloc(1, size);
		return cxl ? cm_cxl_own_malloc_default(size) :
			     cm_ddr_own_malloc_default(size);
	}
	if (!zero)
		return cxl ? cm_cxl_aligned_alloc(alignment, size) :
			     cm_ddr_aligned_alloc(alignment, size);
	return NULL;
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

/* policy=interleave: for this block, and for fast paths until the next. */
static enum cm_tier next_turn(void)
{
	enum cm_tier tier = cm_turns_now(&cm_thread);

	if (is_full(tier))
		cm_turns_forgive(tier);
	else
		set_route(fast[tier]);
	return tier;
}

static inline enum cm_tier next_tier(void)
{
	return by_turns() ? next_turn() : cm_process.policy.order[0];
}

/* policy=interleave: a large block lies on both tiers, if both have room. */
static void *mixed(size_t size, int flags)
{
	if (!by_turns())
		return NULL;
	cm_thread.nr_usual++;
	cm_nodes_watch();
	cm_full_flush(&cm_thread);
	return cm_mixed_alloc(&cm_process.policy, size, flags);
}

void *cm_slow_alloc(size_t size, size_t alignment, bool zero)
{
	enum cm_tier tier;
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
	if (unlikely(size >= CM_MIXED_MIN)) {
		p = mixed(size, lg_align(alignment) | (zero ? CM_JE_ZERO : 0));
		if (p)
			return p;
	}
	tier = next_tier();
	if (likely(is_first(tier) && cm_usual(tier))) {
		p = usual_alloc(tier, size, alignment, zero);
		if (likely(p))
			return p;
		cm_usual_failed(tier);
	}
	return by_policy(tier, size,
			 lg_align(alignment) | (zero ? CM_JE_ZERO : 0));
}

void *cm_slow_malloc(size_t size)
{
	return cm_slow_alloc(size, 0, false);
}

/*
 * Without asking the policy? With interleave it always has to be asked. Behind
 * a full tier the next in order serves misses of small sizes by itself; one in
 * CM_CALLS_PER_LOOK looks whether the first has room again.
 */
static inline bool may_serve(enum cm_tier tier, size_t size)
{
	if (unlikely(by_turns()))
		return false;
	return is_first(tier) ||
	       (size <= CM_JE_FAST_MAX && !by_rounds() &&
		atomic_load_explicit(&cm_fast.malloc, memory_order_relaxed) ==
			fast[tier] &&
		cm_thread.nr_usual % CM_CALLS_PER_LOOK != 0);
}

/*
 * The thread's cache of this tier had nothing, or it is time for jemalloc's
 * event. Out of the ordinary, the policy decides anew: the tier may have become
 * full, or one ahead of it may have room again.
 */
void *cm_ddr_malloc_default(size_t size)
{
	if (likely(may_serve(CM_TIER_DDR, size) && cm_usual(CM_TIER_DDR))) {
		void *p = cm_ddr_own_malloc_default(size);

		if (likely(p))
			return p;
		cm_usual_failed(CM_TIER_DDR);
	}
	return cm_slow_alloc(size, 0, false);
}

void *cm_cxl_malloc_default(size_t size)
{
	if (likely(may_serve(CM_TIER_CXL, size) && cm_usual(CM_TIER_CXL))) {
		void *p = cm_cxl_own_malloc_default(size);

		if (likely(p))
			return p;
		cm_usual_failed(CM_TIER_CXL);
	}
	return cm_slow_alloc(size, 0, false);
}
