/* SPDX-License-Identifier: BSD-2-Clause */
/* arena - a pool's jemalloc arenas, and which thread uses which */
#ifndef CM_POOL_ARENA_H
#define CM_POOL_ARENA_H

#include "pool/pool.h"
#include "pool/thread.h"

/*
 * Tie the calling thread to an arena of the pool: its automatic cache in that
 * instance then draws from there only. Once per thread and pool.
 */
bool cm_arena_attach(struct cm_pool *pool, struct cm_thread *thread);

/*
 * Start the pool's instance, which it else does with its first arena: that
 * takes 11 KiB of stack.
 */
void cm_arena_start(struct cm_pool *pool);

/* Fill in arena[].nr_active. */
void cm_arena_learn(struct cm_pool *pool);

/* The thread is going: its arenas have one user less. */
void cm_arena_leave(struct cm_thread *thread);
bool cm_arena_left_since(uint64_t ms);	/* some thread, by cm_room_now_ms */

/*
 * cm_arena_lock, for who makes arenas for another purpose, and one with these
 * hooks in an instance that has started.
 */
void cm_arena_hold(void);
void cm_arena_release(void);
bool cm_arena_make(const struct cm_je *je, struct cm_extent_hooks *hooks,
		   unsigned *index);

/* Where jemalloc counts the pages in use of an arena, or NULL. */
const size_t *cm_arena_active(const struct cm_je *je, unsigned arena);

/* fork: lock order in base/lock.h. In the child only `thread` is left. */
void cm_arena_fork_prepare(void);
void cm_arena_fork_parent(void);
void cm_arena_fork_child(const struct cm_thread *thread);

/* Called with a thread once it is attached somewhere: arranges cm_arena_leave. */
extern void (*cm_arena_on_attach)(struct cm_thread *thread);

#endif
