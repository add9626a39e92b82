/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * background - give back in a process that does nothing
 *
 * Memory that became free goes back after the decay time, but somebody has to
 * do it: whoever allocates, by and by, does it for all threads (entry/nodes.c's
 * look). In a process where nobody does, a thread must; only an operator who
 * asks for it (background_thread=true) gets one, since a thread that appears in
 * a program changes what it may do (unshare(2), setns(2), fork's warnings).
 *
 * Synchronization: `started` is claimed by compare and swap; the thread shares
 * nothing else with its starter. It never ends. After a fork the child has none
 * and its first slow path starts one.
 */
#ifndef CM_ENTRY_BACKGROUND_H
#define CM_ENTRY_BACKGROUND_H

#include "base/compiler.h"

/* Start it if it was asked for and is not there. May allocate. */
void cm_background_start(void);

void cm_background_fork_child(void);

#endif
