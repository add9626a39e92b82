/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info - cxlmalloc/info.h: what there is, what is used, what it is like
 *
 * What the system has is asked from the kernel at each call; what the process
 * has, from the words of its pools; where its pages are, from numa_maps.
 */
#include <errno.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "cxlmalloc.h"
#include "base/compiler.h"
#include "base/nodeset.h"
#include "control/emit_form.h"
#include "control/parse.h"
#include "entry/init.h"
#include "entry/nodes.h"
#include "pool/report.h"
#include "topology/node.h"
#include "topology/topo.h"

#define SYSFS "/sys"

_Static_assert(sizeof(((struct cxlm_tier_info *)0)->nodes) ==
		       sizeof(struct cm_nodeset),
	       "a bit for each node");

static bool is_tiered(void)
{
	return cm_init() && cm_process.state == CM_STATE_TIERED;
}

/* Nodes with memory; the one there is where the kernel has no notion of any. */
static void memory_nodes(struct cm_nodeset *nodes)
{
	if (cm_topo_memory_nodes_own(nodes, SYSFS) || cm_nodeset_empty(nodes)) {
		cm_nodeset_zero(nodes);
		cm_nodeset_set(nodes, 0);
	}
}

static void memory_of(unsigned node, struct cm_node_memory *memory)
{
	struct sysinfo info;

	if (cm_node_memory_read(SYSFS, node, memory) == 0 && memory->total)
		return;
	memset(memory, 0, sizeof(*memory));
	if (node || sysinfo(&info))
		return;
	memory->total = (uint64_t)info.totalram * info.mem_unit;
	memory->free = (uint64_t)info.freeram * info.mem_unit;
}

static void add_node(struct cxlm_tier_info *info, unsigned node)
{
	struct cm_node_memory memory;
	struct cm_node_speed speed;

	memory_of(node, &memory);
	info->total += memory.total;
	info->free += memory.free;
	cm_node_speed_read(SYSFS, node, &speed);
#define NEAREST(field, value) \
	if ((value) && (!info->field || (value) < info->field)) \
	info->field = (uint32_t)(value)
	NEAREST(read_latency, speed.read_latency_ns);
	NEAREST(write_latency, speed.write_latency_ns);
#undef NEAREST
	info->read_bandwidth += (uint32_t)speed.read_bandwidth_mbs;
	info->write_bandwidth += (uint32_t)speed.write_bandwidth_mbs;
}

/* A tier's limit leaves room, its nodes have some free: the less of them. */
static uint64_t available(const struct cxlm_tier_info *info)
{
	uint64_t room = UINT64_MAX;

	if (info->limit != CXLM_NO_LIMIT)
		room = info->used < info->limit ? info->limit - info->used : 0;
	return room < info->free ? room : info->free;
}

/* 10 KiB: apart from what is above it on the stack. */
static CM_NOINLINE void of_process(int tier, struct cxlm_tier_info *info,
				   struct cm_nodeset *nodes)
{
	struct cm_report_tier report;

	cm_pool_report_words(&cm_pool[tier], &report);
	cm_pool_report_pages(&cm_pool[tier], &report);
	info->used = report.used;
	info->in_use = report.in_use;
	info->limit = report.limit;
	info->misplaced = report.misplaced;
	for (unsigned node = 0; node < CM_MAX_NODES; node++)
		info->resident += report.resident[node];
	strcpy(info->binding, cm_emit_binding[report.binding]);
	if (is_tiered())
		*nodes = report.nodes;
}

CM_EXPORT int cxlm_tier_info(int tier, struct cxlm_tier_info *info)
{
	struct cxlm_tier_info now = { .limit = CXLM_NO_LIMIT };
	struct cm_nodeset nodes = { { 0 } };
	int saved = errno;
	unsigned node;

	if (tier < 0 || tier >= CM_NR_TIERS || !info ||
	    info->size < sizeof(now)) {
		errno = EINVAL;
		return -1;
	}
	strcpy(now.name, cm_tier_name((enum cm_tier)tier));
	strcpy(now.binding, cm_emit_binding[CM_BINDING_NONE]);
	if (is_tiered())
		cm_nodes_refresh();
	else if (tier == CXLM_TIER_DDR)
		memory_nodes(&nodes);
	if (!cm_process.passed_through)
		of_process(tier, &now, &nodes);
	/* No notion of nodes: then it is that of the machine. */
	if (cm_nodeset_empty(&nodes) &&
	    strcmp(now.binding, cm_emit_binding[CM_BINDING_OFFLINE]) &&
	    is_tiered())
		memory_nodes(&nodes);
	cm_nodeset_for_each(node, &nodes)
		add_node(&now, node);
	memcpy(now.nodes, nodes.bits, sizeof(now.nodes));
	now.available = available(&now);
	now.size = info->size;
	memcpy(info, &now, sizeof(now));
	errno = saved;
	return 0;
}

CM_EXPORT int cxlm_nr_nodes(void)
{
	struct cm_nodeset nodes;
	int saved = errno, nr = 1;
	unsigned node;

	memory_nodes(&nodes);
	cm_nodeset_for_each(node, &nodes)
		nr = (int)node + 1;
	errno = saved;
	return nr;
}

/* The tier that has the node in use; -1: none. */
static int tier_with(unsigned node)
{
	struct cm_place place;

	if (!is_tiered())
		return CXLM_TIER_DDR;
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_place_get(&cm_pool[t].place, &place);
		/* An emulated tier is on the other's nodes. */
		if (place.binding == CM_BINDING_EMULATED && t)
			continue;
		if (cm_nodeset_test(&place.nodes, node) ||
		    (place.binding == CM_BINDING_NONE &&
		     cm_nodeset_empty(&place.nodes)))
			return (int)t;
	}
	return -1;
}

CM_EXPORT int cxlm_node_info(int node, struct cxlm_node_info *info)
{
	struct cxlm_node_info now = { .node = node };
	uint64_t resident[CM_NR_TIERS] = { 0 };
	struct cm_node_memory memory;
	struct cm_node_speed speed;
	struct cm_nodeset nodes;
	int saved = errno;

	if (!info || info->size < sizeof(now)) {
		errno = EINVAL;
		return -1;
	}
	memory_nodes(&nodes);
	if (node < 0 || node >= CM_MAX_NODES ||
	    !cm_nodeset_test(&nodes, (unsigned)node)) {
		errno = ENODEV;
		return -1;
	}
	if (is_tiered())
		cm_nodes_refresh();
	now.tier = tier_with((unsigned)node);
	memory_of((unsigned)node, &memory);
	now.total = memory.total;
	now.free = memory.free;
	if (!cm_process.passed_through)
		(void)cm_pool_resident_on((unsigned)node, resident);
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		now.resident += resident[t];
	cm_node_speed_read(SYSFS, (unsigned)node, &speed);
	now.read_latency = (uint32_t)speed.read_latency_ns;
	now.write_latency = (uint32_t)speed.write_latency_ns;
	now.read_bandwidth = (uint32_t)speed.read_bandwidth_mbs;
	now.write_bandwidth = (uint32_t)speed.write_bandwidth_mbs;
	now.size = info->size;
	memcpy(info, &now, sizeof(now));
	errno = saved;
	return 0;
}
