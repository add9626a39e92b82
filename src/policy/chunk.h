/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunk - how a range of addresses is cut, and which tier has which piece
 *
 * Pieces of at least a huge page, each with one memory policy: mappings (VMAs)
 * of the kernel, of which a process may have vm.max_map_count, and its own
 * mmap and pthread_create fail when they are used up. So pieces grow with the
 * offset: some number of them in the first zone, and half as many more each
 * time the offset doubles. A piece is within a thousandth of the offset, so a
 * large range is still shared out evenly.
 *
 * Whose a piece is, is Bresenham's line over its number: any run of pieces has
 * of each tier what the weights say, within one piece.
 *
 * All is computed from the address alone. Pure functions.
 */
#ifndef CM_POLICY_CHUNK_H
#define CM_POLICY_CHUNK_H

#include "base/types.h"

#define CM_CHUNK_LG_MIN		21	/* 2 MiB, a huge page */
#define CM_CHUNK_LG_ZONE	32	/* 4 GiB in pieces of that size, at most */

struct cm_chunks {
	unsigned char lg_size;		/* of pieces in the first zone */
	unsigned char lg_zone;		/* the first zone ends here; 63: never */
};

/* Pages that the kernel interleaves by weight: all of one size. */
#define CM_CHUNK_PAGES(lg)	((struct cm_chunks){ (lg), 63 })

struct cm_chunk {
	uint64_t index;
	uint64_t start, size;		/* offsets */
};

/* Pieces of `size` bytes from offset 0 on. */
uint64_t cm_chunk_count(struct cm_chunks chunks, uint64_t size);

/* The finest that make at most `most` pieces of `size` bytes. */
struct cm_chunks cm_chunk_fit(uint64_t size, uint64_t most);

struct cm_chunk cm_chunk_at(struct cm_chunks chunks, uint64_t offset);

/* Of the first `nr` pieces, those that are the first of two with weights. */
static inline uint64_t cm_chunk_share(uint64_t nr, uint64_t weight,
				      uint64_t all)
{
	return (nr * weight + all - 1) / all;
}

enum cm_tier cm_chunk_tier(uint64_t index, const unsigned weight[CM_NR_TIERS]);

/*
 * The node of a tier's n-th piece by the nodes' weights: the same line again,
 * for each node over the pieces that those before it have left.
 */
unsigned cm_chunk_node(uint64_t n, const struct cm_node_weights *weights);

/* Pieces before `index` that are of the same tier as it. */
uint64_t cm_chunk_rank(uint64_t index, const unsigned weight[CM_NR_TIERS]);

/* Each tier's bytes of start..end. */
void cm_chunk_split(struct cm_chunks chunks, const unsigned weight[CM_NR_TIERS],
		    uint64_t start, uint64_t end, uint64_t bytes[CM_NR_TIERS]);

#endif
