/* SPDX-License-Identifier: BSD-2-Clause */
#include "resident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nodeset.h"
#include "sys/file.h"

struct reader {
	struct resident *resident;
	const struct cm_page_view *view;
};

/* In whose window an address is; RESIDENT_PARTS: nobody's. */
static unsigned part_of(const struct cm_page_view *view, uint64_t address)
{
	unsigned t;

	for (t = 0; t < CM_NR_TIERS; t++)
		if (address - view->tier[t].window < view->tier[t].window_size)
			return t;
	return address - view->mixed < view->mixed_size ? RESIDENT_MIXED :
							  RESIDENT_PARTS;
}

/* "7f12a000 bind:0 anon=3 dirty=3 N0=2 N1=1 kernelpagesize_kB=4" */
static int take_line(char *line, void *arg)
{
	struct reader *reader = arg;
	unsigned part = part_of(reader->view, strtoull(line, &line, 16));
	const char *size = strstr(line, " kernelpagesize_kB=");
	uint64_t page = size ? strtoull(size + 19, NULL, 10) * KIB : 4 * KIB;

	if (part == RESIDENT_PARTS)
		return 0;
	while ((line = strstr(line, " N"))) {
		char *end;
		unsigned long node = strtoul(line + 2, &end, 10);

		if (end > line + 2 && *end == '=' && node < CM_MAX_NODES)
			reader->resident->bytes[part][node] +=
				strtoull(end + 1, &end, 10) * page;
		line = end > line ? end : line + 2;
	}
	return 0;
}

static void find_misplaced(struct resident *resident,
			   const struct cm_page_view *view, unsigned t)
{
	enum cm_binding binding = view->tier[t].binding;

	if ((binding != CM_BINDING_STRICT && binding != CM_BINDING_PREFERRED) ||
	    cm_nodeset_empty(&resident->nodes[t]))
		return;
	for (unsigned node = 0; node < CM_MAX_NODES; node++)
		if (!cm_nodeset_test(&resident->nodes[t], node))
			resident->misplaced[t] += resident->bytes[t][node];
}

void resident_read(struct resident *resident, const struct live *live)
{
	static char text[65536];
	struct reader reader = { resident, &live->view };
	char path[64];

	*resident = (struct resident){ 0 };
	snprintf(path, sizeof(path), "/proc/self/fd/%d/numa_maps", live->dir);
	resident->err = cm_file_lines(path, text, sizeof(text), take_line,
				      &reader);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		const char *nodes = live->view.tier[t].nodes;

		if (cm_nodeset_parse(&resident->nodes[t], nodes,
				     strlen(nodes)) < 0)
			cm_nodeset_zero(&resident->nodes[t]);
		if (!resident->err)
			find_misplaced(resident, &live->view, t);
	}
}

bool resident_has_node(const struct resident *resident, unsigned node)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (resident->bytes[t][node] ||
		    cm_nodeset_test(&resident->nodes[t], node))
			return true;
	return resident->bytes[RESIDENT_MIXED][node] > 0;
}

bool resident_has_mixed(const struct resident *resident)
{
	for (unsigned node = 0; node < CM_MAX_NODES; node++)
		if (resident->bytes[RESIDENT_MIXED][node])
			return true;
	return false;
}
