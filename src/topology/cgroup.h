/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup - the memory limits the process's control groups set (cgroup v2)
 *
 * Source: Linux Documentation/admin-guide/cgroup-v2.rst. A limit of any
 * ancestor holds for all below, so the smallest on the way up counts. What is
 * above the process's cgroup namespace cannot be seen, and is not known.
 */
#ifndef CM_TOPOLOGY_CGROUP_H
#define CM_TOPOLOGY_CGROUP_H

#include "base/report.h"

/*
 * proc: "/proc" but for tests. Returns 0 and fills out (max and high are
 * CM_NO_LIMIT where none is set), or -errno: no cgroup v2, or none visible.
 */
int cm_cgroup_read(const char *proc, struct cm_report_cgroup *out);

/*
 * What a limit given in percent is a share of: the smallest limit of the
 * cgroups, or the machine's memory where they set none. 0, or -errno: it cannot
 * be told now (no file descriptor is left).
 */
int cm_cgroup_memory(const char *proc, uint64_t *memory);

/*
 * Where the process's own group is mounted, "/sys/fs/cgroup/a/b". 0; -ENOENT:
 * no cgroup v2; -EXDEV: it is one that cannot be seen from here; -ENAMETOOLONG.
 */
int cm_cgroup_path(const char *proc, char *path, size_t size);

#endif
