/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl stat - all that one running process says of its tiers */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "cmd.h"
#include "control/emit_form.h"
#include "control/figures.h"
#include "control/parse.h"
#include "live.h"
#include "live_form.h"
#include "live_set.h"
#include "resident.h"
#include "rows.h"

static struct {
	bool json;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, sizes in bytes", &arg.json, NULL }, { 0 }
};

/* How new the numbers are. */
struct age {
	bool fresh;		/* the process answered just now */
	bool known;		/* its clock is ours, and it has looked once */
	uint64_t ms;
	const char *why;	/* not fresh */
};

static uint64_t value_of(const struct cm_figure *figure,
			 const struct cm_page_view_tier *tier)
{
	uint64_t value;

	memcpy(&value, (const char *)tier + figure->page_at, sizeof(value));
	return value;
}

static void get_fresh(struct live *live, struct age *age)
{
	static struct live_answer answer;

	live_ask(&live, 1, "", LIVE_WAIT_MS, &answer);
	switch (answer.result) {
	case LIVE_APPLIED:
	case LIVE_REFUSED:	/* of a request that was pending: numbers too */
		age->fresh = true;
		break;
	case LIVE_PENDING:
		age->why = "the process did not answer within 100 ms: it "
			   "does not allocate";
		break;
	case LIVE_GONE:
		age->why = "the process ended, or executed another program";
		break;
	default:
		age->why = "another cxlctl waits for this process's answer";
	}
}

static void find_age(const struct live *live, struct age *age)
{
	uint64_t now_ms = live_now_ns() / 1000000;

	age->known = live->view.looked_ms && live->view.looked_ms <= now_ms;
	age->ms = age->known ? now_ms - live->view.looked_ms : 0;
}

/* --- text ------------------------------------------------------------------ */

static void cell(const char *text)
{
	printf(" %12s", text);
}

static void print_nodes(const struct resident *resident)
{
	char text[CM_NODESET_TEXT_MAX];

	printf("%-10s", "nodes");
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		(void)cm_nodeset_format(&resident->nodes[t], text,
					sizeof(text));
		cell(*text ? text : "any");
	}
	putchar('\n');
}

static void print_figure(const struct cm_figure *figure,
			 const struct cm_page_view *view)
{
	printf("%-10s", figure->name);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		uint64_t value = value_of(figure, &view->tier[t]);

		if (figure->kind == CM_FIGURE_COUNT)
			printf(" %12llu", (unsigned long long)value);
		else if (figure->kind == CM_FIGURE_LIMIT &&
			 value == CM_NO_LIMIT)
			cell("none");
		else
			cell(cmd_human(value));
	}
	printf("%s%s\n", figure->meaning[0] ? "  " : "", figure->meaning);
}

static void print_resident(const struct resident *resident)
{
	bool mixed = resident_has_mixed(resident);
	uint64_t misplaced = 0;

	if (resident->err) {
		printf("where its pages are is not known: numa_maps: %s\n",
		       strerror(-resident->err));
		return;
	}
	for (unsigned node = 0; node < CM_MAX_NODES; node++) {
		if (!resident_has_node(resident, node))
			continue;
		printf("node %-5u", node);
		for (unsigned t = 0; t < CM_NR_TIERS; t++)
			cell(cmd_human(resident->bytes[t][node]));
		printf("  resident there, says the kernel");
		if (mixed)
			printf("; in blocks on both tiers %s",
			       cmd_human(
				       resident->bytes[RESIDENT_MIXED][node]));
		putchar('\n');
	}
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		misplaced += resident->misplaced[t];
	if (!misplaced)
		return;
	printf("%-10s", "misplaced");
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cell(cmd_human(resident->misplaced[t]));
	printf("  resident on other nodes than the tier's\n");
}

static void print_age(const struct age *age)
{
	if (age->fresh)
		printf("numbers of now\n");
	else if (age->known)
		printf("numbers of %llu.%llu s ago: %s\n",
		       (unsigned long long)age->ms / 1000,
		       (unsigned long long)age->ms / 100 % 10, age->why);
	else
		printf("numbers of an unknown time: %s\n", age->why);
}

static void print(const struct live *live, const struct age *age,
		  const struct resident *resident)
{
	const struct cm_page_view *view = &live->view;

	printf("%s, process %ld of %s, %s\n", live->name, live->pid,
	       row_user(live->uid), cm_emit_state[view->state]);
	printf("cxlmalloc %s, jemalloc %s\n", view->library, view->jemalloc);
	print_age(age);
	printf("%-10s", "tier");
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cell(cm_tier_name(t));
	printf("\n%-10s", "binding");
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cell(cm_emit_binding[view->tier[t].binding]);
	putchar('\n');
	print_nodes(resident);
	for (unsigned i = 0; i < CM_NR_FIGURES; i++)
		if (cm_figures[i].cost == CM_FIGURE_PAGE)
			print_figure(&cm_figures[i], view);
	print_resident(resident);
	putchar('\n');
	live_print_settings(view->conf);
}

/* --- JSON ------------------------------------------------------------------ */

static void json_nodes(const struct cm_nodeset *nodes)
{
	const char *comma = "";
	unsigned node;

	printf("[");
	cm_nodeset_for_each(node, nodes) {
		printf("%s%u", comma, node);
		comma = ",";
	}
	printf("]");
}

static void json_by_node(const struct resident *resident, unsigned part)
{
	const char *comma = "";

	if (resident->err) {
		printf("null");
		return;
	}
	printf("{");
	for (unsigned node = 0; node < CM_MAX_NODES; node++) {
		uint64_t bytes = resident->bytes[part][node];

		if (!bytes && (part == RESIDENT_MIXED ||
			       !cm_nodeset_test(&resident->nodes[part], node)))
			continue;
		printf("%s\"%u\":%llu", comma, node, (unsigned long long)bytes);
		comma = ",";
	}
	printf("}");
}

static void json_tier(const struct cm_page_view *view,
		      const struct resident *resident, unsigned t)
{
	printf("{\"tier\":\"%s\",\"binding\":\"%s\",\"nodes\":",
	       cm_tier_name(t), cm_emit_binding[view->tier[t].binding]);
	json_nodes(&resident->nodes[t]);
	for (unsigned i = 0; i < CM_NR_FIGURES; i++) {
		const struct cm_figure *figure = &cm_figures[i];
		uint64_t value = value_of(figure, &view->tier[t]);

		if (figure->cost != CM_FIGURE_PAGE)
			continue;
		printf(",\"%s\":", figure->key);
		if (cm_figure_is_set(figure, value))
			printf("%llu", (unsigned long long)value);
		else
			printf("null");
	}
	printf(",\"resident\":");
	json_by_node(resident, t);
	if (resident->err)
		printf(",\"misplaced\":null}");
	else
		printf(",\"misplaced\":%llu}",
		       (unsigned long long)resident->misplaced[t]);
}

static void print_json(const struct live *live, const struct age *age,
		       const struct resident *resident)
{
	const struct cm_page_view *view = &live->view;

	printf("{\"schema\":1,\"pid\":%ld,\"uid\":%u,\"user\":", live->pid,
	       live->uid);
	cmd_json_string(row_user(live->uid));
	printf(",\"name\":");
	cmd_json_string(live->name);
	printf(",\"version\":");
	cmd_json_string(view->library);
	printf(",\"jemalloc\":");
	cmd_json_string(view->jemalloc);
	printf(",\"state\":\"%s\",\"fresh\":%s,\"age_ms\":",
	       cm_emit_state[view->state], age->fresh ? "true" : "false");
	if (age->known)
		printf("%llu", (unsigned long long)age->ms);
	else
		printf("null");
	printf(",\"settings\":");
	live_json_settings(view->conf);
	printf(",\"tiers\":[");
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		printf("%s", t ? "," : "");
		json_tier(view, resident, t);
	}
	printf("],\"mixed_resident\":");
	json_by_node(resident, RESIDENT_MIXED);
	printf("}\n");
}

static int run(int argc, char **argv)
{
	static struct resident resident;
	struct age age = { 0 };
	struct live live;
	long pid;
	int err;

	if (argc != 1)
		return cmd_usage_error(&cmd_stat, "one process id, please");
	pid = live_pid_of(&cmd_stat, argv[0]);
	if (!pid)
		return EXIT_USAGE;
	err = live_open(&live, pid, LIVE_ASK);
	if (!err) {
		get_fresh(&live, &age);
		err = live_read(&live);
		if (err)
			live_close(&live);
	}
	if (err) {
		fprintf(stderr, "cxlctl stat: %ld: %s\n", pid,
			live_why_not(err));
		return EXIT_FAILURE;
	}
	find_age(&live, &age);
	resident_read(&resident, &live);
	if (arg.json)
		print_json(&live, &age, &resident);
	else
		print(&live, &age, &resident);
	live_close(&live);
	return EXIT_SUCCESS;
}

const struct cmd cmd_stat = {
	.name = "stat",
	.summary = "show what one running process holds where",
	.usage = "  cxlctl stat [--json] PID\n",
	.example = "  cxlctl stat $(pidof redis-server)\n",
	.opts = opts,
	.args = "PID",
	.run = run,
};
