/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot - the policy in force, and how it is replaced while it is read
 *
 * A few slots, never freed. A reader counts itself into the current one, a
 * writer fills one that nobody reads and makes it current. Nobody ever waits:
 * if every other slot still has readers the writer is told, and comes again.
 *
 * This is the read side of SRCU with a grace period that is looked at, not
 * waited for. liburcu has none like it that starts no thread and registers no
 * reader by calling malloc; docs/ARCHITECTURE.md has the comparison.
 *
 * Synchronization
 *   I1 a reader reads a slot only between cm_snapshot_enter and _leave, and
 *      only if the slot was current after the reader had counted itself in.
 *   I2 a writer fills a slot only if it is not current and its readers are 0,
 *      looked at after it stopped being current.
 *   So one that counts itself in late sees another slot current and takes
 *   itself out without having read; one the writer did not see cannot be.
 *   Both sides store and then load: all four are sequentially consistent.
 *   Writers are one at a time (entry/nodes.c `looking`).
 */
#ifndef CM_POLICY_SNAPSHOT_H
#define CM_POLICY_SNAPSHOT_H

#include "base/compiler.h"
#include "policy/policy.h"

#define CM_NR_SNAPSHOTS 8
#define CM_NR_READER_SHARDS 8

struct cm_snapshot_ticket {
	unsigned slot, shard;
};

/*
 * The policy in force, unchanged until the ticket is given back. self: any
 * address of the calling thread's, spreads readers over counters. May be
 * nested, on slow paths only; lock-free, safe in signal handlers.
 */
const struct cm_policy_snapshot *
cm_snapshot_enter(const void *self, struct cm_snapshot_ticket *ticket);
void cm_snapshot_leave(const struct cm_snapshot_ticket *ticket);

/* Put a copy in force. 0; -EBUSY: every slot is being read. */
int cm_snapshot_publish(const struct cm_policy_snapshot *policy);

/* In a forked child: threads that were reading are not here. */
void cm_snapshot_fork_child(void);

#endif
