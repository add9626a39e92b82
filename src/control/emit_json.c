/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nodeset.h"
#include "control/emit_form.h"
#include "control/figures.h"
#include "control/parse.h"

static void json_string(struct cm_line *out, const char *s)
{
	cm_emit_text(out, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			cm_line_fmt(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			cm_line_fmt(out, "\\u%04x", (unsigned char)*s);
		else
			cm_line_put(out, s, 1);
	}
	cm_emit_text(out, "\"");
}

static void json_number(struct cm_line *out, const char *key, uint64_t value)
{
	cm_line_fmt(out, ",\"%s\":%llu", key, (unsigned long long)value);
}

static void json_limit(struct cm_line *out, const char *key, uint64_t limit)
{
	if (limit == CM_NO_LIMIT)
		cm_line_fmt(out, ",\"%s\":null", key);
	else
		json_number(out, key, limit);
}

static void json_resident(struct cm_line *out,
			  const struct cm_report_tier *tier)
{
	const char *comma = "";
	unsigned node;

	cm_emit_text(out, ",\"resident\":");
	if (!tier->resident_known) {
		cm_emit_text(out, "null");
		return;
	}
	cm_emit_text(out, "{");
	for (node = 0; node < CM_MAX_NODES; node++) {
		if (!tier->resident[node] &&
		    !cm_nodeset_test(&tier->nodes, node))
			continue;
		cm_line_fmt(out, "%s\"%u\":%llu", comma, node,
			    (unsigned long long)tier->resident[node]);
		comma = ",";
	}
	cm_emit_text(out, "}");
}

static void json_nodes(struct cm_line *out, const struct cm_nodeset *nodes)
{
	const char *comma = "";
	unsigned node;

	cm_emit_text(out, "[");
	cm_nodeset_for_each(node, nodes) {
		cm_line_fmt(out, "%s%u", comma, node);
		comma = ",";
	}
	cm_emit_text(out, "]");
}

static void json_groups(struct cm_line *out, const struct cm_report_tier *tier)
{
	cm_emit_text(out, ",\"groups\":[");
	for (unsigned i = 0; i < tier->nr_groups; i++) {
		cm_line_fmt(out, "%s{\"name\":\"%s\",\"nodes\":", i ? "," : "",
			    tier->group[i].name);
		json_nodes(out, &tier->group[i].nodes);
		cm_emit_text(out, "}");
	}
	cm_emit_text(out, "]");
}

static void json_figure(struct cm_line *out, const struct cm_figure *figure,
			const struct cm_report_tier *tier)
{
	uint64_t value = cm_figure_of(figure, tier);

	if (!cm_figure_is_set(figure, value))
		cm_line_fmt(out, ",\"%s\":null", figure->key);
	else if (value || figure->kind != CM_FIGURE_SHARE)
		json_number(out, figure->key, value);
}

static void json_tier(struct cm_line *out, const struct cm_report_tier *tier)
{
	cm_line_fmt(out, "{\"tier\":\"%s\",\"binding\":\"%s\",\"nodes\":",
		    cm_tier_name(tier->tier), cm_emit_binding[tier->binding]);
	json_nodes(out, &tier->nodes);
	json_groups(out, tier);
	for (unsigned i = 0; i < CM_NR_FIGURES; i++) {
		if (i == CM_FIGURE_OF_misplaced)
			json_resident(out, tier);
		json_figure(out, &cm_figures[i], tier);
	}
	cm_emit_text(out, "}");
}

static void json_cgroup(struct cm_line *out,
			const struct cm_report_cgroup *cgroup)
{
	if (!cgroup->known) {
		cm_emit_text(out, ",\"cgroup\":null");
		return;
	}
	cm_line_fmt(out, ",\"cgroup\":{\"current\":%llu",
		    (unsigned long long)cgroup->current);
	json_limit(out, "max", cgroup->max);
	json_limit(out, "high", cgroup->high);
	cm_emit_text(out, "}");
}

void cm_emit_json(struct cm_line *out, const struct cm_report *report)
{
	cm_line_fmt(out, "{\"schema\":1,\"pid\":%d,\"version\":", report->pid);
	json_string(out, report->version);
	cm_emit_text(out, ",\"jemalloc\":");
	json_string(out, report->jemalloc_version);
	cm_line_fmt(out, ",\"state\":\"%s\",\"policy\":\"%s\",\"order\":[",
		    cm_emit_state[report->state], report->policy);
	for (unsigned i = 0; i < report->nr_order; i++)
		cm_line_fmt(out, "%s\"%s\"", i > 0 ? "," : "",
			    cm_tier_name(report->order[i]));
	cm_emit_text(out, "],\"on_full\":");
	json_string(out, report->on_full);
	json_cgroup(out, &report->cgroup);
	cm_emit_text(out, ",\"tiers\":[");
	for (unsigned i = 0; i < CM_NR_TIERS; i++) {
		if (i > 0)
			cm_emit_text(out, ",");
		json_tier(out, &report->tier[i]);
	}
	cm_emit_text(out, "]}\n");
}
