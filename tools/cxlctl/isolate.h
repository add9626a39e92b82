/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isolate - a control group (cgroup v2) for one command
 *
 * It is made below cxlctl's own group. The kernel gives a group's children the
 * controllers cpuset and memory only while the group itself holds no process
 * (Linux Documentation/admin-guide/cgroup-v2.rst, "No Internal Process
 * Constraint"; the root is exempt): where cxlctl is the only one in it, it
 * steps aside into a second group for that time.
 */
#ifndef CXLCTL_ISOLATE_H
#define CXLCTL_ISOLATE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#define ISOLATE_NR	2	/* controllers: cpuset, memory */

struct isolate {
	char own[PATH_MAX];	/* the group cxlctl was started in */
	char group[PATH_MAX];	/* the command's */
	char aside[PATH_MAX];	/* cxlctl's meanwhile; "": its own */
	bool enabled[ISOLATE_NR];	/* by us, for own's children */
};

/*
 * proc: "/proc" but for tests. mems may be empty, max CM_NO_LIMIT: not set.
 * 0; -1: nothing is left of it, and one line on stderr says why.
 */
int isolate_begin(struct isolate *iso, const char *proc,
		  const struct cm_nodeset *mems, uint64_t max);

/* This process is in the group from here on; -1: said. */
int isolate_join(const struct isolate *iso);

/*
 * Undo it all. patient: wait as long as processes are in the group; else a
 * moment only, which a process that has just ended may need.
 * 0; -EBUSY: it has processes, nothing was undone.
 */
int isolate_end(struct isolate *iso, bool patient);

#endif
