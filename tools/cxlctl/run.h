/* SPDX-License-Identifier: BSD-2-Clause */
/* run - the parts of cxlctl run: what the command is, what the kernel does */
#ifndef CXLCTL_RUN_H
#define CXLCTL_RUN_H

#include <stdbool.h>

#include "base/settings.h"

/* NULL: a shared library this machine's programs can load; else why not. */
const char *run_not_a_library(const char *path);

/* Why the loader will not put a library into a program. */
enum run_reach {
	RUN_LOADS,	/* it will, or this is not for us to say */
	RUN_STATIC,	/* no loader; what the program starts has one */
	RUN_FOREIGN,	/* other word size or machine */
	RUN_SECURE,	/* setuid, setgid, file capabilities: the loader removes
			 * LD_PRELOAD, for the program's children too */
};

/*
 * What happens to a command as execvp(3) finds it; of a script, to its
 * interpreter. *program is that file's name, for messages, until the next call.
 */
enum run_reach run_reach_of(const char *command, const char **program);

/*
 * Give this process, and what it executes, the kernel memory policy that
 * comes nearest to settings. Says in one line on stderr why it does not.
 *
 * returns  1  set;  0  there is nothing to choose from;  -1  not possible
 */
int run_set_memory_policy(const struct cm_settings *settings);

/*
 * The nodes of the order's tiers; all this process may use where a tier has
 * none of its own, empty where the kernel tells no nodes. 0; -1: said.
 */
int run_tier_nodes(const struct cm_settings *settings,
		   struct cm_nodeset *nodes);

/* Become the command. Returns the exit status where that fails, said. */
int run_exec(char **argv);

struct isolate;
/* The command in its group, which ends with it; returns its exit status. */
int run_in_group(struct isolate *iso, char **argv);

#endif
