/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/line.h"
#include "sys/file.h"
#include "topology/node.h"

static void node_path(char *path, size_t size, const char *sysfs,
		      unsigned node, const char *file)
{
	struct cm_line line;

	cm_line_init(&line, path, size, -1);
	cm_line_fmt(&line, "%s/devices/system/node/node%u/%s", sysfs, node,
		    file);
}

/* "Node 0 MemFree:         123456 kB" */
static int meminfo_line(char *line, void *arg)
{
	static const char inactive[] = "Inactive(file):";
	static const char slab[] = "SReclaimable:";
	struct cm_node_memory *out = arg;
	const char *name = strchr(line, ' ');
	uint64_t bytes;

	name = name ? strchr(name + 1, ' ') : NULL;
	if (!name)
		return 0;
	name++;
	bytes = strchr(name, ':') ?
		strtoul(strchr(name, ':') + 1, NULL, 10) * KIB : 0;
	if (!strncmp(name, "MemTotal:", 9))
		out->total = bytes;
	else if (!strncmp(name, "MemFree:", 8))
		out->free = bytes;
	else if (!strncmp(name, inactive, sizeof(inactive) - 1) ||
		 !strncmp(name, slab, sizeof(slab) - 1))
		out->droppable += bytes;
	return 0;
}

int cm_node_memory_read(const char *sysfs, unsigned node,
			struct cm_node_memory *out)
{
	char path[256];

	memset(out, 0, sizeof(*out));
	node_path(path, sizeof(path), sysfs, node, "meminfo");
	return cm_file_lines(path, meminfo_line, out);
}

static uint64_t number(const char *sysfs, unsigned node, const char *file)
{
	char path[256], text[32];

	node_path(path, sizeof(path), sysfs, node, file);
	return cm_file_read(path, text, sizeof(text)) > 0 ?
		strtoul(text, NULL, 10) : 0;
}

void cm_node_speed_read(const char *sysfs, unsigned node,
			struct cm_node_speed *out)
{
	out->read_latency_ns = number(sysfs, node,
				      "access0/initiators/read_latency");
	out->read_bandwidth_mbs = number(sysfs, node,
					 "access0/initiators/read_bandwidth");
}
