/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd - what a command of cxlctl is
 *
 * To add one: a file cmd_NAME.c that defines struct cmd cmd_NAME, its row in
 * commands.def, man/cxlctl-NAME.1. A command knows nothing of another; what
 * two need is in a file of its own.
 */
#ifndef CXLCTL_CMD_H
#define CXLCTL_CMD_H

#include <stdbool.h>
#include <stdint.h>

/* Exit codes: EXIT_SUCCESS, EXIT_FAILURE, and: the command line is wrong. */
#define EXIT_USAGE	2

struct opt {
	const char *name;	/* "json" for --json; NULL ends the table */
	char letter;		/* 'j' for -j too; 0: none */
	/*
	 * What --help calls the argument; NULL: none. The completion knows
	 * FILE, DIR, NODE, NODES, PID, COMMAND and KEY=VALUE, takes words with
	 * '|' between them as they are, and an option's name that is a key of
	 * cxlctl options for its words.
	 */
	const char *arg;
	const char *help;
	bool *flag;		/* set, for an option without argument */
	const char **value;	/* set, for one with; NULL: see take */
};

struct cmd {
	const char *name;
	const char *summary;
	const char *usage;	/* below "Usage: ", lines end in \n */
	const char *example;
	const struct opt *opts;
	/*
	 * What the arguments are, for the completion: names as in struct opt
	 * with a blank between them, the last for all that follow; NULL: none.
	 */
	const char *args;
	/*
	 * Hears of options with an argument and no place for it, in the order
	 * they are given; not 0 is the exit status, and it has said why.
	 */
	int (*take)(const struct opt *opt, const char *value);
	bool stops_at_argument;	/* what follows it is another program's */
	/* argv[0] is the first argument behind the options */
	int (*run)(int argc, char **argv);
};

/* Say what is wrong with the command line and return EXIT_USAGE. */
int cmd_usage_error(const struct cmd *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Write s to stdout as a JSON string; what is no UTF-8 becomes U+FFFD. */
void cmd_json_string(const char *s);

/* ,"key":value for the second and later members; null for none, NULL, "". */
void cmd_json_number(const char *key, uint64_t value, uint64_t none);
void cmd_json_text(const char *key, const char *text);

struct cm_nodeset;
/* [0,1] */
void cmd_json_nodes(const struct cm_nodeset *nodes);

/*
 * The key that an option of a command stands for, as its row in options.def:
 * "ddr-limit" is ddr.limit, "on-full" is on_full. -ENOENT: none.
 */
int cmd_option_of(const char *name);

/* Bytes as "64.0 MiB"; good for four calls. */
const char *cmd_human(uint64_t bytes);

/* Every command, then NULL. */
extern const struct cmd *const cmd_all[];
#define COMMAND(name)	extern const struct cmd cmd_##name;
#include "commands.def"

#endif
