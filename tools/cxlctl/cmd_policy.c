/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl policy - the settings of running processes, read and changed */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "live.h"
#include "live_form.h"
#include "live_set.h"

static struct {
	bool json, all;
	const char *name, *wait;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, one object", &arg.json, NULL },
	{ "all", 'a', NULL, "set: every process one may reach", &arg.all,
	  NULL },
	{ "name", 0, "GLOB", "set: those of that name", NULL, &arg.name },
	{ "wait", 'w', "MS", "set: for the answer, 100", NULL, &arg.wait },
	{ 0 }
};

static int get(const char *text)
{
	long pid = live_pid_of(&cmd_policy, text);
	struct live live;
	int err;

	if (!pid)
		return EXIT_USAGE;
	err = live_open(&live, pid, LIVE_READ);
	if (err) {
		fprintf(stderr, "cxlctl policy: %ld: %s\n", pid,
			live_why_not(err));
		return EXIT_FAILURE;
	}
	if (arg.json) {
		printf("{\"schema\":1,\"pid\":%ld,\"name\":", pid);
		cmd_json_string(live.name);
		printf(",\"settings\":");
		live_json_settings(live.view.conf);
		printf("}\n");
	} else {
		live_print_settings(live.view.conf);
	}
	live_close(&live);
	return EXIT_SUCCESS;
}

static int set(int argc, char **argv)
{
	struct live_choice choice = { NULL, arg.name, arg.wait, arg.json };
	char settings[CM_PAGE_TEXT];

	if (arg.all && arg.name)
		return cmd_usage_error(&cmd_policy,
				       "--all or --name, not both");
	if (!arg.all && !arg.name) {
		if (!argc)
			return cmd_usage_error(
				&cmd_policy,
				"set takes a process id, --all or --name");
		choice.pid = argv[0];
		argc--;
		argv++;
	}
	if (!live_join_settings(settings, argc, argv))
		return cmd_usage_error(&cmd_policy,
				       "settings are at most %d characters",
				       CM_PAGE_TEXT - 1);
	return live_set(&cmd_policy, &choice, settings);
}

static int run(int argc, char **argv)
{
	if (!argc)
		return cmd_usage_error(&cmd_policy, "get or set is needed");
	if (strcmp(argv[0], "set") == 0)
		return set(argc - 1, argv + 1);
	if (strcmp(argv[0], "get") != 0)
		return cmd_usage_error(&cmd_policy, "not get or set: %s",
				       argv[0]);
	if (arg.all || arg.name || arg.wait)
		return cmd_usage_error(&cmd_policy,
				       "get takes no option but --json");
	if (argc != 2)
		return cmd_usage_error(&cmd_policy, "get takes one process id");
	return get(argv[1]);
}

const struct cmd cmd_policy = {
	.name = "policy",
	.summary = "show or change the settings of running processes",
	.usage = "  cxlctl policy get [--json] PID\n"
		 "  cxlctl policy set [-w MS] [--json] PID SETTING...\n"
		 "  cxlctl policy set [-w MS] [--json] --all | --name=GLOB "
		 "SETTING...\n",
	.example = "  cxlctl policy set 1234 policy=interleave,interleave=3:1\n"
		   "  cxlctl policy set --name 'redis*' order=cxl:ddr\n",
	.opts = opts,
	.args = "get|set PID KEY=VALUE",
	.run = run,
};
