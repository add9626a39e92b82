/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed - blocks that lie on both tiers, in the ratio of their weights
 *
 * policy=interleave: a block of at least a huge page comes from a third
 * window, of which each piece (policy/chunk.h) is bound to one of the tiers.
 * Its arenas are the DDR instance's, with hooks of their own, and are reached
 * by mallocx alone: no thread's cache holds such a block, so free finds it
 * outside of both tiers' windows and takes the slow way.
 *
 * What is committed counts towards both tiers' used and limits, each by its
 * bytes of the very range. A tier without room refuses the whole: the caller
 * then takes the block from the other tier, as it does small ones.
 *
 * Where the kernel's weighted interleaving would do just the same, because its
 * weights of all nodes are in our ratio, it does it, page by page: one policy
 * on the whole range. Its weights are the whole system's and root's to change;
 * what it then does differently is not seen here, but in the report's pages.
 * When a node is full it takes others, so placement=strict does without it.
 *
 * A pattern is a pair of weights and its arena. There are few, each is made
 * once and found again, so changing policies back and forth leaks nothing.
 *
 * Synchronization
 *   cm_mixed[]   filled under cm_arena_lock, published by cm_nr_mixed
 *                (release), fixed from then on but for the atomics:
 *   next         hooks, compare and swap: where the next range goes
 *   used         hooks, atomic add; readers relaxed, may lag
 */
#ifndef CM_POOL_MIXED_H
#define CM_POOL_MIXED_H

#include <stdatomic.h>

#include "base/state.h"
#include "policy/chunk.h"
#include "policy/policy.h"
#include "pool/je.h"
#include "pool/place.h"

#define CM_MIXED_MIN	(2 * MIB)
#define CM_MAX_MIXED	32

struct cm_mixed {
	struct cm_extent_hooks hooks;	/* first: container_of() */
	unsigned weight[CM_NR_TIERS];	/* without a common factor */
	struct cm_node_weights nodes;	/* of both tiers, as they were given */
	bool kernel;			/* which interleaves pages itself */
	struct cm_chunks chunks;
	unsigned arena;			/* jemalloc's, in the DDR instance */
	const size_t *nr_active;	/* jemalloc's, in pages; may be NULL */
	_Atomic uintptr_t next;
	_Atomic uint64_t used[CM_NR_TIERS];
};

extern struct cm_mixed cm_mixed[CM_MAX_MIXED] CM_HIDDEN;
extern _Atomic unsigned cm_nr_mixed CM_HIDDEN;

/*
 * size is at least CM_MIXED_MIN, flags are mallocx's alignment and CM_JE_ZERO.
 * NULL: not this policy's or not to be had; take it from one tier. errno is
 * kept.
 */
void *cm_mixed_alloc(const struct cm_policy_snapshot *policy, size_t size,
		     int flags);

/*
 * Resize a mixed block by its own pattern; NULL leaves it as it was. One that
 * would be smaller than CM_MIXED_MIN is for the caller to move: it must not
 * stay, for small blocks enter a thread's cache when they are freed.
 */
void *cm_mixed_realloc(void *p, size_t size);

/* The tier of the byte at p, which is in the window. */
enum cm_tier cm_mixed_tier_at(const void *p);

/* Bytes of a pattern that are committed, and in no block. */
uint64_t cm_mixed_held_free(const struct cm_mixed *m);

/* As cm_pool_in_use, a tier's part. */
uint64_t cm_mixed_in_use(enum cm_tier tier);

/* "arena.0.purge" or "arena.0.decay" of all of them. */
void cm_mixed_each(const char *ctl);

/*
 * A tier's part of what is counted for a pattern as a whole, and of the pages
 * of the kernel's mapping that begins at p: one that is bound is one tier's.
 */
struct cm_part {
	uint64_t part, all;
};

static inline uint64_t cm_part_of(struct cm_part p, uint64_t whole)
{
	return (uint64_t)((unsigned __int128)whole * p.part / p.all);
}

struct cm_part cm_mixed_part_of(const struct cm_mixed *m, enum cm_tier tier);
struct cm_part cm_mixed_part(const void *p, enum cm_tier tier, unsigned node);

/*
 * The kernel's own interleaving by weight, of the nodes of both places; what
 * sys->bind says.
 */
int cm_mixed_bind_kernel(const struct cm_place *place, uintptr_t at,
			 size_t size);

/* A tier was given a limit: no huge pages in what there is from now on. */
void cm_mixed_no_huge_pages(void);

/* For pool/mixed_hooks.c and its callers. */
extern const struct cm_extent_hooks cm_mixed_hooks;
struct cm_mixed *cm_mixed_owner(const void *p);
void cm_mixed_bind_pieces(struct cm_chunks chunks,
			  const unsigned weight[CM_NR_TIERS],
			  const struct cm_place *place, uintptr_t base,
			  uintptr_t start, uintptr_t end);

/* Bind again what was mapped; start and end are anywhere in the window. */
void cm_mixed_rebind(uintptr_t start, uintptr_t end);

#endif
