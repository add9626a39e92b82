/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - which tier serves an allocation
 *
 * A policy is a pure function: an immutable snapshot of what the operator
 * asked for, and a view of the tiers as they are, in; a tier out. It runs on
 * slow paths and its answer becomes the route that fast paths read.
 *
 * Synchronization: the snapshot is filled by entry/init.c before the route
 * leaves its slow path and is read-only from then on.
 */
#ifndef CM_POLICY_POLICY_H
#define CM_POLICY_POLICY_H

#include "base/settings.h"

struct cm_policy_snapshot {
	enum cm_policy_id id;
	unsigned nr_order;
	enum cm_tier order[CM_NR_TIERS];
	enum cm_on_full on_full;
	unsigned weight[CM_NR_TIERS];	/* CM_POLICY_INTERLEAVE: not all 0 */
};

struct cm_policy_view {
	bool full[CM_NR_TIERS];
};

/* Weights are at most 1000: no product overflows. */
static inline int64_t cm_policy_bytes(size_t size)
{
	return size < (uint64_t)1 << 48 ? (int64_t)size : (int64_t)1 << 48;
}

/*
 * interleave: by bytes. A thread's balance is what DDR is owed (0 or more) or
 * has had ahead (negative), in bytes times weights; whoever is owed is next.
 * Balances of threads that end are handed on, so that all threads together
 * keep the ratio.
 */
static inline enum cm_tier
cm_policy_interleave(const unsigned weight[CM_NR_TIERS], int64_t *balance,
		     size_t size)
{
	int64_t bytes = cm_policy_bytes(size);

	if (*balance >= 0) {
		*balance -= bytes * (int64_t)weight[CM_TIER_CXL];
		return weight[CM_TIER_DDR] ? CM_TIER_DDR : CM_TIER_CXL;
	}
	*balance += bytes * (int64_t)weight[CM_TIER_DDR];
	return weight[CM_TIER_CXL] ? CM_TIER_CXL : CM_TIER_DDR;
}

/* As if it had not been its turn. */
static inline void cm_policy_interleave_undo(const unsigned weight[CM_NR_TIERS],
					     int64_t *balance,
					     enum cm_tier tier, size_t size)
{
	int64_t bytes = cm_policy_bytes(size);

	*balance += tier == CM_TIER_DDR ? bytes * (int64_t)weight[CM_TIER_CXL] :
					  -bytes * (int64_t)weight[CM_TIER_DDR];
}

/*
 * Where the nth thread begins, so that threads with one block each keep the
 * ratio too.
 */
int64_t cm_policy_first_balance(const unsigned weight[CM_NR_TIERS],
				unsigned nth);

/* No tier of the order has room. */
#define CM_POLICY_ALL_FULL	(-1)

/*
 * priority: the first tier of the order that is not full. When all are:
 * spill and remain give the last tier, which takes it over its limit;
 * fail and interleave give CM_POLICY_ALL_FULL, and the caller refuses or
 * begins the next round.
 */
int cm_policy_priority(const struct cm_policy_snapshot *snapshot,
		       const struct cm_policy_view *view);

/* Does a full last tier take what nobody else would? */
bool cm_policy_is_elastic(const struct cm_policy_snapshot *snapshot,
			  enum cm_tier tier);

#endif
