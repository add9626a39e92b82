/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/line.h"
#include "sys/file.h"
#include "sys/sys.h"
#include "topology/node.h"

static void node_path(char *path, size_t size, const char *sysfs, unsigned node,
		      const char *file)
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
	static const char active[] = "Active(file):";
	static const char slab[] = "SReclaimable:";
	struct cm_node_memory *out = arg;
	const char *name = strchr(line, ' ');
	uint64_t bytes;

	name = name ? strchr(name + 1, ' ') : NULL;
	if (!name)
		return 0;
	name++;
	bytes = strchr(name, ':') ?
			strtoul(strchr(name, ':') + 1, NULL, 10) * KIB :
			0;
	if (!strncmp(name, "MemTotal:", 9))
		out->total = bytes;
	else if (!strncmp(name, "MemFree:", 8))
		out->free = bytes;
	else if (!strncmp(name, active, sizeof(active) - 1))
		out->active_file = bytes;
	else if (!strncmp(name, inactive, sizeof(inactive) - 1) ||
		 !strncmp(name, slab, sizeof(slab) - 1))
		out->droppable += bytes;
	return 0;
}

int cm_node_memory_read(const char *sysfs, unsigned node,
			struct cm_node_memory *out)
{
	char path[128], text[256];

	memset(out, 0, sizeof(*out));
	node_path(path, sizeof(path), sysfs, node, "meminfo");
	return cm_file_lines(path, text, sizeof(text), meminfo_line, out);
}

struct zones {
	_Atomic uint64_t *bytes;
	unsigned node;			/* of the zone being read */
	bool first;			/* it is that node's first zone */
	uint64_t high, managed;		/* pages */
};

/* At "protection: (0, 947, 947)", the last of a zone's lines that matter. */
static void end_zone(struct zones *z, const char *protection)
{
	const char *last = strrchr(protection, ',');
	uint64_t keep = z->high;

	if (last)	/* against requests that may come from any zone */
		keep += strtoul(last + 1, NULL, 10);
	if (keep > z->managed)
		keep = z->managed;
	z->bytes[z->node] += keep * cm_sys_page_size();
}

static int zoneinfo_line(char *line, void *arg)
{
	struct zones *z = arg;
	char *s = line;

	if (!strncmp(line, "Node ", 5)) {
		unsigned long node = strtoul(line + 5, NULL, 10);

		if (node >= CM_MAX_NODES)
			return -1;
		if (node != z->node || z->first)
			z->bytes[node] = 0;
		z->first = false;
		z->node = (unsigned)node;
		z->high = z->managed = 0;
		return 0;
	}
	while (*s == ' ')
		s++;
	if (!strncmp(s, "high ", 5))
		z->high = strtoul(s + 5, NULL, 10);
	else if (!strncmp(s, "managed ", 8))
		z->managed = strtoul(s + 8, NULL, 10);
	else if (!strncmp(s, "protection:", 11))
		end_zone(z, s);
	return 0;
}

int cm_node_reserve_read(const char *path, _Atomic uint64_t bytes[CM_MAX_NODES])
{
	struct zones zones = { .bytes = bytes, .first = true };
	char text[512];

	return cm_file_lines(path, text, sizeof(text), zoneinfo_line, &zones);
}

static uint64_t number(const char *sysfs, unsigned node, const char *file)
{
	char path[256], text[32];

	node_path(path, sizeof(path), sysfs, node, file);
	return cm_file_read(path, text, sizeof(text)) > 0 ?
		       strtoul(text, NULL, 10) :
		       0;
}

void cm_node_speed_read(const char *sysfs, unsigned node,
			struct cm_node_speed *out)
{
#define NUMBER(file) number(sysfs, node, "access0/initiators/" file)
	out->read_latency_ns = NUMBER("read_latency");
	out->write_latency_ns = NUMBER("write_latency");
	out->read_bandwidth_mbs = NUMBER("read_bandwidth");
	out->write_bandwidth_mbs = NUMBER("write_bandwidth");
#undef NUMBER
}
