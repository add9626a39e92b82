/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>

#include "entry/init.h"
#include "entry/turns.h"
#include "policy/turns.h"
#include "pool/thread.h"

/*
 * Every thread writes here: not for each block. Large ones are beyond this
 * anyway, small ones come in caches' fills.
 */
#define ENOUGH (4 * KIB)

static _Atomic uint64_t taken[CM_NR_TIERS] __attribute__((aligned(64)));

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
	uint64_t sum[CM_NR_TIERS];

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		uint64_t more = not_added(thread, t);

		if (more >= ENOUGH)
			add(thread, t, more);
		sum[t] = atomic_load_explicit(&taken[t], memory_order_relaxed);
	}
	return cm_turns_next(cm_process.policy.weight, sum);
}

void cm_turns_forgive(enum cm_tier tier)
{
	const unsigned *weight = cm_process.policy.weight;
	enum cm_tier other = tier == CM_TIER_DDR ? CM_TIER_CXL : CM_TIER_DDR;
	uint64_t theirs = atomic_load_explicit(&taken[other],
					       memory_order_relaxed);
	uint64_t due = (uint64_t)((unsigned __int128)theirs * weight[tier] /
				  weight[other]);
	uint64_t had = atomic_load_explicit(&taken[tier], memory_order_relaxed);

	if (due > had)
		(void)atomic_compare_exchange_strong(&taken[tier], &had, due);
}

void cm_turns_leave(struct cm_thread *thread)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		add(thread, t, not_added(thread, t));
}
