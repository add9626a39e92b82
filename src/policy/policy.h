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
	unsigned weight[CM_NR_TIERS];	/* policy/turns.h; interleave only */
};

struct cm_policy_view {
	bool full[CM_NR_TIERS];
};

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
