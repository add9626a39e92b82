/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emit - a struct cm_report as a table for people or JSON for programs
 *
 * Called by entry/ at exit and by cxlctl. No malloc, no stdio, 20 KiB of
 * stack at most. A report goes out in one write(2) (a report beyond 16 KiB:
 * hundreds of nodes, in several), so that the reports of several processes
 * appended to one file do not mix. errno is kept.
 *
 * JSON: one line and a newline. Sizes are integers of bytes; a key has the
 * same type in every state, or null.
 */
#ifndef CM_CONTROL_EMIT_H
#define CM_CONTROL_EMIT_H

#include "base/report.h"
#include "base/settings.h"

/* 0 or the -errno of the first write that failed */
int cm_emit(const struct cm_report *report, enum cm_stats_format format,
	    int fd);

/*
 * To settings->stats_file, appended, or to stderr when there is none. A file
 * that cannot be opened is said on stderr, gets the report on stderr, and its
 * -errno is returned. Not opened: symbolic links (-ELOOP), pipes nobody
 * reads (-ENXIO).
 */
int cm_emit_file(const struct cm_report *report,
		 const struct cm_settings *settings);

/*
 * Many programs close stderr in their exit handlers, before we report there.
 * Called at start, when a report is to go to stderr, this keeps a duplicate
 * for cm_emit_file; if the program closes that too, or puts another file in
 * its place, the report is dropped.
 */
void cm_emit_hold_stderr(void);

/*
 * A file by a name as stats_file has it (%p), opened to be written anew as that
 * one is to be appended to. A descriptor, or -errno.
 */
int cm_emit_open_new(const char *pattern, int pid);

#endif
