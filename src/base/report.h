/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - one look at the process's tiers, for people and for programs
 *
 * Filled by pool/report.c, written by control/emit.c. Sizes are bytes.
 */
#ifndef CM_BASE_REPORT_H
#define CM_BASE_REPORT_H

#include "base/settings.h"
#include "base/types.h"

/* How a tier's extents are tied to its nodes. */
enum cm_binding {
	CM_BINDING_NONE,	/* not asked for: single-tier states */
	CM_BINDING_EMULATED,	/* own window and limit, ordinary memory */
	CM_BINDING_STRICT,	/* MPOL_BIND on every extent */
	CM_BINDING_PREFERRED,	/* MPOL_PREFERRED(_MANY) on every extent */
	CM_BINDING_DENIED,	/* mbind was refused: placement unknown */
	CM_BINDING_OFFLINE,	/* its nodes are gone: takes nothing new */
};

/* Why the process is, or is not, tiered. */
enum cm_state {
	CM_STATE_TIERED,
	CM_STATE_DISABLED,	/* CXLMALLOC_DISABLE=1 */
	CM_STATE_NO_WINDOW,	/* no room in the address space: one tier */
	CM_STATE_SANITIZER,	/* a sanitizer owns malloc: passed through */
};

/* What the process's control groups (v2) allow it, the smallest of all. */
struct cm_report_cgroup {
	bool known;
	uint64_t max, high;		/* CM_NO_LIMIT: none */
	uint64_t current;		/* of the process's own group */
};

struct cm_report_tier {
	enum cm_tier tier;
	enum cm_binding binding;
	struct cm_nodeset nodes;	/* nodes the tier is bound to */
	uint64_t used;			/* committed now */
	uint64_t in_use;		/* in blocks the program holds */
	uint64_t mapped;		/* usable bytes of maps placed here */
	uint64_t cached;		/* committed, held free: used - in_use */
	uint64_t limit;			/* CM_NO_LIMIT: none */
	uint64_t peak;			/* highest used */
	uint64_t over;			/* used beyond the limit now */
	uint64_t over_peak;		/* highest over */
	uint64_t metadata;		/* jemalloc's own, in ordinary memory */
	uint64_t nr_allocs;		/* blocks handed out */
	uint64_t nr_frees;
	uint64_t nr_full;		/* times the tier was found full */
	uint64_t nr_refused;		/* calls of hooks that were refused */
	uint64_t cache_bound;		/* most one thread's cache holds; 0: not
					 * known */
	uint64_t limit_percent;		/* the limit was asked for as a share */
	uint64_t nr_arenas;
	unsigned nr_groups;
	struct cm_group group[CM_MAX_GROUPS];	/* nodes may be none */
	bool resident_known;		/* the kernel told where pages are */
	/* pages * page size of the window resident on each node, by kernel */
	uint64_t resident[CM_MAX_NODES];
	uint64_t misplaced;		/* resident outside nodes; 0 if unbound */
};

struct cm_report {
	int pid;
	const char *version;		/* ours */
	const char *jemalloc_version;
	enum cm_state state;
	unsigned nr_order;
	enum cm_tier order[CM_NR_TIERS];
	const char *policy;		/* in force: priority, interleave ... */
	const char *on_full;		/* fail, spill, interleave, remain */
	struct cm_report_cgroup cgroup;
	struct cm_report_tier tier[CM_NR_TIERS];
};

#endif
