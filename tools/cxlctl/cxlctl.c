/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl - look at and check what libcxlmalloc does; see cxlctl(1) */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "config.h"

const struct cmd *const cmd_all[] = {
#define COMMAND(name)	&cmd_##name,
#include "commands.def"
	NULL,
};

#define OPTS_MAX	24
/* what getopt returns for --help and for options without a letter */
#define HELP_CODE	256

int cmd_usage_error(const struct cmd *cmd, const char *fmt, ...)
{
	const char *space = cmd ? " " : "";
	const char *name = cmd ? cmd->name : "";
	va_list ap;

	fprintf(stderr, "cxlctl%s%s: ", space, name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry: cxlctl%s%s --help\n", space, name);
	return EXIT_USAGE;
}

static void print_help(void)
{
	printf("Usage: cxlctl [--version | --help]\n"
	       "       cxlctl COMMAND [OPTION]... [ARGUMENT]...\n\n"
	       "Commands:\n");
	for (size_t i = 0; cmd_all[i]; i++)
		printf("  %-10s %s\n", cmd_all[i]->name, cmd_all[i]->summary);
	printf("\ncxlctl COMMAND --help says more. Exit status: 0 done, "
	       "1 failed, 2 wrong usage.\n");
}

static void print_command_help(const struct cmd *cmd)
{
	const struct opt *opt;
	char left[32];

	printf("cxlctl %s - %s\n\nUsage:\n%s\nOptions:\n", cmd->name,
	       cmd->summary, cmd->usage);
	for (opt = cmd->opts; opt->name; opt++) {
		snprintf(left, sizeof(left), "%s%s%s", opt->name,
			 opt->arg ? "=" : "", opt->arg ? opt->arg : "");
		if (opt->letter)
			printf("  -%c, --%-16s %s\n", opt->letter, left,
			       opt->help);
		else
			printf("      --%-16s %s\n", left, opt->help);
	}
	printf("  -h, --%-16s %s\n\nExample:\n%s", "help", "show this",
	       cmd->example);
}

/* getopt_long's two tables from ours */
static void fill_getopt(const struct cmd *cmd, struct option *longs,
			char *shorts)
{
	const struct opt *opts = cmd->opts;
	size_t i;

	if (cmd->stops_at_argument)
		*shorts++ = '+';
	*shorts++ = ':';	/* a missing argument is ':' */
	*shorts++ = 'h';
	for (i = 0; opts[i].name && i < OPTS_MAX; i++) {
		longs[i] = (struct option){
			opts[i].name,
			opts[i].arg ? required_argument : no_argument,
			NULL,
			opts[i].letter ? opts[i].letter :
					 HELP_CODE + 1 + (int)i,
		};
		if (opts[i].letter) {
			*shorts++ = opts[i].letter;
			if (opts[i].arg)
				*shorts++ = ':';
		}
	}
	longs[i++] = (struct option){ "help", no_argument, NULL, HELP_CODE };
	longs[i] = (struct option){ 0 };
	*shorts = '\0';
}

/* 0; -EINVAL: there is none with this code; else the exit status */
static int take_option(const struct cmd *cmd, int code)
{
	const struct opt *opts = cmd->opts;

	for (size_t i = 0; opts[i].name; i++) {
		if (code != HELP_CODE + 1 + (int)i &&
		    (!opts[i].letter || code != opts[i].letter))
			continue;
		if (!opts[i].arg)
			*opts[i].flag = true;
		else if (opts[i].value)
			*opts[i].value = optarg;
		else
			return cmd->take(&opts[i], optarg);
		return 0;
	}
	return -EINVAL;
}

static int run_command(const struct cmd *cmd, int argc, char **argv)
{
	struct option longs[OPTS_MAX + 2];
	char shorts[2 * OPTS_MAX + 4];
	int code, status;

	fill_getopt(cmd, longs, shorts);
	opterr = 0;
	for (;;) {
		code = getopt_long(argc, argv, shorts, longs, NULL);
		if (code == -1)
			break;
		if (code == 'h' || code == HELP_CODE) {
			print_command_help(cmd);
			return EXIT_SUCCESS;
		}
		if (code == ':')
			return cmd_usage_error(cmd, "%s needs an argument",
					       argv[optind - 1]);
		status = take_option(cmd, code);
		if (status > 0)
			return status;
		if (status < 0)
			return cmd_usage_error(cmd, "unknown option %s",
					       argv[optind - 1]);
	}
	return cmd->run(argc - optind, argv + optind);
}

static int run(int argc, char **argv)
{
	const char *name;

	if (argc < 2)
		return cmd_usage_error(NULL, "a command is needed");
	name = argv[1];
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		printf("cxlctl %s\njemalloc %s\n", PACKAGE_VERSION,
		       CM_JEMALLOC_VERSION);
		return EXIT_SUCCESS;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_help();
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; cmd_all[i]; i++)
		if (strcmp(name, cmd_all[i]->name) == 0)
			return run_command(cmd_all[i], argc - 1, argv + 1);
	return cmd_usage_error(NULL, "unknown %s %s",
			       *name == '-' ? "option" : "command", name);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	/* a full disk is a failure too */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("cxlctl: standard output");
		return EXIT_FAILURE;
	}
	return status;
}
