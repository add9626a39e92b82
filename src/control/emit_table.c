/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nodeset.h"
#include "control/emit_form.h"
#include "control/figures.h"
#include "control/parse.h"

static const char *state_meaning(enum cm_state state)
{
	switch (state) {
	case CM_STATE_TIERED:
		return "each tier has its own memory and limit";
	case CM_STATE_DISABLED:
		return "switched off by the operator, jemalloc with one pool";
	case CM_STATE_NO_WINDOW:
		return "no room in the address space for two tiers, one pool";
	case CM_STATE_SANITIZER:
		return "a sanitizer owns malloc, nothing is placed";
	}
	return "";
}

/*
 * The table has a row per figure and a column per tier: it stays within 80
 * columns and a third tier only adds a column.
 */
#define NAME_WIDTH	10
#define CELL_WIDTH	13
#define CELL_MAX	64

static void put_cell(struct cm_line *out, const char *text)
{
	cm_line_fmt(out, " %*s", CELL_WIDTH - 1, text);
}

static void size_cell(struct cm_line *out, uint64_t bytes)
{
	char text[CELL_MAX];
	struct cm_line cell;

	cm_line_init(&cell, text, sizeof(text), -1);
	cm_line_human(&cell, bytes);
	put_cell(out, text);
}

static void count_cell(struct cm_line *out, uint64_t count)
{
	cm_line_fmt(out, " %*llu", CELL_WIDTH - 1, (unsigned long long)count);
}

static void nodes_cell(struct cm_line *out, const struct cm_nodeset *nodes)
{
	char text[CELL_MAX];

	if (cm_nodeset_empty(nodes))
		put_cell(out, "any");
	else if (cm_nodeset_format(nodes, text, sizeof(text)) < 0)
		put_cell(out, "many");
	else
		put_cell(out, text);
}

/* A program that maps no memory itself need not be told of it. */
static bool is_shown(const struct cm_report *report, unsigned figure)
{
	bool shown = figure != CM_FIGURE_OF_mapped;

	for (unsigned i = 0; i < CM_NR_TIERS; i++)
		shown |= report->tier[i].mapped != 0;
	return shown && cm_figures[figure].name[0];
}

static void table_row(struct cm_line *out, const struct cm_report *report,
		      const struct cm_figure *figure)
{
	cm_line_fmt(out, "%-*s", NAME_WIDTH, figure->name);
	for (unsigned i = 0; i < CM_NR_TIERS; i++) {
		uint64_t value = cm_figure_of(figure, &report->tier[i]);

		if (figure->kind == CM_FIGURE_COUNT)
			count_cell(out, value);
		else if (figure->kind == CM_FIGURE_LIMIT &&
			 value == CM_NO_LIMIT)
			put_cell(out, "none");
		else
			size_cell(out, value);
	}
	cm_line_fmt(out, "%s%s\n", figure->meaning[0] ? "  " : "",
		    figure->meaning);
}

static void table_residency(struct cm_line *out, const struct cm_report *report)
{
	const struct cm_report_tier *tier;
	unsigned node, i;
	bool shown;

	for (node = 0; node < CM_MAX_NODES; node++) {
		shown = false;
		for (i = 0; i < CM_NR_TIERS; i++) {
			tier = &report->tier[i];
			shown |= tier->resident_known &&
				 (tier->resident[node] ||
				  cm_nodeset_test(&tier->nodes, node));
		}
		if (!shown)
			continue;
		cm_line_fmt(out, "node %-*u", NAME_WIDTH - 5, node);
		for (i = 0; i < CM_NR_TIERS; i++) {
			tier = &report->tier[i];
			if (tier->resident_known)
				size_cell(out, tier->resident[node]);
			else
				put_cell(out, "unknown");
		}
		cm_emit_text(out, "  resident there, says the kernel\n");
	}
}

static void table_remarks(struct cm_line *out,
			  const struct cm_report_tier *tier, bool tiered)
{
	const char *name = cm_tier_name(tier->tier);

	if (tier->binding == CM_BINDING_EMULATED)
		cm_line_fmt(out, "%s is emulated: %s\n", name,
			    "ordinary memory, accounted and limited as its "
			    "own tier");
	if (tier->binding == CM_BINDING_DENIED)
		cm_line_fmt(out, "%s has binding=denied: %s\n", name,
			    "the kernel refused mbind, its pages may be on "
			    "any node");
	if (tier->misplaced > 0) {
		cm_line_fmt(out, "%s has ", name);
		cm_line_human(out, tier->misplaced);
		cm_emit_text(out, " misplaced: resident outside its nodes\n");
	}
	if (!tier->resident_known && tiered)
		cm_line_fmt(out, "%s: %s\n", name,
			    "the kernel did not tell which nodes its pages "
			    "are on");
}

static void limit_text(struct cm_line *out, uint64_t limit)
{
	if (limit == CM_NO_LIMIT)
		cm_emit_text(out, "none");
	else
		cm_line_human(out, limit);
}

static void table_cgroup(struct cm_line *out,
			 const struct cm_report_cgroup *cgroup)
{
	if (!cgroup->known)
		return;
	cm_emit_text(out, "cgroup: memory.max ");
	limit_text(out, cgroup->max);
	cm_emit_text(out, ", memory.high ");
	limit_text(out, cgroup->high);
	cm_emit_text(out, ", current ");
	cm_line_human(out, cgroup->current);
	cm_emit_text(out, "\n");
}

static void table_groups(struct cm_line *out, const struct cm_report_tier *tier)
{
	char text[CELL_MAX];

	if (!tier->nr_groups)
		return;
	cm_line_fmt(out, "%s.groups:", cm_tier_name(tier->tier));
	for (unsigned i = 0; i < tier->nr_groups; i++) {
		if (cm_nodeset_format(&tier->group[i].nodes, text,
				      sizeof(text)) < 0)
			strcpy(text, "many");
		cm_line_fmt(out, "%s %s on nodes %s", i ? ", then" : "",
			    tier->group[i].name, *text ? text : "(none)");
	}
	cm_emit_text(out, "\n");
}

static void table_shares(struct cm_line *out, const struct cm_report_tier *tier)
{
	if (tier->limit_percent)
		cm_line_fmt(out, "%s.limit is %u%% of the process's memory\n",
			    cm_tier_name(tier->tier),
			    (unsigned)tier->limit_percent);
}

void cm_emit_table(struct cm_line *out, const struct cm_report *report)
{
	unsigned i;

	cm_line_fmt(out, "cxlmalloc %s, jemalloc %s, process %d\n",
		    report->version, report->jemalloc_version, report->pid);
	cm_line_fmt(out,
		    "%s: %s; policy=%s order=", cm_emit_state[report->state],
		    state_meaning(report->state), report->policy);
	for (i = 0; i < report->nr_order; i++)
		cm_line_fmt(out, "%s%s", i > 0 ? ":" : "",
			    cm_tier_name(report->order[i]));
	cm_line_fmt(out, " on_full=%s\n", report->on_full);

	cm_line_fmt(out, "%-*s", NAME_WIDTH, "tier");
	for (i = 0; i < CM_NR_TIERS; i++)
		put_cell(out, cm_tier_name(report->tier[i].tier));
	cm_line_fmt(out, "\n%-*s", NAME_WIDTH, "binding");
	for (i = 0; i < CM_NR_TIERS; i++)
		put_cell(out, cm_emit_binding[report->tier[i].binding]);
	cm_line_fmt(out, "\n%-*s", NAME_WIDTH, "nodes");
	for (i = 0; i < CM_NR_TIERS; i++)
		nodes_cell(out, &report->tier[i].nodes);
	cm_emit_text(out, "\n");

	for (i = 0; i < CM_NR_FIGURES; i++)
		if (is_shown(report, i))
			table_row(out, report, &cm_figures[i]);
	table_residency(out, report);
	table_cgroup(out, &report->cgroup);
	for (i = 0; i < CM_NR_TIERS; i++)
		table_shares(out, &report->tier[i]);
	for (i = 0; i < CM_NR_TIERS; i++)
		table_groups(out, &report->tier[i]);
	for (i = 0; i < CM_NR_TIERS; i++)
		table_remarks(out, &report->tier[i],
			      report->state == CM_STATE_TIERED);
}
