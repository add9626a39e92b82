/* SPDX-License-Identifier: BSD-2-Clause */
/* report - a report to write, and a directory to write it into */
#ifndef CM_TEST_SUPPORT_REPORT_H
#define CM_TEST_SUPPORT_REPORT_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "base/report.h"
#include "test.h"

/* Tiered, DDR strict on node 0 and full, CXL preferred on nodes 1 and 2. */
static inline struct cm_report *report(void)
{
	static struct cm_report r;
	struct cm_report_tier *ddr = &r.tier[CM_TIER_DDR];
	struct cm_report_tier *cxl = &r.tier[CM_TIER_CXL];

	r = (struct cm_report){
		.pid = 812,
		.version = "0.1",
		.jemalloc_version = "5.3.1",
		.state = CM_STATE_TIERED,
		.nr_order = 2,
		.order = { CM_TIER_DDR, CM_TIER_CXL },
		.policy = "priority",
		.on_full = "spill",
		.cgroup = { true, 128 * MIB, CM_NO_LIMIT, MIB },
	};
	*ddr = (struct cm_report_tier){
		.tier = CM_TIER_DDR,
		.binding = CM_BINDING_STRICT,
		.used = 64 * MIB,
		.in_use = 60 * MIB,
		.cached = 4 * MIB,
		.limit = 64 * MIB,
		.peak = 64 * MIB,
		.mapped = 5 * MIB / 2,
		.metadata = 3 * MIB / 2,
		.nr_allocs = 1000,
		.nr_frees = 7,
		.nr_full = 1,
		.nr_refused = 3,
		.cache_bound = 4 * MIB,
		.limit_percent = 50,
		.nr_arenas = 4,
		.resident_known = true,
	};
	ddr->resident[0] = 63 * MIB;
	cm_nodeset_set(&ddr->nodes, 0);
	*cxl = (struct cm_report_tier){
		.tier = CM_TIER_CXL,
		.binding = CM_BINDING_PREFERRED,
		.used = 5 * GIB,
		.in_use = 5 * GIB,
		.limit = CM_NO_LIMIT,
		.peak = 6 * GIB,
		.over = 0,
		.over_peak = 1,
		.nr_allocs = UINT64_MAX,
		.nr_arenas = 2,
		.resident_known = true,
		.misplaced = 4096,
	};
	cxl->resident[0] = 4096;
	cxl->resident[1] = 5 * GIB;
	cm_nodeset_set(&cxl->nodes, 1);
	cm_nodeset_set(&cxl->nodes, 2);
	return &r;
}

/* A report of every node, far larger than the buffer. */
static inline struct cm_report *huge_report(void)
{
	struct cm_report *r = report();

	for (unsigned node = 0; node < CM_MAX_NODES; node++) {
		cm_nodeset_set(&r->tier[CM_TIER_DDR].nodes, node);
		r->tier[CM_TIER_DDR].resident[node] = UINT64_MAX - node;
		r->tier[CM_TIER_CXL].resident[node] = UINT64_MAX;
	}
	return r;
}

static char dir[64];

static inline void path_in_dir(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", dir, name);
}

static inline int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_emit.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static inline char *read_file(const char *path)
{
	char *text = calloc(1, 1 << 16);
	int fd = open(path, O_RDONLY);

	assert_non_null(text);
	assert_true(fd >= 0);
	assert_true(read(fd, text, (1 << 16) - 1) >= 0);
	close(fd);
	return text;
}

#endif
