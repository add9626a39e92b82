/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread - what a thread remembers about its pair of pools
 *
 * Only the thread itself reads and writes it, so nothing here is atomic; an
 * extent hook runs on the thread whose malloc or free needed it.
 */
#ifndef CM_POOL_THREAD_H
#define CM_POOL_THREAD_H

#include "base/compiler.h"
#include "base/types.h"

/*
 * What a full tier refused, and the state it was in: until that changes it is
 * refused again without a look (pool/full.c).
 */
struct cm_refusals {
	uint64_t sizes[2];		/* a bit for each size class */
	struct cm_refusal_state {
		uint64_t tick, freed, in_use, used, allowance;
	} state;
};

struct cm_thread {
	/*
	 * The last allocation was refused for the limit. While it is set the
	 * hooks refuse at once: jemalloc tries six ways before it gives up,
	 * and each would map another range and its tables.
	 */
	bool refused[CM_NR_TIERS];
	int errno_before;		/* as it was when a hook refused */
	/* All tiers have refused: one that is elastic goes beyond its limit. */
	bool beyond;
	bool attached[CM_NR_TIERS];
	bool settled[CM_NR_TIERS];	/* attached, and not exiting */
	bool exiting;			/* our TSD destructor ran */
	/*
	 * The tier this thread's allocations are for, before the policy's
	 * choice; 0: none, else the tier + 1. A rule sets it around one call.
	 */
	uint8_t wants;
	bool only;			/* that tier or none (cxlm_malloc) */
	unsigned nr_usual;		/* calls since the last look, see
					 * entry/usual.h */
	unsigned arena[CM_NR_TIERS];	/* slot in the pool's table */
	/* jemalloc's counts of this thread's bytes, where attached. */
	uint64_t *allocated[CM_NR_TIERS];
	uint64_t *freed[CM_NR_TIERS];
	/* Its value when this thread last saw the tier full. */
	uint64_t freed_when_full[CM_NR_TIERS];
	uint64_t added[CM_NR_TIERS];	/* of allocated, see entry/turns.c */
	unsigned epoch;			/* that added is of */
	struct cm_refusals refusals[CM_NR_TIERS];
	unsigned flushed;		/* the last cm_full_flush_wanted met */
	unsigned flushed_pool[CM_NR_TIERS];	/* of each pool */
};

extern CM_TLS struct cm_thread cm_thread CM_HIDDEN;

#endif
