/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * types - the nouns of the project
 *
 * tier     a class of memory: DDR (near) or CXL (far); an ordered list
 * node     a NUMA node, as the kernel numbers it
 * pool     a tier's memory over a set of nodes: one private jemalloc instance
 * arena    a jemalloc arena; each belongs to one pool
 * extent   a run of pages jemalloc asks a pool for
 * window   the address range a pool's extents live in: a pointer's tier is
 *          its address
 * limit    bytes a tier may have committed, CM_NO_LIMIT for none
 * used     bytes a tier has committed now
 */
#ifndef CM_BASE_TYPES_H
#define CM_BASE_TYPES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cm_tier {
	CM_TIER_DDR,
	CM_TIER_CXL,
	CM_NR_TIERS
};

#define CM_NO_LIMIT	UINT64_MAX

/* The kernel's own bound is MAX_NUMNODES, 1024 on every distribution seen. */
#define CM_MAX_NODES	1024
#define CM_LONG_BITS	(sizeof(unsigned long) * CHAR_BIT)

struct cm_nodeset {
	unsigned long bits[CM_MAX_NODES / (sizeof(unsigned long) * CHAR_BIT)];
};

/* Shares of single nodes, of a tier's or of both tiers' bytes. */
#define CM_MAX_WEIGHTED	64

struct cm_node_weights {
	unsigned nr;			/* 0: nodes have none of their own */
	struct cm_node_weight {
		unsigned short node, weight;
	} of[CM_MAX_WEIGHTED];
};

/*
 * A tier's nodes in groups: memory is taken from the first that has room, and
 * its pages lie on all nodes of that group in turn.
 */
#define CM_MAX_GROUPS		8
#define CM_GROUP_NAME_MAX	16	/* with the NUL */

#define KIB	((uint64_t)1 << 10)
#define MIB	((uint64_t)1 << 20)
#define GIB	((uint64_t)1 << 30)
#define TIB	((uint64_t)1 << 40)

#endif
