/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "base/state.h"
#include "entry/early.h"
#include "entry/foreign.h"
#include "entry/init.h"
#include "entry/route.h"
#include "entry/slow.h"
#include "entry/turns.h"
#include "entry/usual.h"
#include "pool/large.h"
#include "pool/mixed.h"
#include "policy/snapshot.h"

/* jemalloc's miss path, weak in the archives (pool/je.h). */
void *cm_ddr_malloc_default(size_t size);
void *cm_cxl_malloc_default(size_t size);

static bool is_full(enum cm_tier tier)
{
	return cm_full_is(&cm_pool[tier]);
}

static bool by_rounds(const struct cm_policy_snapshot *policy)
{
	return policy->on_full == CM_ON_FULL_INTERLEAVE;
}

/* Another thread may take or end the round that was begun for this block. */
#define MAX_ROUNDS	64

/* By a limit or for want of room, not because a map failed. */
static bool was_refused(const struct cm_policy_snapshot *policy)
{
	bool refused = false;

	for (unsigned i = 0; i < policy->nr_order; i++)
		refused |= cm_thread.refused[policy->order[i]];
	return refused;
}

/*
 * on_full=interleave: no tier took the block, so each gets its limit once
 * more, or as often as the block needs.
 */
static void next_round(const struct cm_policy_snapshot *policy, size_t size)
{
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
static void end_rounds(const struct cm_policy_snapshot *policy)
{
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

/* The tiers one allocation may come from, in this order. */
struct choice {
	const struct cm_policy_snapshot *policy;
	enum cm_tier order[CM_NR_TIERS];
	unsigned nr;
};

/*
 * One pass over the order: tiers that have room, or all. A full one may still
 * have a free block, without growing, and others change what is full meanwhile:
 * so all means all.
 */
static void *try_tiers(const struct choice *choice, size_t size, int flags,
		       bool all)
{
	for (unsigned i = 0; i < choice->nr; i++) {
		enum cm_tier tier = choice->order[i];
		void *p;

		if (!all && is_full(tier) &&
		    !cm_pool_refresh(&cm_pool[tier], true))
			continue;
		p = cm_pool_alloc(&cm_pool[tier], size, flags,
				  all || i + 1 == choice->nr);
		if (p)
			return p;
	}
	return NULL;
}

/* The tier to try first: this thread's own wish, or as the policy chooses. */
static enum cm_tier wanted(const struct cm_policy_snapshot *policy, size_t size)
{
	if (unlikely(cm_thread.wants))
		return (enum cm_tier)(cm_thread.wants - 1);
	if (policy->id == CM_POLICY_SIZE)
		return cm_policy_by_size(&policy->sizes, size);
	if (cm_policy_says(CM_WORD_TURNS))
		return cm_turns_now(&cm_thread);
	return policy->order[0];
}

/* Where a limit may be exceeded, it is now. */
static void *beyond(const struct choice *choice, size_t size, int flags)
{
	void *p;

	cm_thread.beyond = true;
	p = try_tiers(choice, size, flags, true);
	cm_thread.beyond = false;
	return p;
}

static void *try_all(const struct cm_policy_snapshot *policy, size_t size,
		     int flags)
{
	struct choice choice = { .policy = policy };
	void *p;

	choice.nr = cm_policy_order(policy, wanted(policy, size), choice.order);
	if (unlikely(cm_thread.only)) {
		choice.nr = 1;
		p = try_tiers(&choice, size, flags, true);
		cm_route_update(policy);
		return p;
	}
	if (by_rounds(policy))
		end_rounds(policy);
	p = try_tiers(&choice, size, flags, false);
	if (!p)
		p = beyond(&choice, size, flags);
	for (int i = 0;
	     !p && by_rounds(policy) && was_refused(policy) && i < MAX_ROUNDS;
	     i++) {
		next_round(policy, size);
		p = try_tiers(&choice, size, flags, true);
	}
	cm_route_update(policy);
	return p;
}

static void *by_policy(size_t size, int flags)
{
	struct cm_snapshot_ticket ticket;
	void *p;

	cm_thread.nr_usual++;
	cm_nodes_watch();
	cm_full_flush(&cm_thread);
	p = try_all(cm_snapshot_enter(&cm_thread, &ticket), size, flags);
	cm_snapshot_leave(&ticket);
	if (!p)
		errno = ENOMEM;
	return p;
}

/* One that waits; policy=interleave has to see each block it counts made. */
static inline void *large(enum cm_tier tier, size_t size)
{
	return cm_large_is(size) && !cm_policy_says(CM_WORD_TURNS) ?
		       cm_large_take(tier, size) :
		       NULL;
}

/* Sizes without a fast path, and what is to be aligned or zeroed. */
static void *usual_alloc(enum cm_tier tier, size_t size, size_t alignment,
			 bool zero)
{
	bool cxl = tier == CM_TIER_CXL;

	if (alignment <= 16) {
		void *p = large(tier, size);

		if (p)
			return zero ? memset(p, 0, size) : p;
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
		cm_route_set(tier);
	return tier;
}

/*
 * Is there a tier that serves without a look at the others? Not before the
 * library has started, not when rounds of on_full=interleave may have to end.
 */
static inline bool one_serves(size_t size, enum cm_tier *tier)
{
	unsigned word = atomic_load_explicit(&cm_policy_word,
					     memory_order_relaxed);

	if (unlikely(cm_thread.wants)) {
		*tier = (enum cm_tier)(cm_thread.wants - 1);
		return word & CM_WORD_USED(*tier) && !(word & CM_WORD_ROUNDS);
	}
	if (word & CM_WORD_TURNS) {
		*tier = next_turn();
		return word & CM_WORD_FIRST(*tier);
	}
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		*tier = (enum cm_tier)t;
		if (word & CM_WORD_FIRST(t) ||
		    (word & CM_WORD_SIZE && !(word & CM_WORD_ROUNDS) &&
		     cm_thread.nr_usual % CM_CALLS_PER_LOOK &&
		     cm_route_is(*tier, size)))
			return true;
	}
	return false;
}

/* policy=interleave: a large block lies on both tiers, if both have room. */
static void *mixed(size_t size, int flags)
{
	struct cm_snapshot_ticket ticket;
	void *p;

	/* Before the policy is asked: it may be another one after this. */
	cm_nodes_watch();
	if (!cm_policy_says(CM_WORD_TURNS) || cm_thread.wants)
		return NULL;
	cm_thread.nr_usual++;
	cm_full_flush(&cm_thread);
	p = cm_mixed_alloc(cm_snapshot_enter(&cm_thread, &ticket), size, flags);
	cm_snapshot_leave(&ticket);
	return p;
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
	if (likely(one_serves(size, &tier) && cm_usual(tier))) {
		p = usual_alloc(tier, size, alignment, zero);
		if (likely(p))
			return p;
		cm_usual_failed(tier);
	}
	return by_policy(size, lg_align(alignment) | (zero ? CM_JE_ZERO : 0));
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
	unsigned word = atomic_load_explicit(&cm_policy_word,
					     memory_order_relaxed);

	if (unlikely(cm_thread.wants))
		return cm_thread.wants == tier + 1 &&
		       word & CM_WORD_USED(tier) && !(word & CM_WORD_ROUNDS);
	if (unlikely(word & CM_WORD_TURNS))
		return false;
	return word & CM_WORD_FIRST(tier) ||
	       ((size <= CM_JE_FAST_MAX || word & CM_WORD_SIZE) &&
		!(word & CM_WORD_ROUNDS) &&
		cm_thread.nr_usual % CM_CALLS_PER_LOOK &&
		cm_route_is(tier, size));
}

/*
 * The thread's cache of this tier had nothing, or it is time for jemalloc's
 * event. Out of the ordinary, the policy decides anew: the tier may have become
 * full, or one ahead of it may have room again.
 */
void *cm_ddr_malloc_default(size_t size)
{
	if (likely(may_serve(CM_TIER_DDR, size) && cm_usual(CM_TIER_DDR))) {
		void *p = large(CM_TIER_DDR, size);

		if (!p)
			p = cm_ddr_own_malloc_default(size);
		if (likely(p))
			return p;
		cm_usual_failed(CM_TIER_DDR);
	}
	return cm_slow_alloc(size, 0, false);
}

void *cm_cxl_malloc_default(size_t size)
{
	if (likely(may_serve(CM_TIER_CXL, size) && cm_usual(CM_TIER_CXL))) {
		void *p = large(CM_TIER_CXL, size);

		if (!p)
			p = cm_cxl_own_malloc_default(size);
		if (likely(p))
			return p;
		cm_usual_failed(CM_TIER_CXL);
	}
	return cm_slow_alloc(size, 0, false);
}
