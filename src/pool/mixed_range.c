/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed_range - ranges that the program maps itself, on both tiers
 *
 * Nothing is known of how many there will be, so each has few pieces and all
 * together an eighth of the budget of mappings; beyond it a range is one
 * tier's. Pieces count from the range's start.
 */
#include <errno.h>

#include "pool/mixed.h"
#include "pool/piece.h"
#include "pool/pool.h"

#define MOST_PIECES	64	/* of one range */

static _Atomic uint64_t nr_pieces;

static unsigned lg_piece(size_t size)
{
	unsigned lg = CM_CHUNK_LG_MIN;

	while (size >> lg > MOST_PIECES)
		lg++;
	return lg;
}

static uint64_t pieces_of(size_t size)
{
	return (size >> lg_piece(size)) + 1;
}

void cm_mixed_split(const struct cm_policy_snapshot *policy, uint64_t size,
		    uint64_t bytes[CM_NR_TIERS])
{
	uint64_t ddr = policy->weight[CM_TIER_DDR];
	uint64_t all = ddr + policy->weight[CM_TIER_CXL];

	bytes[CM_TIER_DDR] = size / all * ddr + size % all * ddr / all;
	bytes[CM_TIER_CXL] = size - bytes[CM_TIER_DDR];
}

int cm_mixed_bind_range(const struct cm_policy_snapshot *policy, void *at,
			size_t size)
{
	const struct cm_chunks pieces = { (unsigned char)lg_piece(size), 63 };
	struct cm_place place[CM_NR_TIERS];
	uint64_t more = pieces_of(size);

	if (atomic_fetch_add_explicit(&nr_pieces, more, memory_order_relaxed) +
		    more >
	    cm_piece_budget() / 8) {
		cm_mixed_unbind_range(size);
		return -ENOSPC;
	}
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_place_get(&cm_pool[t].place, &place[t]);
	cm_mixed_bind_pieces(pieces, policy->weight, place, (uintptr_t)at,
			     (uintptr_t)at, (uintptr_t)at + size);
	return 0;
}

void cm_mixed_unbind_range(size_t size)
{
	atomic_fetch_sub_explicit(&nr_pieces, pieces_of(size),
				  memory_order_relaxed);
}
