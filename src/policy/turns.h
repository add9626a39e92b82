/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turns - policy=interleave: whose bytes are next
 *
 * What the process has taken from each tier is compared with the weights
 * whenever a thread comes by a slow path with some more: at misses of its cache,
 * and at least once every 64 KiB it allocates. Until then all stay with one
 * tier: nothing is counted per block, fast paths are those of a single tier, and
 * neighbours in time are neighbours in a tier. The ratio is that of the bytes,
 * whatever call they came from, within 64 KiB a thread.
 */
#ifndef CM_POLICY_TURNS_H
#define CM_POLICY_TURNS_H

#include "base/types.h"

/* taken: bytes so far, of all blocks there have ever been. */
static inline enum cm_tier cm_turns_next(const unsigned weight[CM_NR_TIERS],
					 const uint64_t taken[CM_NR_TIERS])
{
	return (unsigned __int128)taken[CM_TIER_DDR] * weight[CM_TIER_CXL] <=
			       (unsigned __int128)taken[CM_TIER_CXL] *
				       weight[CM_TIER_DDR] ?
		       CM_TIER_DDR :
		       CM_TIER_CXL;
}

#endif
