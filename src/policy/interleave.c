/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy.h"

/* Of the first n threads, as near to DDR's share as whole numbers go. */
static uint64_t ddr_first(const unsigned weight[CM_NR_TIERS], uint64_t n)
{
	uint64_t sum = (uint64_t)weight[CM_TIER_DDR] + weight[CM_TIER_CXL];

	return (n * weight[CM_TIER_DDR] + sum / 2) / sum;
}

int64_t cm_policy_first_balance(const unsigned weight[CM_NR_TIERS],
				unsigned nth)
{
	return ddr_first(weight, (uint64_t)nth + 1) > ddr_first(weight, nth) ?
		       0 :
		       -1;
}
