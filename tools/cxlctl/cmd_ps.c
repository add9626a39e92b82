/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl ps - the processes under the library, and what they hold where */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "rows.h"

static struct {
	bool json;
	const char *name;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, sizes in bytes", &arg.json, NULL },
	{ "name", 0, "GLOB", "only those of that name", NULL, &arg.name },
	{ 0 }
};

static int run(int argc, char **argv)
{
	struct rows rows = { 0 };
	int err;

	if (argc)
		return cmd_usage_error(&cmd_ps, "unexpected %s", argv[0]);
	err = rows_collect(&rows, arg.name);
	if (err) {
		fprintf(stderr, "cxlctl ps: /proc: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	if (arg.json)
		rows_print_json(&rows);
	else
		rows_print(&rows);
	rows_free(&rows);
	return EXIT_SUCCESS;
}

const struct cmd cmd_ps = {
	.name = "ps",
	.summary = "list the processes under the library",
	.usage = "  cxlctl ps [--name=GLOB] [--json]\n",
	.example = "  cxlctl ps --name 'redis*'\n",
	.opts = opts,
	.run = run,
};
