/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/snapshot.h"

#include <errno.h>
#include <stdatomic.h>

struct readers {
	_Atomic unsigned nr;
} __attribute__((aligned(64)));

static struct slot {
	struct cm_policy_snapshot policy;
	struct readers readers[CM_NR_READER_SHARDS];
} slots[CM_NR_SNAPSHOTS];

static _Atomic unsigned current;

const struct cm_policy_snapshot *
cm_snapshot_enter(const void *self, struct cm_snapshot_ticket *ticket)
{
	/* Threads' blocks of TLS lie pages apart. */
	unsigned shard = ((uintptr_t)self >> 12) % CM_NR_READER_SHARDS;
	unsigned now = atomic_load(&current);

	for (;;) {
		_Atomic unsigned *nr = &slots[now].readers[shard].nr;
		unsigned again;

		atomic_fetch_add(nr, 1);
		again = atomic_load(&current);
		if (likely(again == now))
			break;
		atomic_fetch_sub(nr, 1);
		now = again;
	}
	*ticket = (struct cm_snapshot_ticket){ now, shard };
	return &slots[now].policy;
}

void cm_snapshot_leave(const struct cm_snapshot_ticket *ticket)
{
	/* Release: what was read was read before this. */
	atomic_fetch_sub(&slots[ticket->slot].readers[ticket->shard].nr, 1);
}

static bool is_read(struct slot *slot)
{
	for (unsigned i = 0; i < CM_NR_READER_SHARDS; i++)
		if (atomic_load(&slot->readers[i].nr))
			return true;
	return false;
}

int cm_snapshot_publish(const struct cm_policy_snapshot *policy)
{
	unsigned now = atomic_load(&current);

	for (unsigned i = 1; i < CM_NR_SNAPSHOTS; i++) {
		unsigned next = (now + i) % CM_NR_SNAPSHOTS;

		if (is_read(&slots[next]))
			continue;
		slots[next].policy = *policy;
		atomic_store(&current, next);
		return 0;
	}
	return -EBUSY;
}

void cm_snapshot_fork_child(void)
{
	for (unsigned s = 0; s < CM_NR_SNAPSHOTS; s++)
		for (unsigned i = 0; i < CM_NR_READER_SHARDS; i++)
			atomic_store(&slots[s].readers[i].nr, 0);
}
