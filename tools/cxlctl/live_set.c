/* SPDX-License-Identifier: BSD-2-Clause */
#include "live_set.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/line.h"
#include "control/conf.h"
#include "live.h"

/* The processes of one wait, and what became of all so far. */
struct work {
	const struct live_choice *choice;
	const char *settings;
	unsigned wait_ms;
	struct live live[LIVE_BATCH];
	size_t nr;
	size_t nr_done;
	bool failed;
};

static const char *const result_word[] = {
	[LIVE_PENDING] = "pending", [LIVE_APPLIED] = "applied",
	[LIVE_REFUSED] = "refused", [LIVE_BUSY] = "failed",
	[LIVE_LONG] = "failed",	    [LIVE_GONE] = "failed",
};

static const char *reason(const struct live_answer *answer)
{
	switch (answer->result) {
	case LIVE_APPLIED:
		return *answer->text ? answer->text : NULL;
	case LIVE_PENDING:
		return "the process does not allocate";
	case LIVE_REFUSED:
		return answer->text;
	case LIVE_BUSY:
		return "another cxlctl waits for this process's answer";
	case LIVE_LONG:
		return "too long, with the settings that are pending";
	case LIVE_GONE:
		break;
	}
	return "the process ended, or executed another program";
}

static void print_json(const struct live *live,
		       const struct live_answer *answer, bool first)
{
	const char *why = reason(answer);

	printf("%s{\"pid\":%ld,\"name\":", first ? "" : ",", live->pid);
	cmd_json_string(live->name);
	printf(",\"result\":\"%s\",\"ms\":", result_word[answer->result]);
	if (answer->result == LIVE_APPLIED || answer->result == LIVE_REFUSED)
		printf("%.3f", (double)answer->took_ns / 1e6);
	else
		printf("null");
	printf(",\"reason\":");
	if (why)
		cmd_json_string(why);
	else
		printf("null");
	printf("}");
}

static void print_text(const struct live *live,
		       const struct live_answer *answer)
{
	printf("%ld %s: ", live->pid, live->name);
	switch (answer->result) {
	case LIVE_APPLIED:
		printf("accepted, applied in %.1f ms",
		       (double)answer->took_ns / 1e6);
		printf("%s%s\n", *answer->text ? ": " : "", answer->text);
		break;
	case LIVE_PENDING:
		printf("accepted, pending (%s)\n", reason(answer));
		break;
	case LIVE_REFUSED:
		printf("refused: %s\n", reason(answer));
		break;
	default:
		printf("failed: %s\n", reason(answer));
	}
}

static void finish_batch(struct work *work)
{
	static struct live_answer answer[LIVE_BATCH];
	struct live *live[LIVE_BATCH];

	for (size_t i = 0; i < work->nr; i++)
		live[i] = &work->live[i];
	live_ask(live, work->nr, work->settings, work->wait_ms, answer);
	for (size_t i = 0; i < work->nr; i++) {
		if (work->choice->json)
			print_json(live[i], &answer[i], work->nr_done + i == 0);
		else
			print_text(live[i], &answer[i]);
		if (answer[i].result != LIVE_APPLIED &&
		    answer[i].result != LIVE_PENDING)
			work->failed = true;
		live_close(live[i]);
	}
	work->nr_done += work->nr;
	work->nr = 0;
}

static int take_process(struct live *live, void *arg)
{
	struct work *work = arg;

	if (work->choice->name &&
	    fnmatch(work->choice->name, live->name, 0) != 0) {
		live_close(live);
		return 0;
	}
	work->live[work->nr++] = *live;
	if (work->nr == LIVE_BATCH)
		finish_batch(work);
	return 0;
}

static int set_one(const struct cmd *cmd, struct work *work, long pid)
{
	int err = live_open(&work->live[0], pid, LIVE_ASK);

	if (err) {
		fprintf(stderr, "cxlctl %s: %ld: %s\n", cmd->name, pid,
			live_why_not(err));
		return EXIT_FAILURE;
	}
	work->nr = 1;
	return EXIT_SUCCESS;
}

static int set_many(const struct cmd *cmd, struct work *work)
{
	struct live_scan scan;
	int err = live_each(LIVE_ASK, &scan, take_process, work);

	if (err)
		fprintf(stderr, "cxlctl %s: /proc: %s\n", cmd->name,
			strerror(-err));
	if (scan.nr_closed)
		fprintf(stderr,
			"cxlctl %s: %u processes closed their file "
			"descriptors; only root can reach them\n",
			cmd->name, scan.nr_closed);
	if (scan.nr_bad)
		fprintf(stderr,
			"cxlctl %s: %u processes were passed by: another "
			"version, or damaged\n",
			cmd->name, scan.nr_bad);
	if (!work->nr_done && !work->nr)
		fprintf(stderr, "cxlctl %s: no such process\n", cmd->name);
	return err || scan.nr_closed || scan.nr_bad ||
			       (!work->nr_done && !work->nr) ?
		       EXIT_FAILURE :
		       EXIT_SUCCESS;
}

/* What a line of conf's ends in is about the library's start, not about us. */
static void cut_at(char *text, const char *tail)
{
	char *at = strstr(text, tail);

	if (at)
		*at = '\0';
}

static void say_bad(void *arg, const char *text)
{
	char line[CM_LINE_MAX];

	(void)arg;
	snprintf(line, sizeof(line), "%s", text);
	cut_at(line, ", using ");
	cut_at(line, ", ignored");
	fprintf(stderr, "%s\n", line);
}

static bool check_settings(const struct cmd *cmd, const char *text)
{
	struct cm_conf_sink sink = { .line = say_bad };
	struct cm_settings settings;
	struct cm_token token;
	const char *at = text;
	char where[32];

	for (const char *c = text; *c; c++) {
		if (*c >= ' ' && *c <= '~')
			continue;
		(void)cmd_usage_error(cmd, "settings are printable ASCII");
		return false;
	}
	if (!cm_parse_list(&token, &at)) {
		(void)cmd_usage_error(cmd, "a setting is needed, such as "
					   "ddr.limit=1g");
		return false;
	}
	snprintf(where, sizeof(where), "cxlctl %s", cmd->name);
	cm_conf_defaults(&settings);
	cm_conf_parse_list(&settings, where, text, &sink);
	return sink.nr_bad == 0;
}

static bool parse_number(const char *text, long min, long max, long *number)
{
	char *end;

	*number = strtol(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && *number >= min &&
	       *number <= max;
}

long live_pid_of(const struct cmd *cmd, const char *text)
{
	long pid;

	if (parse_number(text, 1, INT32_MAX, &pid))
		return pid;
	(void)cmd_usage_error(cmd, "%s: not a process id", text);
	return 0;
}

bool live_join_settings(char text[CM_PAGE_TEXT], int argc, char **argv)
{
	struct cm_line line;

	cm_line_init(&line, text, CM_PAGE_TEXT, -1);
	for (int i = 0; i < argc; i++)
		cm_line_fmt(&line, "%s%s", i ? "," : "", argv[i]);
	return !line.cut;
}

int live_set(const struct cmd *cmd, const struct live_choice *choice,
	     const char *settings)
{
	static struct work work;
	long wait_ms = LIVE_WAIT_MS, pid = 0;
	int status;

	if (choice->wait &&
	    !parse_number(choice->wait, 0, LIVE_WAIT_MAX, &wait_ms))
		return cmd_usage_error(cmd, "--wait=%s: not in 0..%d",
				       choice->wait, LIVE_WAIT_MAX);
	if (choice->pid && !(pid = live_pid_of(cmd, choice->pid)))
		return EXIT_USAGE;
	if (!check_settings(cmd, settings))
		return EXIT_USAGE;
	work = (struct work){ .choice = choice,
			      .settings = settings,
			      .wait_ms = (unsigned)wait_ms };
	if (choice->json) {
		printf("{\"schema\":1,\"settings\":");
		cmd_json_string(settings);
		printf(",\"processes\":[");
	}
	status = pid ? set_one(cmd, &work, pid) : set_many(cmd, &work);
	if (work.nr)
		finish_batch(&work);
	if (choice->json)
		printf("]}\n");
	return work.failed ? EXIT_FAILURE : status;
}
