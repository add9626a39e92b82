/* SPDX-License-Identifier: BSD-2-Clause */
/* tiers - the nodes that a program started from here would have as tiers */
#ifndef CXLCTL_TIERS_H
#define CXLCTL_TIERS_H

#include "base/settings.h"
#include "topology/topo.h"

struct tiers {
	struct cm_topo topo;
	struct cm_nodeset drained;
	struct cm_nodeset usable;	/* with memory, allowed to us, not
					 * being drained */
	struct cm_nodeset of[CM_NR_TIERS];	/* empty: emulated, or no node */
	bool missing[CM_NR_TIERS];	/* none of the nodes an operator named
					 * can be used: those found are */
};

/*
 * sysfs: "/sys", or a tree recorded elsewhere; then what this process may use
 * does not matter.
 */
void tiers_read(struct tiers *tiers, const struct cm_settings *settings,
		const char *sysfs);

#endif
