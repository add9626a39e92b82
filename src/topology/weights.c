/* SPDX-License-Identifier: BSD-2-Clause */
#include "topology/weights.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/line.h"
#include "base/nodeset.h"
#include "sys/file.h"
#include "topology/node.h"

#define WEIGHT_MAX	100	/* ratios finer than this are noise */

static uint64_t kernel_weight(const char *sysfs, unsigned node)
{
	char path[128], text[16];
	struct cm_line line;

	cm_line_init(&line, path, sizeof(path), -1);
	cm_line_fmt(&line, "%s/kernel/mm/mempolicy/weighted_interleave/node%u",
		    sysfs, node);
	return cm_file_read(path, text, sizeof(text)) > 0 ?
		       strtoul(text, NULL, 10) :
		       0;
}

static uint64_t bandwidth(const char *sysfs, unsigned node)
{
	struct cm_node_speed speed;

	cm_node_speed_read(sysfs, node, &speed);
	return speed.read_bandwidth_mbs;
}

/* False: some node's is not known, or all are `same` (0: that is fine). */
static bool add_up(const char *sysfs,
		   const struct cm_nodeset nodes[CM_NR_TIERS],
		   uint64_t (*of)(const char *, unsigned), uint64_t same,
		   uint64_t sum[CM_NR_TIERS])
{
	bool differ = !same;
	unsigned node;

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		sum[t] = 0;
		cm_nodeset_for_each(node, &nodes[t]) {
			uint64_t one = of(sysfs, node);

			if (!one)
				return false;
			differ |= one != same;
			sum[t] += one;
		}
		if (!sum[t])
			return false;
	}
	return differ;
}

bool cm_weights_read(const char *sysfs,
		     const struct cm_nodeset nodes[CM_NR_TIERS],
		     unsigned weight[CM_NR_TIERS])
{
	uint64_t sum[CM_NR_TIERS], a, b;

	if (!add_up(sysfs, nodes, kernel_weight, 1, sum) &&
	    !add_up(sysfs, nodes, bandwidth, 0, sum))
		return false;
	a = sum[CM_TIER_DDR];
	b = sum[CM_TIER_CXL];
	/* Small numbers, rounded; no tier that has bandwidth goes without. */
	if (a > WEIGHT_MAX || b > WEIGHT_MAX) {
		uint64_t most = a > b ? a : b;

		a = (a * WEIGHT_MAX + most / 2) / most;
		b = (b * WEIGHT_MAX + most / 2) / most;
	}
	weight[CM_TIER_DDR] = a ? (unsigned)a : 1;
	weight[CM_TIER_CXL] = b ? (unsigned)b : 1;
	return true;
}

/* Two numbers of 1 to 4 digits, not both 0. */
static bool parse_published(const char *text, unsigned weight[CM_NR_TIERS])
{
	unsigned found[CM_NR_TIERS] = { 0 };
	const char *p = text;

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		char *end;

		if (*p < '0' || *p > '9')
			return false;
		found[t] = (unsigned)strtoul(p, &end, 10);
		if (end - p > 4 || *end != (t + 1 < CM_NR_TIERS ? ':' : '\n'))
			return false;
		p = end + 1;
	}
	if (!(found[CM_TIER_DDR] | found[CM_TIER_CXL]))
		return false;
	memcpy(weight, found, sizeof(found));
	return true;
}

bool cm_weights_published(unsigned weight[CM_NR_TIERS])
{
	const char *base = secure_getenv("XDG_RUNTIME_DIR");
	char path[256], text[32];
	struct cm_line line;

	if (getauxval(AT_SECURE))
		return false;
	cm_line_init(&line, path, sizeof(path), -1);
	if (base && base[0] == '/')
		cm_line_fmt(&line, "%s/cxlmalloc/weights", base);
	if (line.len && !line.cut && cm_file_read(path, text, sizeof(text)) > 0)
		return parse_published(text, weight);
	return cm_file_read(CM_WEIGHTS_FILE, text, sizeof(text)) > 0 &&
	       parse_published(text, weight);
}

static unsigned weight_of(const struct cm_node_weights *of, unsigned node)
{
	for (unsigned i = 0; i < of->nr; i++)
		if (of->of[i].node == node)
			return of->of[i].weight;
	return 0;
}

bool cm_weights_are_kernels(const char *sysfs,
			    const struct cm_nodeset nodes[CM_NR_TIERS],
			    const unsigned weight[CM_NR_TIERS],
			    const struct cm_node_weights *of)
{
	uint64_t sum[CM_NR_TIERS] = { 0 }, all = 0, all_of = 0;
	unsigned node;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_nodeset_for_each(node, &nodes[t]) {
			uint64_t one = kernel_weight(sysfs, node);

			if (!one)
				return false;
			sum[t] += one;
			all += one;
			all_of += weight_of(of, node);
		}
	for (unsigned t = 0; of->nr && t < CM_NR_TIERS; t++)
		cm_nodeset_for_each(node, &nodes[t])
			if (kernel_weight(sysfs, node) * all_of !=
			    weight_of(of, node) * all)
				return false;
	return sum[CM_TIER_DDR] && sum[CM_TIER_CXL] &&
	       sum[CM_TIER_DDR] * weight[CM_TIER_CXL] ==
		       sum[CM_TIER_CXL] * weight[CM_TIER_DDR];
}
