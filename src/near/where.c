/* SPDX-License-Identifier: BSD-2-Clause */
/* where - the node that has data, and the CPUs near a node */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "near/near.h"
#include "sys/file.h"
#include "sys/sys.h"

/* "0-3,8" of a file; a CPU past our bound is left out */
static void read_cpus(const char *path, struct cm_near_cpus *cpus)
{
	char text[8192], *at = text, *end;
	const size_t bits = sizeof(long) * CHAR_BIT;

	if (cm_file_read(path, text, sizeof(text)) < 0)
		return;
	for (;;) {
		unsigned long from = strtoul(at, &end, 10), to = from;

		if (end == at)
			return;
		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		for (; from <= to && from < CM_NEAR_MAX_CPUS; from++)
			cpus->bits[from / bits] |= 1UL << from % bits;
		if (*end != ',')
			return;
		at = end + 1;
	}
}

static bool keep_allowed(struct cm_near_cpus *cpus,
			 const struct cm_near_cpus *allowed)
{
	bool any = false;

	for (size_t i = 0; i < CM_ARRAY_SIZE(cpus->bits); i++) {
		cpus->bits[i] &= allowed->bits[i];
		any |= cpus->bits[i] != 0;
	}
	return any;
}

/*
 * The nodes at the least distance that is above `over`; 0: there is none. The
 * distances of a node are in the order of the nodes that are online.
 */
static unsigned long at_next_distance(const char *distances, unsigned long over,
				      const struct cm_near_cpus *online,
				      struct cm_near_cpus *nodes)
{
	const size_t bits = sizeof(long) * CHAR_BIT;
	unsigned long least = 0;
	const char *at = distances;
	char *end;

	memset(nodes, 0, sizeof(*nodes));
	for (unsigned n = 0; n < CM_NEAR_MAX_CPUS; n++) {
		unsigned long d;

		if (!(online->bits[n / bits] >> n % bits & 1))
			continue;
		d = strtoul(at, &end, 10);
		if (end == at)
			break;
		at = end;
		if (d <= over || (least && d > least))
			continue;
		if (d != least)
			memset(nodes, 0, sizeof(*nodes));
		least = d;
		nodes->bits[n / bits] |= 1UL << n % bits;
	}
	return least;
}

bool cm_near_cpus_of(const char *sysfs, int node,
		     const struct cm_near_cpus *allowed,
		     struct cm_near_cpus *cpus)
{
	const size_t bits = sizeof(long) * CHAR_BIT;
	struct cm_near_cpus online = { { 0 } }, nodes;
	char path[PATH_MAX], distances[8192];
	unsigned long distance = 0;

	if (node < 0)
		return false;
	snprintf(path, sizeof(path), "%s/devices/system/node/online", sysfs);
	read_cpus(path, &online);
	snprintf(path, sizeof(path), "%s/devices/system/node/node%d/distance",
		 sysfs, node);
	if (cm_file_read(path, distances, sizeof(distances)) < 0)
		return false;
	for (;;) {
		distance = at_next_distance(distances, distance, &online,
					    &nodes);
		if (!distance)
			return false;
		memset(cpus, 0, sizeof(*cpus));
		for (unsigned n = 0; n < CM_NEAR_MAX_CPUS; n++) {
			if (!(nodes.bits[n / bits] >> n % bits & 1))
				continue;
			snprintf(path, sizeof(path),
				 "%s/devices/system/node/node%u/cpulist", sysfs,
				 n);
			read_cpus(path, cpus);
		}
		if (keep_allowed(cpus, allowed))
			return true;
	}
}

int cm_near_node_of(void *const *at, unsigned nr)
{
	int node[CM_NEAR_SAMPLES], most = -1;
	unsigned votes = 0;

	if (nr > CM_NEAR_SAMPLES)
		nr = CM_NEAR_SAMPLES;
	if (!nr || cm_sys_nodes_of(at, nr, node))
		return -1;
	for (unsigned i = 0; i < nr; i++) {
		unsigned same = 0;

		for (unsigned k = 0; k < nr; k++)
			same += node[k] == node[i];
		if (node[i] >= 0 && same > votes) {
			votes = same;
			most = node[i];
		}
	}
	return most;
}

int cm_near_node_of_range(const void *p, size_t len)
{
	void *at[CM_NEAR_SAMPLES];
	unsigned nr = 0;

	for (; nr < CM_NEAR_SAMPLES && nr < len; nr++)
		at[nr] = (char *)p + len / CM_NEAR_SAMPLES * nr;
	return cm_near_node_of(at, nr);
}
