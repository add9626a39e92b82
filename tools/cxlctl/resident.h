/* SPDX-License-Identifier: BSD-2-Clause */
/* resident - where the kernel says that a process's tiers are */
#ifndef CXLCTL_RESIDENT_H
#define CXLCTL_RESIDENT_H

#include "live.h"

/* A part for each tier, then the blocks that lie on both in turn. */
#define RESIDENT_MIXED	CM_NR_TIERS
#define RESIDENT_PARTS	(CM_NR_TIERS + 1)

struct resident {
	int err;		/* -errno of reading numa_maps; the rest is 0 */
	uint64_t bytes[RESIDENT_PARTS][CM_MAX_NODES];
	/* on other nodes than the tier's; 0 if it is bound to none */
	uint64_t misplaced[CM_NR_TIERS];
	struct cm_nodeset nodes[CM_NR_TIERS];	/* as the page says */
};

void resident_read(struct resident *resident, const struct live *live);

/* Something is on this node, or could be. */
bool resident_has_node(const struct resident *resident, unsigned node);
bool resident_has_mixed(const struct resident *resident);

#endif
