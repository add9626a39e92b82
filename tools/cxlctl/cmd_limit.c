/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl limit - the tiers' limits of running processes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/line.h"
#include "cmd.h"
#include "live_set.h"

static struct {
	bool json, all;
	const char *name, *wait;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, one object", &arg.json, NULL },
	{ "all", 'a', NULL, "every process one may reach", &arg.all, NULL },
	{ "name", 0, "GLOB", "those of that name", NULL, &arg.name },
	{ "wait", 'w', "MS", "for the answer, 100", NULL, &arg.wait },
	{ 0 }
};

/* "ddr=1g,cxl=none" as settings; false: something else, and it was said */
static bool add_limits(struct cm_line *line, const char *text)
{
	size_t len;

	for (; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		if (!len)
			continue;
		if (strncmp(text, "ddr=", 4) != 0 &&
		    strncmp(text, "cxl=", 4) != 0) {
			(void)cmd_usage_error(&cmd_limit,
					      "%.*s: not ddr=SIZE or cxl=SIZE",
					      (int)len, text);
			return false;
		}
		cm_line_fmt(line, "%s%.3s.limit", line->len ? "," : "", text);
		cm_line_put(line, text + 3, len - 3);
	}
	return true;
}

static int run(int argc, char **argv)
{
	struct live_choice choice = { NULL, arg.name, arg.wait, arg.json };
	char settings[CM_PAGE_TEXT];
	struct cm_line line;

	if (!argc || strcmp(argv[0], "set") != 0)
		return cmd_usage_error(&cmd_limit, "set is needed");
	argc--;
	argv++;
	if (arg.all && arg.name)
		return cmd_usage_error(&cmd_limit, "--all or --name, not both");
	if (!arg.all && !arg.name) {
		if (!argc)
			return cmd_usage_error(
				&cmd_limit,
				"set takes a process id, --all or --name");
		choice.pid = argv[0];
		argc--;
		argv++;
	}
	cm_line_init(&line, settings, sizeof(settings), -1);
	for (int i = 0; i < argc; i++)
		if (!add_limits(&line, argv[i]))
			return EXIT_USAGE;
	if (line.cut)
		return cmd_usage_error(&cmd_limit,
				       "limits are at most %d characters",
				       CM_PAGE_TEXT - 1);
	return live_set(&cmd_limit, &choice, settings);
}

const struct cmd cmd_limit = {
	.name = "limit",
	.summary = "change the limits of running processes",
	.usage = "  cxlctl limit set [-w MS] [--json] PID TIER=SIZE...\n"
		 "  cxlctl limit set [-w MS] [--json] --all | --name=GLOB "
		 "TIER=SIZE...\n",
	.example = "  cxlctl limit set 1234 ddr=1g cxl=none\n",
	.opts = opts,
	.args = "set PID ddr=|cxl=",
	.run = run,
};
