/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd - what a command of cxlctl is
 *
 * To add one: a file cmd_NAME.c that defines a struct cmd, its row in
 * cxlctl.c, its section in man/cxlctl.1. A command knows nothing of another.
 */
#ifndef CXLCTL_CMD_H
#define CXLCTL_CMD_H

#include <stdbool.h>

/* Exit codes: EXIT_SUCCESS, EXIT_FAILURE, and: the command line is wrong. */
#define EXIT_USAGE	2

struct opt {
	const char *name;	/* "json" for --json; NULL ends the table */
	char letter;		/* 'j' for -j too; 0: none */
	const char *arg;	/* what --help calls the argument; NULL: none */
	const char *help;
	bool *flag;		/* set, for an option without argument */
	const char **value;	/* set, for one with */
};

struct cmd {
	const char *name;
	const char *summary;
	const char *usage;	/* below "Usage: ", lines end in \n */
	const char *example;
	const struct opt *opts;
	/* argv[0] is the first argument behind the options */
	int (*run)(int argc, char **argv);
};

/* Say what is wrong with the command line and return EXIT_USAGE. */
int cmd_usage_error(const struct cmd *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Write s to stdout as a JSON string. */
void cmd_json_string(const char *s);

extern const struct cmd cmd_conf;
extern const struct cmd cmd_drain;
extern const struct cmd cmd_options;

#endif
