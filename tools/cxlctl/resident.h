/* SPDX-License-Identifier: BSD-2-Clause */
/* resident - where the kernel says that a process's tiers are */
#ifndef CXLCTL_RESIDENT_H
#define CXLCTL_RESIDENT_H

#include "live.h"

struct resident {
	int err;		/* -errno of reading numa_maps; the rest is 0 */
	uint64_t bytes[CM_NR_TIERS][CM_MAX_NODES];
	/* on other nodes than the tier's; 0 if it is bound to none */
	uint64_t misplaced[CM_NR_TIERS];
	struct cm_nodeset nodes[CM_NR_TIERS];	/* as the page says */
};

void resident_read(struct resident *resident, const struct live *live);

/* Something of any tier is on this node, or could be. */
bool resident_has_node(const struct resident *resident, unsigned node);

#endif
