/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * room - is there memory on the nodes for what a pool wants to commit?
 *
 * A limit is the operator's; this is the machine's. The kernel gives memory
 * when it is touched, and a strictly bound touch that finds none meets the
 * out-of-memory killer. So a bound pool looks at its nodes before it commits:
 * free memory, plus what the kernel drops at once (inactive page cache, free
 * slab), less what this process committed and has not touched yet, less a
 * part that stays free for the kernel. Looks are rare: each grants a share of
 * what it saw, and only when that is used up comes the next.
 *
 * It is a promise as far as one process can give it: others may take the
 * memory between the look and the touch (man 3 cxlmalloc).
 *
 * A block is charged (hooks.c) before the nodes are asked, so threads that ask
 * at the same time see each other's promises, and rather both go elsewhere.
 *
 * Synchronization: all fields atomic, relaxed.
 */
#ifndef CM_POOL_ROOM_H
#define CM_POOL_ROOM_H

#include <stdatomic.h>

#include "base/types.h"

struct cm_pool;

struct cm_room {
	_Atomic uint64_t granted;	/* bytes before the next look */
	_Atomic uint64_t granted_until_ms;
	_Atomic uint64_t retry_ms;	/* found none: not before this */
	_Atomic unsigned group;		/* the place's that takes new ranges;
					 * their number: all nodes together */
};

/* For hooks, after `bytes` were charged. False: no room, uncharge them. */
bool cm_room_take(struct cm_pool *pool, uint64_t bytes);

/* As if it had found none, and the pool full. */
void cm_room_close(struct cm_pool *pool);

/* It found none a moment ago. */
bool cm_room_is_out(struct cm_pool *pool);

/* Nodes changed: what was seen of them no longer counts. */
void cm_room_forget(struct cm_pool *pool);

/* Milliseconds of a clock that is cheap to read and only goes forward. */
uint64_t cm_room_now_ms(void);

#endif
