/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen - a terminal drawn over and over, and given back as it was
 *
 * The signals that end or stop a program are taken as events, so that none of
 * them leaves the terminal in our hands. The sequences are ECMA-48's and
 * xterm's alternate screen, which every terminal of today has.
 */
#ifndef CXLCTL_SCREEN_H
#define CXLCTL_SCREEN_H

#include <stdbool.h>

enum screen_event {
	SCREEN_TICK,
	SCREEN_KEY,
	SCREEN_RESIZED,		/* also: back from being stopped */
	SCREEN_INTERRUPTED,	/* *signal says by which */
	SCREEN_EVENTS
};

/*
 * Take signals and start the clock; on a terminal, take that too. 0 or -errno.
 * use_terminal false: standard output is a file, or is to look like one.
 */
int screen_begin(unsigned period_ms, bool use_terminal);
void screen_end(void);

/* Lines and columns, at least 1 each. */
void screen_size(unsigned *rows, unsigned *columns);

/* Everything until screen_show is one picture, which replaces the last. */
void screen_clear(void);
void screen_show(void);

/* What happens next; key is a letter as typed. */
enum screen_event screen_wait(char *key, int *signal);

#endif
