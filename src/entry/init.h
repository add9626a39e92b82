/* SPDX-License-Identifier: BSD-2-Clause */
/* init - from the first call to the last report */
#ifndef CM_ENTRY_INIT_H
#define CM_ENTRY_INIT_H

#include "base/compiler.h"
#include "base/report.h"
#include "base/settings.h"

enum cm_life {
	CM_LIFE_NEW,		/* nobody called yet */
	CM_LIFE_STARTING,	/* one thread is in cm_init */
	CM_LIFE_READY,
};

struct cm_process {
	_Atomic int life;		/* enum cm_life */
	enum cm_state state;		/* written before READY */
	bool passed_through;		/* cm_foreign_serves: use cm_next() */
	struct cm_settings settings;	/* entry/live.c changes it */
};

extern struct cm_process cm_process CM_HIDDEN;

/*
 * Start the library unless it has been. False only on the thread that is
 * starting it right now: its allocations are cm_early_alloc's.
 */
bool cm_init(void);

/* Around a fork: no thread is in the middle of starting. */
void cm_init_fork_prepare(void);
void cm_init_fork_done(void);

/* Fill a report of this process as it is now. */
void cm_init_report(struct cm_report *report);

#endif
