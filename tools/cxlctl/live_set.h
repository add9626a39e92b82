/* SPDX-License-Identifier: BSD-2-Clause */
/* live_set - settings to one process or many; policy set and limit set */
#ifndef CXLCTL_LIVE_SET_H
#define CXLCTL_LIVE_SET_H

#include "cmd.h"
#include "control/page.h"

#define LIVE_WAIT_MS	100
#define LIVE_WAIT_MAX	600000

struct live_choice {
	const char *pid;	/* of one; NULL: of all whose name fits */
	const char *name;	/* a pattern as of a shell; NULL: any */
	const char *wait;	/* milliseconds as written; NULL: LIVE_WAIT_MS */
	bool json;
};

/* A PID as written; 0: it is none, and who called has been told. */
long live_pid_of(const struct cmd *cmd, const char *text);

/*
 * Check settings, ask for them, print what became of it. An exit status. The
 * settings are a list as in CXLMALLOC_CONF.
 */
int live_set(const struct cmd *cmd, const struct live_choice *choice,
	     const char *settings);

/* argv's settings as one list; false: too long */
bool live_join_settings(char text[CM_PAGE_TEXT], int argc, char **argv);

#endif
