/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl top - ps, drawn again and again, with bars */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/line.h"
#include "cmd.h"
#include "control/parse.h"
#include "rows.h"
#include "screen.h"

static struct {
	bool batch, json;
	const char *delay, *count, *name, *sort;
} arg;

static const struct opt opts[] = {
	{ "batch", 'b', NULL, "print table after table", &arg.batch, NULL },
	{ "count", 'n', "N", "end after so many", NULL, &arg.count },
	{ "delay", 'd', "SECONDS", "between two; 1", NULL, &arg.delay },
	{ "json", 'j', NULL, "a line of JSON for each", &arg.json, NULL },
	{ "name", 0, "GLOB", "only those of that name", NULL, &arg.name },
	{ "sort", 's', "ddr|cxl|total|pid|name", "by what; total", NULL,
	  &arg.sort },
	{ 0 }
};

static struct {
	enum row_key key;
	bool reverse;
	unsigned period_ms;
	unsigned long nr_left;	/* 0: for ever */
} view = { ROW_TOTAL, false, 1000, 0 };

static struct rows rows;

/* --- one picture ----------------------------------------------------------- */

#define LEFT_WIDTH	36	/* PID, USER, NAME */
#define BYTES_WIDTH	13
#define BAR_MAX		60

static struct {
	unsigned lines, columns, bar;
	uint64_t most[CM_NR_TIERS];
} shape;

static void find_shape(void)
{
	unsigned taken = LEFT_WIDTH + CM_NR_TIERS * (BYTES_WIDTH + 2);

	screen_size(&shape.lines, &shape.columns);
	shape.bar = shape.columns > taken ?
			    (shape.columns - taken) / CM_NR_TIERS :
			    0;
	if (shape.bar > BAR_MAX)
		shape.bar = BAR_MAX;
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		shape.most[t] = 0;
		for (size_t i = 0; i < rows.nr; i++)
			if (row_held(&rows.at[i], t) > shape.most[t])
				shape.most[t] = row_held(&rows.at[i], t);
	}
}

/* What a line has room for: none wraps. */
static void put_line(const struct cm_line *line, bool last)
{
	printf("%.*s\033[K%s", (int)shape.columns, line->buf, last ? "" : "\n");
}

/*
 * In brackets a part of the limit, '!' beyond it; without, a part of what the
 * largest of all holds.
 */
static void add_bar(struct cm_line *line, uint64_t used, uint64_t limit,
		    uint64_t most)
{
	bool limited = limit != CM_NO_LIMIT;
	uint64_t of = limited ? limit : most;
	char fill = used > of ? '!' : '#';
	double part = of ? (double)used / (double)of : used > 0;
	unsigned full = part >= 1 ? shape.bar :
				    (unsigned)(part * shape.bar + 0.5);

	cm_line_fmt(line, "%c", limited ? '[' : ' ');
	for (unsigned i = 0; i < shape.bar; i++)
		cm_line_fmt(line, "%c", i < full ? fill : limited ? '.' : ' ');
	cm_line_fmt(line, "%c", limited ? ']' : ' ');
}

static void draw_row(const struct row *row)
{
	char text[CM_LINE_MAX];
	struct cm_line line;

	cm_line_init(&line, text, sizeof(text), -1);
	cm_line_fmt(&line, "%7ld  %-8.8s  %-15.15s  ", row->pid,
		    row_user(row->uid), row->name);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_line_fmt(&line, "%*s ", BYTES_WIDTH - 2,
			    cmd_human(row_held(row, t)));
		add_bar(&line, row_held(row, t), row->limit[t], shape.most[t]);
		cm_line_fmt(&line, " ");
	}
	put_line(&line, false);
}

static void draw_title(void)
{
	char text[CM_LINE_MAX];
	struct cm_line line;

	cm_line_init(&line, text, sizeof(text), -1);
	cm_line_fmt(&line, "%zu process%s, ddr %s, cxl %s; by %s%s", rows.nr,
		    rows.nr == 1 ? "" : "es",
		    cmd_human(rows_held(&rows, CM_TIER_DDR)),
		    cmd_human(rows_held(&rows, CM_TIER_CXL)),
		    row_key_name[view.key], view.reverse ? ", reversed" : "");
	if (rows.scan.nr_closed)
		cm_line_fmt(&line, "; %u for root to see", rows.scan.nr_closed);
	if (rows.scan.nr_bad)
		cm_line_fmt(&line, "; %u not readable", rows.scan.nr_bad);
	put_line(&line, false);
	cm_line_init(&line, text, sizeof(text), -1);
	cm_line_fmt(&line, "%7s  %-8s  %-15s  ", "PID", "USER", "NAME");
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_line_fmt(&line, "%*s  %-*s", BYTES_WIDTH - 2,
			    t == CM_TIER_DDR ? "DDR" : "CXL",
			    (int)shape.bar + 2, "");
	put_line(&line, false);
}

static void draw(void)
{
	static const char keys[] =
		"d ddr  c cxl  t total  p pid  n name  r reverse  q quit";
	struct cm_line line = { .buf = (char *)keys };
	size_t room;

	find_shape();
	room = shape.lines > 3 ? shape.lines - 3 : 0;
	rows_sort(&rows, view.key, view.reverse);
	screen_clear();
	draw_title();
	for (size_t i = 0; i < rows.nr && i < room; i++)
		draw_row(&rows.at[i]);
	put_line(&line, true);
	screen_show();
}

static void print(void)
{
	time_t now = time(NULL);
	char clock[16];

	rows_sort(&rows, view.key, view.reverse);
	if (arg.json) {
		rows_print_json(&rows);
	} else {
		strftime(clock, sizeof(clock), "%T", localtime(&now));
		printf("%s by %s\n", clock, row_key_name[view.key]);
		rows_print(&rows);
		putchar('\n');
	}
	fflush(stdout);
}

/* --- what happens ---------------------------------------------------------- */

/* False: quit. */
static bool take_key(char key)
{
	static const struct {
		char key;
		enum row_key by;
	} sorts[] = { { 'd', ROW_DDR },
		      { 'c', ROW_CXL },
		      { 't', ROW_TOTAL },
		      { 'p', ROW_PID },
		      { 'n', ROW_NAME } };

	for (size_t i = 0; i < CM_ARRAY_SIZE(sorts); i++)
		if (sorts[i].key == key)
			view.key = sorts[i].by;
	if (key == 'r')
		view.reverse = !view.reverse;
	return key != 'q' && key != 'Q';
}

/* 0, or the signal that ended it, or -errno. */
static int loop(void)
{
	bool tick = true;
	char key = 0;

	for (;;) {
		int signal = 0;

		if (tick) {
			int err = rows_collect(&rows, arg.name);

			if (err)
				return err;
		}
		if (!arg.batch)
			draw();
		else if (tick)
			print();
		if (tick && view.nr_left && !--view.nr_left)
			return 0;
		if (ferror(stdout))
			return 0;	/* main says so */
		tick = false;
		switch (screen_wait(&key, &signal)) {
		case SCREEN_TICK:
			tick = true;
			break;
		case SCREEN_KEY:
			if (!take_key(key))
				return 0;
			break;
		case SCREEN_INTERRUPTED:
			return signal;
		default:
			break;
		}
	}
}

static int take_arguments(void)
{
	char *end = NULL;
	double seconds = arg.delay ? strtod(arg.delay, &end) : 1;
	unsigned key;

	if (!(seconds >= 0.1 && seconds <= 3600) ||
	    (end && (*end || end == arg.delay)))
		return cmd_usage_error(&cmd_top, "--delay=%s: not in 0.1..3600",
				       arg.delay);
	view.period_ms = (unsigned)(seconds * 1000);
	if (arg.count) {
		view.nr_left = strtoul(arg.count, &end, 10);
		if (*arg.count < '0' || *arg.count > '9' || *end ||
		    !view.nr_left)
			return cmd_usage_error(&cmd_top,
					       "--count=%s: not a number of "
					       "tables",
					       arg.count);
	}
	for (key = 0; arg.sort && key < NR_ROW_KEYS; key++)
		if (strcmp(arg.sort, row_key_name[key]) == 0)
			break;
	if (arg.sort && key == NR_ROW_KEYS)
		return cmd_usage_error(&cmd_top,
				       "--sort=%s: not ddr, cxl, total, pid or "
				       "name",
				       arg.sort);
	if (arg.sort)
		view.key = (enum row_key)key;
	return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	int status;

	if (argc)
		return cmd_usage_error(&cmd_top, "unexpected %s", argv[0]);
	status = take_arguments();
	if (status)
		return status;
	arg.batch |= arg.json || !isatty(STDOUT_FILENO);
	status = screen_begin(view.period_ms, !arg.batch);
	if (!status)
		status = loop();
	screen_end();
	rows_free(&rows);
	if (status < 0) {
		fprintf(stderr, "cxlctl top: %s\n", strerror(-status));
		return EXIT_FAILURE;
	}
	if (status && status != SIGINT)
		raise(status);
	return EXIT_SUCCESS;
}

const struct cmd cmd_top = {
	.name = "top",
	.summary = "the processes under the library, live",
	.usage = "  cxlctl top [-d SECONDS] [-s KEY] [--name=GLOB]\n"
		 "  cxlctl top -b | -j [-n N] [-d SECONDS] [-s KEY] "
		 "[--name=GLOB]\n",
	.example = "  cxlctl top -d 0.5 --sort=cxl\n",
	.opts = opts,
	.run = run,
};
