/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>

#include "entry/turns.h"
#include "policy/turns.h"
#include "pool/thread.h"

/*
 * Every thread writes here: not for each block. Large ones are beyond this
 * anyway, small ones come in caches' fills.
 */
#define ENOUGH (4 * KIB)

/*
 * A thread that is new in a tier gets a cache there, which costs as much as a
 * thousand blocks: one that allocates little has no need of both. Which it
 * begins with goes by all that was taken.
 */
#define FIRST (32 * KIB)

static _Atomic uint64_t taken[CM_NR_TIERS] __attribute__((aligned(64)));

/*
 * weight[t] in bits 32 * t and up. What was taken before the weights were these
 * says nothing of them: a new epoch begins at 0, and threads count into it only
 * what they allocate from their first turn in it.
 */
static _Atomic uint64_t weights;
static _Atomic unsigned epoch;

_Static_assert(CM_NR_TIERS == 2, "two weights in a word");

static void weights_now(unsigned weight[CM_NR_TIERS])
{
	uint64_t both = atomic_load_explicit(&weights, memory_order_relaxed);

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		weight[t] = (uint32_t)(both >> 32 * t);
}

void cm_turns_set(const unsigned weight[CM_NR_TIERS])
{
	uint64_t both = 0;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		both |= (uint64_t)weight[t] << 32 * t;
	if (atomic_exchange(&weights, both) == both)
		return;
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		atomic_store(&taken[t], 0);
	atomic_fetch_add(&epoch, 1);
}

static void join(struct cm_thread *thread)
{
	unsigned now = atomic_load_explicit(&epoch, memory_order_relaxed);

	if (likely(thread->epoch == now))
		return;
	thread->epoch = now;
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		thread->added[t] = thread->allocated[t] ?
					   *thread->allocated[t] :
					   0;
}

static uint64_t not_added(const struct cm_thread *thread, enum cm_tier tier)
{
	return thread->allocated[tier] ?
		       *thread->allocated[tier] - thread->added[tier] :
		       0;
}

static void add(struct cm_thread *thread, enum cm_tier tier, uint64_t bytes)
{
	thread->added[tier] += bytes;
	atomic_fetch_add_explicit(&taken[tier], bytes, memory_order_relaxed);
}

enum cm_tier cm_turns_now(struct cm_thread *thread)
{
	unsigned weight[CM_NR_TIERS];
	uint64_t sum[CM_NR_TIERS];
	enum cm_tier tier, other;

	join(thread);
	weights_now(weight);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		uint64_t more = not_added(thread, t);

		if (more >= ENOUGH)
			add(thread, t, more);
		sum[t] = atomic_load_explicit(&taken[t], memory_order_relaxed);
	}
	tier = cm_turns_next(weight, sum);
	other = tier == CM_TIER_DDR ? CM_TIER_CXL : CM_TIER_DDR;
	if (unlikely(!thread->attached[tier]) && thread->attached[other] &&
	    *thread->allocated[other] < FIRST)
		return other;
	return tier;
}

void cm_turns_forgive(enum cm_tier tier)
{
	enum cm_tier other = tier == CM_TIER_DDR ? CM_TIER_CXL : CM_TIER_DDR;
	uint64_t theirs = atomic_load_explicit(&taken[other],
					       memory_order_relaxed);
	unsigned weight[CM_NR_TIERS];
	uint64_t due, had;

	weights_now(weight);
	if (!weight[other])
		return;
	due = (uint64_t)((unsigned __int128)theirs * weight[tier] /
			 weight[other]);
	had = atomic_load_explicit(&taken[tier], memory_order_relaxed);
	if (due > had)
		(void)atomic_compare_exchange_strong(&taken[tier], &had, due);
}

void cm_turns_leave(struct cm_thread *thread)
{
	join(thread);
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		add(thread, t, not_added(thread, t));
}
