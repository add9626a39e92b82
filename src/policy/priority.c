/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy.h"

bool cm_policy_is_elastic(const struct cm_policy_snapshot *snapshot,
			  enum cm_tier tier)
{
	return snapshot->order[snapshot->nr_order - 1] == tier &&
	       (snapshot->on_full == CM_ON_FULL_SPILL ||
		snapshot->on_full == CM_ON_FULL_REMAIN);
}

int cm_policy_priority(const struct cm_policy_snapshot *snapshot,
		       const struct cm_policy_view *view)
{
	for (unsigned i = 0; i < snapshot->nr_order; i++) {
		enum cm_tier tier = snapshot->order[i];

		if (!view->full[tier] || cm_policy_is_elastic(snapshot, tier))
			return (int)tier;
	}
	return CM_POLICY_ALL_FULL;
}
