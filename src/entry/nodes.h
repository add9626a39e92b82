/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nodes - which nodes each tier uses, at start and when the machine changes
 *
 * A look also does what is due now and then: limits that are a share of a
 * cgroup's follow it, and pages free for the decay time go back, also those of
 * threads that do nothing.
 *
 * No thread, no signal: a slow path that comes by at least WATCH_MS after the
 * last look reads two small files and the allowed nodes; only if they differ
 * from what they were is anything done. cxlctl's requests are answered here too,
 * at once. A process that does not allocate
 * notices when it next does.
 */
#ifndef CM_ENTRY_NODES_H
#define CM_ENTRY_NODES_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/settings.h"
#include "entry/channel.h"
#include "pool/room.h"

void cm_nodes_init(const struct cm_settings *settings);

/* A tier's limit in bytes, a share of the process's memory worked out. */
uint64_t cm_nodes_limit(const struct cm_settings *settings, enum cm_tier tier);

extern _Atomic uint64_t cm_nodes_next_look_ms CM_HIDDEN;

CM_COLD void cm_nodes_look(uint64_t now_ms);

static inline bool cm_nodes_is_due(void)
{
	return unlikely(cm_room_now_ms() >=
			atomic_load_explicit(&cm_nodes_next_look_ms,
					     memory_order_relaxed)) ||
	       cm_channel_asked();
}

/* For a report: nodes as they are, not as they were up to 250 ms ago. */
void cm_nodes_refresh(void);

/*
 * For one who reads or changes the settings as a look does (cxlm_ctl): nobody
 * looks until it yields. False: others went on doing so for some 10 ms.
 * changed: what follows from other settings is done now.
 */
bool cm_nodes_claim(void);
void cm_nodes_yield(bool changed);

/* On slow paths. */
static inline void cm_nodes_watch(void)
{
	if (cm_nodes_is_due())
		cm_nodes_look(cm_room_now_ms());
}

/*
 * A look takes no lock and calls jemalloc only to purge: fork waits for one
 * that goes on, before it takes any lock of ours, and holds the next off.
 */
void cm_nodes_fork_prepare(void);
void cm_nodes_fork_done(void);

#endif
