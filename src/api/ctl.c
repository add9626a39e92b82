/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ctl - cxlmalloc/ctl.h: one value by its name, read and written
 *
 * Settings are read and written by whoever holds the claim that looks have
 * (entry/nodes.h), so that a request of cxlctl's and one of the program's are
 * never in the middle of each other. All else is words of the pools, or asked
 * from jemalloc or the kernel: figures.def says which.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cxlmalloc.h"
#include "base/compiler.h"
#include "base/line.h"
#include "base/nodeset.h"
#include "control/emit_form.h"
#include "control/figures.h"
#include "control/names.h"
#include "control/option.h"
#include "entry/init.h"
#include "entry/live.h"
#include "entry/nodes.h"
#include "map/map.h"
#include "policy/snapshot.h"
#include "pool/report.h"
#include "pool/thread.h"
#include "topology/cgroup.h"
#include "topology/topo.h"

_Static_assert(sizeof(((struct cxlm_ctl_info *)0)->name) == CM_NAME_MAX,
	       "one length");

/* Every option with its value; rules are the longest. */
#define TEXT_MAX	(8 * 1024)

/* Where a value goes; size is that of `at`, len what the value has. */
struct out {
	void *at;
	size_t size, len;
};

static int put(struct out *out, const void *value, size_t len)
{
	out->len = len;
	if (out->at && out->size < len)
		return -ERANGE;
	if (out->at)
		memcpy(out->at, value, len);
	return 0;
}

/* --- numbers --------------------------------------------------------------- */

/* 10 KiB and, for pages, 8 KiB more: not in the frame of a string's. */
static CM_NOINLINE int figure(const struct cm_name *name, uint64_t *value)
{
	const struct cm_figure *row = &cm_figures[name->id];
	struct cm_pool *pool = &cm_pool[name->tier];
	const struct cm_policy_snapshot *policy;
	struct cm_snapshot_ticket ticket;
	struct cm_report_tier tier;

	if (cm_process.passed_through) {
		memset(&tier, 0, sizeof(tier));
		tier.limit = CM_NO_LIMIT;
	} else {
		cm_pool_report_words(pool, &tier);
	}
	if (!cm_process.passed_through && row->cost == CM_FIGURE_STATISTICS)
		cm_pool_report_statistics(pool, &tier);
	if (!cm_process.passed_through && row->cost == CM_FIGURE_KERNEL)
		cm_pool_report_pages(pool, &tier);
	if (cm_process.state == CM_STATE_TIERED)
		tier.mapped = cm_map_mapped(name->tier);
	policy = cm_snapshot_enter(&cm_thread, &ticket);
	tier.limit_percent = policy->limit_percent[name->tier];
	cm_snapshot_leave(&ticket);
	*value = cm_figure_of(row, &tier);
	if (row->cost == CM_FIGURE_KERNEL && !tier.resident_known)
		return -ENODATA;
	return row->kind == CM_FIGURE_KNOWN && !*value ? -ENODATA : 0;
}

static CM_NOINLINE int resident(const struct cm_name *name, uint64_t *value)
{
	uint64_t bytes[CM_NR_TIERS];
	struct cm_nodeset nodes;
	int err = 0;

	*value = 0;
	if (cm_process.state == CM_STATE_TIERED ||
	    cm_process.state == CM_STATE_DISABLED)
		err = cm_pool_resident_on(name->id, bytes);
	else
		err = -ENODATA;
	if (err)
		return -ENODATA;
	*value = bytes[name->tier];
	if (*value || cm_topo_memory_nodes_own(&nodes, "/sys") ||
	    cm_nodeset_test(&nodes, name->id))
		return 0;
	return -ENOENT;
}

static int of_cgroup(enum cm_name_of of, uint64_t *value)
{
	struct cm_report_cgroup cgroup = { 0 };

	if (cm_cgroup_read("/proc", &cgroup) || !cgroup.known)
		return -ENODATA;
	*value = of == CM_NAME_CGROUP_CURRENT ? cgroup.current :
		 of == CM_NAME_CGROUP_MAX     ? cgroup.max :
						cgroup.high;
	return 0;
}

static int get_number(const struct cm_name *name, struct out *out)
{
	uint64_t value = 0;
	int err = 0;

	if (name->of == CM_NAME_FIGURE)
		err = figure(name, &value);
	else if (name->of == CM_NAME_RESIDENT)
		err = resident(name, &value);
	else if (name->of == CM_NAME_PID)
		value = (uint64_t)getpid();
	else
		err = of_cgroup(name->of, &value);
	return err ? err : put(out, &value, sizeof(value));
}

/* --- text ------------------------------------------------------------------ */

static void put_order(struct cm_line *line,
		      const struct cm_policy_snapshot *policy)
{
	for (unsigned i = 0; i < policy->nr_order; i++)
		cm_line_fmt(line, "%s%s", i ? ":" : "",
			    cm_tier_name(policy->order[i]));
}

/* What is in force, which is not always what was asked for. */
static void put_policy(struct cm_line *line, enum cm_name_of of)
{
	const struct cm_policy_snapshot *policy;
	struct cm_snapshot_ticket ticket;

	policy = cm_snapshot_enter(&cm_thread, &ticket);
	if (of == CM_NAME_ORDER)
		put_order(line, policy);
	else if (of == CM_NAME_POLICY)
		cm_emit_text(line, cm_option_word(CM_OPT_POLICY, policy->id));
	else
		cm_emit_text(line,
			     cm_option_word(CM_OPT_ON_FULL, policy->on_full));
	cm_snapshot_leave(&ticket);
}

static void put_place(struct cm_line *line, const struct cm_name *name)
{
	char nodes[CM_NODESET_TEXT_MAX];
	struct cm_place place;

	cm_place_get(&cm_pool[name->tier].place, &place);
	if (name->of == CM_NAME_BINDING) {
		cm_emit_text(line, cm_emit_binding[place.binding]);
		return;
	}
	(void)cm_nodeset_format(&place.nodes, nodes, sizeof(nodes));
	cm_emit_text(line, nodes);
}

/* Options that may change first, as cxlctl policy get has them. */
static void put_conf(struct cm_line *line)
{
	for (int live = 1; live >= 0; live--) {
		for (int id = 0; id < CM_NR_OPTIONS; id++) {
			if ((int)(cm_options_live >> id & 1) != live)
				continue;
			cm_line_fmt(line, "%s%s=", line->len ? "," : "",
				    cm_options[id].key);
			cm_option_format(line, &cm_process.settings, id);
		}
	}
}

static CM_NOINLINE int get_text(const struct cm_name *name, struct out *out)
{
	char text[TEXT_MAX];
	struct cm_line line;

	cm_line_init(&line, text, sizeof(text), -1);
	text[0] = '\0';
	switch (name->of) {
	case CM_NAME_VERSION:
		cm_emit_text(&line, PACKAGE_VERSION);
		break;
	case CM_NAME_JEMALLOC:
		cm_emit_text(&line, CM_JEMALLOC_VERSION);
		break;
	case CM_NAME_STATE:
		cm_emit_text(&line, cm_emit_state[cm_process.state]);
		break;
	case CM_NAME_CONF:
		put_conf(&line);
		break;
	case CM_NAME_OPTION:
		cm_option_format(&line, &cm_process.settings,
				 (enum cm_option_id)name->id);
		break;
	case CM_NAME_BINDING:
	case CM_NAME_NODES:
		put_place(&line, name);
		break;
	default:
		put_policy(&line, name->of);
		break;
	}
	return put(out, text, line.len + 1);
}

/* --- new values ------------------------------------------------------------ */

/* Printable ASCII, as a request of cxlctl's is. */
static int copy_text(char text[CM_PAGE_TEXT + 1], const char *value, size_t len)
{
	if (len && !value[len - 1])
		len--;
	if (len > CM_PAGE_TEXT)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < ' ' ||
		    (unsigned char)value[i] > '~')
			return -EINVAL;
	memcpy(text, value, len);
	text[len] = '\0';
	return 0;
}

static const enum cm_option_id limit_of[CM_NR_TIERS] = { CM_OPT_DDR_LIMIT,
							 CM_OPT_CXL_LIMIT };

static int set(const struct cm_name *name, const void *value, size_t len)
{
	char text[CM_PAGE_TEXT + 1];
	struct cm_line line;
	uint64_t limit;
	int err;

	if (name->is_text) {
		err = copy_text(text, value, len);
		if (err)
			return err;
		return cm_live_set(
			name->of == CM_NAME_CONF ? -1 : (int)name->id, text);
	}
	if (len != sizeof(limit))
		return -EINVAL;
	memcpy(&limit, value, sizeof(limit));
	cm_line_init(&line, text, sizeof(text), -1);
	if (limit == CXLM_NO_LIMIT)
		cm_emit_text(&line, "none");
	else
		cm_line_fmt(&line, "%llu", (unsigned long long)limit);
	return cm_live_set((int)limit_of[name->tier], text);
}

static int get(const struct cm_name *name, struct out *out)
{
	return name->is_text ? get_text(name, out) : get_number(name, out);
}

/* Settings: by one at a time. */
static int get_and_set(const struct cm_name *name, struct out *out,
		       const void *value, size_t len)
{
	int err = 0;

	if (!cm_nodes_claim())
		return -EBUSY;
	if (out)
		err = get(name, out);
	if (!err && value)
		err = set(name, value, len);
	cm_nodes_yield(!err && value);
	return err;
}

static int find(const char *name, struct cm_name *found)
{
	if (!name)
		return -EINVAL;
	(void)cm_init();
	return cm_name_find(name, found);
}

CM_EXPORT int cxlm_ctl(const char *name, void *old, size_t *old_len,
		       const void *value, size_t len)
{
	struct out out = { old, old_len ? *old_len : 0, 0 };
	int saved = errno, err;
	struct cm_name found;

	err = find(name, &found);
	if (!err && old && !old_len)
		err = -EINVAL;
	if (!err && value &&
	    (!found.writable || cm_process.state != CM_STATE_TIERED))
		err = -EPERM;
	if (!err &&
	    (value || found.of == CM_NAME_CONF || found.of == CM_NAME_OPTION))
		err = get_and_set(&found, old_len ? &out : NULL, value, len);
	else if (!err)
		err = get(&found, &out);
	if (old_len && out.len)
		*old_len = out.len;
	errno = err ? -err : saved;
	return err ? -1 : 0;
}

CM_EXPORT int cxlm_ctl_name(unsigned index, struct cxlm_ctl_info *info)
{
	struct cxlm_ctl_info now = { 0 };
	int saved = errno, err = 0;
	struct cm_nodeset nodes;
	struct cm_name name;

	if (!info || info->size < sizeof(now)) {
		errno = EINVAL;
		return -1;
	}
	(void)cm_init();
	if (cm_topo_memory_nodes_own(&nodes, "/sys"))
		cm_nodeset_zero(&nodes);
	err = cm_name_nth(index, &nodes, &name, now.name);
	if (err) {
		errno = -err;
		return -1;
	}
	now.size = info->size;
	now.type = name.is_text ? CXLM_CTL_STRING : CXLM_CTL_U64;
	now.writable = name.writable && cm_process.state == CM_STATE_TIERED;
	memcpy(info, &now, sizeof(now));
	errno = saved;
	return 0;
}
