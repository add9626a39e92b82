/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smdk - what the files of libsmalloc share
 */
#ifndef SM_SMDK_H
#define SM_SMDK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cxlmalloc.h"
#include "smdk_opt_api.h"

#define SM_EXPORT	__attribute__((visibility("default")))

/* A type's number is its tier's. */
_Static_assert((int)SMDK_MEM_NORMAL == (int)CXLM_TIER_DDR &&
		       (int)SMDK_MEM_EXMEM == (int)CXLM_TIER_CXL,
	       "types are tiers");

static inline bool sm_is_type(smdk_memtype_t type)
{
	return type == SMDK_MEM_NORMAL || type == SMDK_MEM_EXMEM;
}

/* As many as the kernel can be built for. */
#define SM_NODES_MAX	1024
#define SM_LONG_BITS	(sizeof(unsigned long) * CHAR_BIT)

struct sm_nodes {
	unsigned long bits[SM_NODES_MAX / SM_LONG_BITS];
};

static inline bool sm_has_node(const struct sm_nodes *nodes, unsigned node)
{
	return node < SM_NODES_MAX &&
	       nodes->bits[node / SM_LONG_BITS] >> node % SM_LONG_BITS & 1;
}

/*
 * "0", "0,2", "1-3", "all" (nodes with memory) -> nodes
 *
 * returns 0, or -1: not such a list, or it is empty
 */
int sm_parse_nodes(const char *text, struct sm_nodes *nodes);

/* A type's nodes; an emulated type has the other's. Returns 0 or -1. */
int sm_nodes_of_type(smdk_memtype_t type, struct sm_nodes *nodes);

/* Are all the nodes of the type? */
bool sm_are_of_type(const struct sm_nodes *nodes, smdk_memtype_t type);

#endif
