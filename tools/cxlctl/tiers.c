/* SPDX-License-Identifier: BSD-2-Clause */
#include "tiers.h"

#include <string.h>

#include "base/nodeset.h"
#include "sys/sys.h"
#include "topology/drain.h"

/* As the library has it in entry/nodes.c. */
static void find(struct tiers *tiers, const struct cm_settings *settings,
		 enum cm_tier t)
{
	const struct cm_tier_settings *asked = &settings->tier[t];
	struct cm_nodeset *nodes = &tiers->of[t];

	if (asked->nodes_from == CM_NODES_EMULATED)
		return;
	if (asked->nodes_from == CM_NODES_LIST) {
		*nodes = asked->nodes;
		/* SMDK leaves DDR nodes out of exmem_partition_range. */
		if (settings->smdk && t == CM_TIER_CXL)
			cm_nodeset_andnot(nodes,
					  &tiers->topo.tier[CM_TIER_DDR]);
		cm_nodeset_and(nodes, &tiers->usable);
		tiers->missing[t] = cm_nodeset_empty(nodes);
		if (!tiers->missing[t])
			return;
	}
	*nodes = tiers->topo.tier[t];
	cm_nodeset_and(nodes, &tiers->usable);
}

void tiers_read(struct tiers *tiers, const struct cm_settings *settings,
		const char *sysfs)
{
	struct cm_nodeset allowed;

	memset(tiers, 0, sizeof(*tiers));
	cm_topo_read(&tiers->topo, sysfs);
	tiers->usable = tiers->topo.memory;
	if (strcmp(sysfs, "/sys") == 0) {
		/* a filter may refuse the question */
		if (cm_sys_mems_allowed(&allowed) == 0)
			cm_nodeset_and(&tiers->usable, &allowed);
		(void)cm_drain_read(&tiers->drained);
		cm_nodeset_andnot(&tiers->usable, &tiers->drained);
	}
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		find(tiers, settings, t);
}
