/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile - who allocates how much, by call stack; and a tier for each of them
 *
 * record: blocks of CM_PROFILE_PERIOD bytes and more are counted, of smaller
 * ones one in as many bytes a thread allocates stands for the rest. At exit a
 * file has a line for each stack, most bytes first:
 *
 *	HASH TIER NUMBER BYTES MODULE+0xOFFSET...
 *
 * apply: reads such a file at start; HASH and TIER (ddr, cxl, or - for the
 * policy's choice) are what matters, and the first frame, by which most sites
 * are known without a look at the stack.
 *
 * Synchronization: counts are atomic. A stack's slot is claimed by its hash,
 * then filled, then marked: readers come at exit. What apply reads is written
 * at start and read-only from then on.
 */
#ifndef CM_ENTRY_PROFILE_H
#define CM_ENTRY_PROFILE_H

#include "base/settings.h"

#define CM_PROFILE_PERIOD	(64 * KIB)

/* At start, no thread but this; what the file says wrong is one line. */
void cm_profile_begin(const struct cm_profile_settings *settings);

/* Its stack, for this many blocks of this size together. */
void cm_profile_record(const void *site, uint64_t nr, uint64_t bytes);

/* Once at exit. */
void cm_profile_end(void);

/* In the child of fork: its counts are its own. */
void cm_profile_fork_child(void);

/* What a site's stacks have: a tier + 1; 0: nothing; or it depends. */
#define CM_PROFILE_DEPENDS	(CM_NR_TIERS + 1U)
unsigned cm_profile_of_site(uintptr_t site);
unsigned cm_profile_of_stack(const void *site);

#endif
