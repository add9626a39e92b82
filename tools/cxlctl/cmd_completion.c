/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cxlctl completion - words for a shell, from the tables of commands and options
 *
 * What is written is tables, as functions that set variables, and behind them
 * completion.bash, which is the same for all tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "config.h"
#include "control/option.h"

static const struct opt opts[] = { { 0 } };

static const char script[] =
#include "completion.h"
	;

/* Words for the values of a key; "FILE" stands for paths, "" for none. */
static void print_values(unsigned id)
{
	const char *word;

	switch (cm_options[id].type) {
	case CM_OPTION_BOOL:
		printf("true false");
		return;
	case CM_OPTION_ORDER:
		printf("ddr:cxl cxl:ddr ddr cxl");
		return;
	case CM_OPTION_WEIGHTS:
		printf("auto");
		return;
	case CM_OPTION_LIMIT:
		printf("none");
		return;
	case CM_OPTION_PATH:
		printf("FILE");
		return;
	default:
		break;
	}
	for (unsigned n = 0; (word = cm_option_nth_word(id, n)); n++)
		printf("%s%s", n ? " " : "", word);
}

static void print_keys(void)
{
	printf("_cxlctl_keys='");
	for (unsigned i = 0; i < CM_NR_OPTIONS; i++)
		printf("%s%s=", i ? " " : "", cm_options[i].key);
	printf("'\n_cxlctl_key()\n{\n\tcase $1 in\n");
	for (unsigned i = 0; i < CM_NR_OPTIONS; i++) {
		printf("\t%s) REPLY='", cm_options[i].key);
		print_values(i);
		printf("' ;;\n");
	}
	printf("\t*) REPLY= ;;\n\tesac\n}\n\n");
}

static void print_commands(void)
{
	printf("_cxlctl_commands='");
	for (unsigned i = 0; cmd_all[i]; i++)
		printf("%s%s", i ? " " : "", cmd_all[i]->name);
	printf("'\n\n# sets options, args, stops\n_cxlctl_command()\n{\n"
	       "\tcase $1 in\n");
	for (unsigned i = 0; cmd_all[i]; i++) {
		const struct cmd *cmd = cmd_all[i];

		printf("\t%s)\n\t\toptions='", cmd->name);
		for (const struct opt *opt = cmd->opts; opt->name; opt++)
			printf("%s--%s%s", opt > cmd->opts ? " " : "",
			       opt->name, opt->arg ? "=" : "");
		printf("'\n\t\targs='%s' stops=%s\n\t\t;;\n",
		       cmd->args ? cmd->args : "",
		       cmd->stops_at_argument ? "1" : "");
	}
	printf("\t*) return 1 ;;\n\tesac\n}\n\n");
}

static void print_option(const struct cmd *cmd, const struct opt *opt)
{
	int id = cmd_option_of(opt->name);

	printf("\t%s:--%s", cmd->name, opt->name);
	if (opt->letter)
		printf(" | %s:-%c", cmd->name, opt->letter);
	printf(") REPLY='");
	if (id >= 0 && cm_option_nth_word((unsigned)id, 0) == NULL) {
		print_values((unsigned)id);
	} else if (id >= 0) {
		const char *word;

		for (unsigned n = 0;
		     (word = cm_option_nth_word((unsigned)id, n)); n++)
			printf("%s%s", n ? "|" : "", word);
	} else {
		printf("%s", opt->arg);
	}
	printf("' ;;\n");
}

static void print_options(void)
{
	printf("# what follows an option that takes something\n"
	       "_cxlctl_option()\n{\n\tcase $1:$2 in\n");
	for (unsigned i = 0; cmd_all[i]; i++)
		for (const struct opt *opt = cmd_all[i]->opts; opt->name; opt++)
			if (opt->arg)
				print_option(cmd_all[i], opt);
	printf("\t*) return 1 ;;\n\tesac\n}\n\n");
}

static int run(int argc, char **argv)
{
	if (argc != 1 || strcmp(argv[0], "bash") != 0)
		return cmd_usage_error(&cmd_completion,
				       "bash is what there is");
	printf("# bash completion of cxlctl %s; made by: cxlctl completion "
	       "bash\n\n",
	       PACKAGE_VERSION);
	print_commands();
	print_options();
	print_keys();
	fputs(script, stdout);
	return EXIT_SUCCESS;
}

const struct cmd cmd_completion = {
	.name = "completion",
	.summary = "print completions for a shell",
	.usage = "  cxlctl completion bash\n",
	.example = "  eval \"$(cxlctl completion bash)\"\n",
	.opts = opts,
	.args = "bash",
	.run = run,
};
