/* SPDX-License-Identifier: BSD-2-Clause */
#include "smdk/smdk.h"

#include <stdio.h>

static const char *const names[] = { "Normal", "ExMem" };

static bool tier_info(smdk_memtype_t type, struct cxlm_tier_info *info)
{
	*info = (struct cxlm_tier_info){ .size = sizeof(*info) };
	return sm_is_type(type) && cxlm_tier_info((int)type, info) == 0;
}

SM_EXPORT size_t s_get_memsize_total(smdk_memtype_t type)
{
	struct cxlm_tier_info info;

	return tier_info(type, &info) ? info.total : 0;
}

/* The one that programs ask often, and that needs nothing of the kernel. */
SM_EXPORT size_t s_get_memsize_used(smdk_memtype_t type)
{
	const char *name = type == SMDK_MEM_NORMAL ? "tier.ddr.in_use" :
						     "tier.cxl.in_use";
	uint64_t used = 0;
	size_t size = sizeof(used);

	if (!sm_is_type(type) || cxlm_ctl(name, &used, &size, NULL, 0) < 0)
		return 0;
	return used;
}

SM_EXPORT size_t s_get_memsize_available(smdk_memtype_t type)
{
	struct cxlm_tier_info info;

	return tier_info(type, &info) ? info.available : 0;
}

static bool node_info(smdk_memtype_t type, int node,
		      struct cxlm_node_info *info)
{
	struct sm_nodes nodes;

	*info = (struct cxlm_node_info){ .size = sizeof(*info) };
	if (!sm_is_type(type))
		return false;
	if (node >= 0 && sm_nodes_of_type(type, &nodes) == 0 &&
	    sm_has_node(&nodes, (unsigned)node) &&
	    cxlm_node_info(node, info) == 0)
		return true;
	fprintf(stderr, "smalloc: node %d is not of type %s\n", node,
		names[type]);
	return false;
}

SM_EXPORT size_t s_get_memsize_node_total(smdk_memtype_t type, int node)
{
	struct cxlm_node_info info;

	return node_info(type, node, &info) ? info.total : 0;
}

SM_EXPORT size_t s_get_memsize_node_available(smdk_memtype_t type, int node)
{
	struct cxlm_node_info info;

	return node_info(type, node, &info) ? info.free : 0;
}

struct unit {
	double bytes;
	const char *name;
};

static struct unit unit_of(char letter)
{
	switch (letter) {
	case 'g':
	case 'G':
		return (struct unit){ 1024.0 * 1024 * 1024, "GB" };
	case 'm':
	case 'M':
		return (struct unit){ 1024.0 * 1024, "MB" };
	case 'k':
	case 'K':
		return (struct unit){ 1024.0, "KB" };
	default:
		return (struct unit){ 1.0, "B" };
	}
}

/* Columns as SMDK has them: scripts read them. */
static void row_end(const struct unit *unit, const uint64_t *bytes, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		fprintf(stderr, " %15.1f%2s", (double)bytes[i] / unit->bytes,
			unit->name);
	fputc('\n', stderr);
}

SM_EXPORT void s_stats_print(char letter)
{
	struct unit unit = unit_of(letter);
	struct cxlm_tier_info info;
	int type;

	fprintf(stderr, "SMDK Memory allocation stats:\n");
	fprintf(stderr, "%8s %17s %17s %17s\n", "Type", "Total", "Used",
		"Available");
	for (type = SMDK_MEM_NORMAL; type <= SMDK_MEM_EXMEM; type++) {
		if (!tier_info((smdk_memtype_t)type, &info))
			continue;
		fprintf(stderr, "%8s", names[type]);
		row_end(&unit,
			(uint64_t[]){ info.total, info.in_use, info.available },
			3);
	}
}

SM_EXPORT void s_stats_node_print(char letter)
{
	struct unit unit = unit_of(letter);
	struct cxlm_node_info info = { .size = sizeof(info) };
	struct sm_nodes nodes;
	int type, node, nr = cxlm_nr_nodes();

	fprintf(stderr, "SMDK Memory allocation stats per node:\n");
	fprintf(stderr, "%8s %6s %17s %17s\n", "Type", "Node", "Total",
		"Available");
	for (type = SMDK_MEM_NORMAL; type <= SMDK_MEM_EXMEM; type++) {
		if (sm_nodes_of_type((smdk_memtype_t)type, &nodes) < 0)
			continue;
		for (node = 0; node < nr; node++) {
			if (!sm_has_node(&nodes, (unsigned)node) ||
			    cxlm_node_info(node, &info) < 0)
				continue;
			fprintf(stderr, "%8s %6d", names[type], node);
			row_end(&unit, (uint64_t[]){ info.total, info.free },
				2);
		}
	}
}
