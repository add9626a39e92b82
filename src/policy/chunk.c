/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/chunk.h"

static unsigned lg(uint64_t x)
{
	return 63 - (unsigned)__builtin_clzll(x);
}

/* Zone 0 ends at 2^lg_zone, and each of the others doubles the offset. */
static unsigned zone_of(struct cm_chunks c, uint64_t offset)
{
	return offset >> c.lg_zone ? lg(offset) - c.lg_zone + 1 : 0;
}

static uint64_t zone_start(struct cm_chunks c, unsigned zone)
{
	return zone ? UINT64_C(1) << (c.lg_zone + zone - 1) : 0;
}

/* The number of its first piece. */
static uint64_t zone_index(struct cm_chunks c, unsigned zone)
{
	uint64_t half = UINT64_C(1) << (c.lg_zone - c.lg_size - 1);

	return zone ? (zone + 1) * half : 0;
}

struct cm_chunk cm_chunk_at(struct cm_chunks c, uint64_t offset)
{
	unsigned zone = zone_of(c, offset);
	uint64_t start = zone_start(c, zone);
	uint64_t nr = (offset - start) >> (c.lg_size + zone);

	return (struct cm_chunk){
		.index = zone_index(c, zone) + nr,
		.start = start + (nr << (c.lg_size + zone)),
		.size = UINT64_C(1) << (c.lg_size + zone),
	};
}

uint64_t cm_chunk_count(struct cm_chunks c, uint64_t size)
{
	return size ? cm_chunk_at(c, size - 1).index + 1 : 0;
}

struct cm_chunks cm_chunk_fit(uint64_t size, uint64_t most)
{
	struct cm_chunks c = { CM_CHUNK_LG_MIN, CM_CHUNK_LG_ZONE };

	while (c.lg_zone > c.lg_size + 1 && cm_chunk_count(c, size) > most)
		c.lg_zone--;
	/* Two in the first zone and still too many: larger from the start. */
	while (c.lg_zone < 62 && cm_chunk_count(c, size) > most) {
		c.lg_zone++;
		c.lg_size++;
	}
	return c;
}

enum cm_tier cm_chunk_tier(uint64_t index, const unsigned weight[CM_NR_TIERS])
{
	uint64_t ddr = weight[CM_TIER_DDR], all = ddr + weight[CM_TIER_CXL];

	return cm_chunk_share(index + 1, ddr, all) >
			       cm_chunk_share(index, ddr, all) ?
		       CM_TIER_DDR :
		       CM_TIER_CXL;
}

uint64_t cm_chunk_rank(uint64_t index, const unsigned weight[CM_NR_TIERS])
{
	uint64_t ddr = weight[CM_TIER_DDR], all = ddr + weight[CM_TIER_CXL];
	uint64_t before = cm_chunk_share(index, ddr, all);

	return cm_chunk_tier(index, weight) == CM_TIER_DDR ? before :
							     index - before;
}

unsigned cm_chunk_node(uint64_t n, const struct cm_node_weights *weights)
{
	uint64_t all = 0, before;
	unsigned i;

	for (i = 0; i < weights->nr; i++)
		all += weights->of[i].weight;
	for (i = 0; i + 1 < weights->nr; i++) {
		before = cm_chunk_share(n, weights->of[i].weight, all);
		if (cm_chunk_share(n + 1, weights->of[i].weight, all) > before)
			break;
		n -= before;
		all -= weights->of[i].weight;
	}
	return weights->of[i].node;
}

/* DDR's bytes of 0..offset */
static uint64_t ddr_below(struct cm_chunks c,
			  const unsigned weight[CM_NR_TIERS], uint64_t offset)
{
	uint64_t ddr = weight[CM_TIER_DDR], all = ddr + weight[CM_TIER_CXL];
	struct cm_chunk last = cm_chunk_at(c, offset);
	unsigned zone = zone_of(c, offset);
	uint64_t bytes = 0;

	for (unsigned z = 0; z <= zone; z++) {
		uint64_t end = z == zone ? last.index : zone_index(c, z + 1);

		bytes += (cm_chunk_share(end, ddr, all) -
			  cm_chunk_share(zone_index(c, z), ddr, all))
			 << (c.lg_size + z);
	}
	if (cm_chunk_tier(last.index, weight) == CM_TIER_DDR)
		bytes += offset - last.start;
	return bytes;
}

void cm_chunk_split(struct cm_chunks c, const unsigned weight[CM_NR_TIERS],
		    uint64_t start, uint64_t end, uint64_t bytes[CM_NR_TIERS])
{
	bytes[CM_TIER_DDR] = ddr_below(c, weight, end) -
			     ddr_below(c, weight, start);
	bytes[CM_TIER_CXL] = end - start - bytes[CM_TIER_DDR];
}
