/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows.h"

#include <errno.h>
#include <fnmatch.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "control/emit_form.h"
#include "control/parse.h"
#include "live_form.h"

const char *const row_key_name[NR_ROW_KEYS] = {
	[ROW_PID] = "pid", [ROW_NAME] = "name",	  [ROW_DDR] = "ddr",
	[ROW_CXL] = "cxl", [ROW_TOTAL] = "total",
};

/* A page says what it likes: sums stay at the top. */
static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

uint64_t row_held(const struct row *row, unsigned tier)
{
	return add(row->used[tier], row->mapped[tier]);
}

uint64_t rows_held(const struct rows *rows, unsigned tier)
{
	return add(rows->used[tier], rows->mapped[tier]);
}

uint64_t row_total(const struct row *row)
{
	uint64_t sum = 0;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		sum = add(sum, row_held(row, t));
	return sum;
}

struct collector {
	struct rows *rows;
	const char *name;
};

static int take(struct live *live, void *arg)
{
	struct collector *collector = arg;
	struct rows *rows = collector->rows;
	struct cm_line line;
	struct row *row;

	if (collector->name && fnmatch(collector->name, live->name, 0) != 0) {
		live_close(live);
		return 0;
	}
	if (rows->nr == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 64;

		row = realloc(rows->at, room * sizeof(*row));
		if (!row) {
			live_close(live);
			return -ENOMEM;
		}
		rows->at = row;
		rows->room = room;
	}
	row = &rows->at[rows->nr++];
	*row = (struct row){ .pid = live->pid,
			     .uid = live->uid,
			     .state = live->view.state };
	memcpy(row->name, live->name, sizeof(row->name));
	cm_line_init(&line, row->policy, sizeof(row->policy), -1);
	live_policy(&live->view, &line);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		row->used[t] = live->view.tier[t].used;
		row->mapped[t] = live->view.tier[t].mapped;
		row->limit[t] = live->view.tier[t].limit;
		rows->used[t] = add(rows->used[t], row->used[t]);
		rows->mapped[t] = add(rows->mapped[t], row->mapped[t]);
	}
	live_close(live);
	return 0;
}

int rows_collect(struct rows *rows, const char *name)
{
	struct collector collector = { rows, name };

	rows->nr = 0;
	memset(rows->used, 0, sizeof(rows->used));
	memset(rows->mapped, 0, sizeof(rows->mapped));
	return live_each(LIVE_READ, &rows->scan, take, &collector);
}

void rows_free(struct rows *rows)
{
	free(rows->at);
	*rows = (struct rows){ 0 };
}

static enum row_key sort_key;
static int sort_sign;

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = 0;

	switch (sort_key) {
	case ROW_NAME:
		order = strcmp(a->name, b->name);
		break;
	case ROW_DDR:
	case ROW_CXL:
		order = compare_numbers(row_held(b, sort_key - ROW_DDR),
					row_held(a, sort_key - ROW_DDR));
		break;
	case ROW_TOTAL:
		order = compare_numbers(row_total(b), row_total(a));
		break;
	default:
		break;
	}
	if (!order)
		order = (a->pid > b->pid) - (a->pid < b->pid);
	return order * sort_sign;
}

void rows_sort(struct rows *rows, enum row_key key, bool reverse)
{
	sort_key = key;
	sort_sign = reverse ? -1 : 1;
	if (rows->nr > 1)
		qsort(rows->at, rows->nr, sizeof(*rows->at), compare);
}

/* Rows of one user come together often, and a look into passwd is dear. */
const char *row_user(uid_t uid)
{
	static struct {
		uid_t uid;
		char name[33];
	} cache[64];
	static unsigned nr;
	struct passwd *pw;
	unsigned i;

	for (i = 0; i < nr && i < CM_ARRAY_SIZE(cache); i++)
		if (cache[i].uid == uid)
			return cache[i].name;
	i = nr++ % CM_ARRAY_SIZE(cache);
	cache[i].uid = uid;
	pw = getpwuid(uid);
	if (pw)
		snprintf(cache[i].name, sizeof(cache[i].name), "%s",
			 pw->pw_name);
	else
		snprintf(cache[i].name, sizeof(cache[i].name), "%u", uid);
	return cache[i].name;
}

static void print_bytes(const struct row *row, unsigned t)
{
	printf("  %10s  %10s  %10s", cmd_human(row->used[t]),
	       cmd_human(row->mapped[t]),
	       row->limit[t] == CM_NO_LIMIT ? "none" :
					      cmd_human(row->limit[t]));
}

static void print_note(unsigned nr, const char *what)
{
	if (nr)
		printf("%u process%s %s\n", nr, nr > 1 ? "es" : "", what);
}

/* A process that is not tiered has a state for a policy. */
void rows_print(const struct rows *rows)
{
	printf("%7s  %-8s  %-15s  %-20s", "PID", "USER", "NAME", "POLICY");
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		printf("    %s USED      MAPPED       LIMIT",
		       t == CM_TIER_DDR ? "DDR" : "CXL");
	putchar('\n');
	for (size_t i = 0; i < rows->nr; i++) {
		const struct row *row = &rows->at[i];

		printf("%7ld  %-8s  %-15s  %-20s", row->pid, row_user(row->uid),
		       row->name,
		       row->state == CM_STATE_TIERED ?
			       row->policy :
			       cm_emit_state[row->state]);
		for (unsigned t = 0; t < CM_NR_TIERS; t++)
			print_bytes(row, t);
		putchar('\n');
	}
	printf("%-56s", "total");
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		printf("%*s  %10s  %10s", t ? 12 : 0, "",
		       cmd_human(rows->used[t]), cmd_human(rows->mapped[t]));
	putchar('\n');
	print_note(rows->scan.nr_closed,
		   "closed all descriptors: only root can reach it");
	print_note(rows->scan.nr_bad,
		   "not shown: another version, or a damaged page");
}

static void json_by_tier(const uint64_t bytes[CM_NR_TIERS])
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		printf("%s\"%s\":%llu", t ? "," : "{", cm_tier_name(t),
		       (unsigned long long)bytes[t]);
	printf("}");
}

void rows_print_json(const struct rows *rows)
{
	printf("{\"schema\":1,\"processes\":[");
	for (size_t i = 0; i < rows->nr; i++) {
		const struct row *row = &rows->at[i];

		printf("%s{\"pid\":%ld,\"uid\":%u,\"user\":", i ? "," : "",
		       row->pid, row->uid);
		cmd_json_string(row_user(row->uid));
		printf(",\"name\":");
		cmd_json_string(row->name);
		printf(",\"state\":\"%s\",\"policy\":",
		       cm_emit_state[row->state]);
		cmd_json_string(row->policy);
		printf(",\"tiers\":[");
		for (unsigned t = 0; t < CM_NR_TIERS; t++) {
			printf("%s{\"tier\":\"%s\",\"used\":%llu,"
			       "\"mapped\":%llu,\"limit\":",
			       t ? "," : "", cm_tier_name(t),
			       (unsigned long long)row->used[t],
			       (unsigned long long)row->mapped[t]);
			live_json_limit(row->limit[t]);
			printf("}");
		}
		printf("]}");
	}
	printf("],\"total\":");
	json_by_tier(rows->used);
	printf(",\"total_mapped\":");
	json_by_tier(rows->mapped);
	printf(",\"closed\":%u,\"bad\":%u}\n", rows->scan.nr_closed,
	       rows->scan.nr_bad);
}
