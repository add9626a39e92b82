/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usual - the case that needs no decision
 *
 * What the thread's cache cannot serve (it is empty, or the size has none) goes
 * to jemalloc's own slow path, without a way round through the policy, as long
 * as nothing is out of the ordinary: the thread has its arena there, the tier is
 * not full and refused nothing, nobody asked for caches or for another policy,
 * and it is not time for a look at the machine. Everything else is entry/slow.c's.
 */
#ifndef CM_ENTRY_USUAL_H
#define CM_ENTRY_USUAL_H

#include <errno.h>

#include "base/state.h"
#include "entry/nodes.h"
#include "pool/full.h"

/*
 * One in so many calls reads the clock, which costs as much as the rest. When a
 * look is due no call is usual until the slow path has had it.
 */
#define CM_CALLS_PER_LOOK	8

static inline bool cm_usual(enum cm_tier tier)
{
	struct cm_thread *thread = &cm_thread;
	const struct cm_refusals *refusals = &thread->refusals[tier];

	thread->refused[tier] = false;
	return likely(thread->settled[tier] && !cm_full_is(&cm_pool[tier]) &&
		      !(refusals->sizes[0] | refusals->sizes[1]) &&
		      thread->flushed ==
			      atomic_load_explicit(&cm_full_flush_wanted,
						   memory_order_relaxed) &&
		      !cm_channel_asked() &&
		      ((thread->nr_usual + 1) % CM_CALLS_PER_LOOK ||
		       !cm_nodes_is_due()) &&
		      ++thread->nr_usual);
}

/* It had nothing: jemalloc set errno, but another tier may yet serve. */
static inline void cm_usual_failed(enum cm_tier tier)
{
	if (cm_thread.refused[tier])
		errno = cm_thread.errno_before;
}

#endif
