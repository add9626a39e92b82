/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel - this process's page for cxlctl (control/page.h)
 *
 * Synchronization: cm_channel_begin is called by one thread before the others
 * run, or by whoever holds entry/nodes.c's `looking`, as all else here;
 * cm_channel_asked by any slow path.
 */
#ifndef CM_ENTRY_CHANNEL_H
#define CM_ENTRY_CHANNEL_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "control/page.h"

/* Where requests are numbered, and the last number this process has met. */
extern const _Atomic uint32_t *_Atomic cm_channel_number CM_HIDDEN;
extern _Atomic uint32_t cm_channel_met CM_HIDDEN;

/* Has cxlctl written something? On slow paths. */
static inline bool cm_channel_asked(void)
{
	const _Atomic uint32_t *number = atomic_load_explicit(
		&cm_channel_number, memory_order_relaxed);

	return unlikely(
		atomic_load_explicit(number, memory_order_relaxed) !=
		atomic_load_explicit(&cm_channel_met, memory_order_relaxed));
}

/*
 * Make the page, unless there is one or it is not wanted or cannot be had;
 * a page whose descriptor the program has closed is replaced.
 */
void cm_channel_begin(void);

/* The next request, its number; 0: none. Its text is printable ASCII. */
uint32_t cm_channel_request(char text[CM_PAGE_TEXT + 1]);
void cm_channel_answer(uint32_t number, enum cm_page_result result,
		       const char *text);

/* What the pools hold, the configuration if it has changed. */
void cm_channel_publish(void);

/* The child's is its own, made at its first look. */
void cm_channel_fork_child(void);

#endif
