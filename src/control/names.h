/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names - what cxlm_ctl knows by name
 *
 * Of a process, as in the report's JSON; of its tiers, figures.def; of options,
 * options.def: a row there is a name here. Pure: no value is looked at.
 */
#ifndef CM_CONTROL_NAMES_H
#define CM_CONTROL_NAMES_H

#include "base/types.h"

/* As in struct cxlm_ctl_info. */
#define CM_NAME_MAX	64

enum cm_name_of {
	CM_NAME_PID,
	CM_NAME_VERSION,
	CM_NAME_JEMALLOC,
	CM_NAME_STATE,
	CM_NAME_POLICY,
	CM_NAME_ORDER,
	CM_NAME_ON_FULL,
	CM_NAME_CGROUP_CURRENT,
	CM_NAME_CGROUP_MAX,
	CM_NAME_CGROUP_HIGH,
	CM_NAME_CONF,
	CM_NAME_BINDING,	/* these have a tier */
	CM_NAME_NODES,
	CM_NAME_FIGURE,
	CM_NAME_RESIDENT,
	CM_NAME_OPTION,
};

struct cm_name {
	enum cm_name_of of;
	enum cm_tier tier;
	unsigned id;		/* row of figures.def or options.def, or node */
	bool is_text;		/* else a uint64_t */
	bool writable;
};

/* 0 or -ENOENT. A node is any below CM_MAX_NODES. */
int cm_name_find(const char *text, struct cm_name *name);

/*
 * The names there are, from 0 on, `nodes` those that resident is told of. 0 and
 * the text, or -ENOENT behind the last.
 */
int cm_name_nth(unsigned index, const struct cm_nodeset *nodes,
		struct cm_name *name, char text[CM_NAME_MAX]);

#endif
