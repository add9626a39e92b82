/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - descriptors that wake who polls them when something changed
 *
 * Each is an epoll instance with one file in it: a socket that receives the
 * kernel's messages of nodes and memory, or an eventfd where that cannot be
 * had. To wake the poller cm_event_tell makes the instance wait for that file
 * to be writable, too, which it always is. So nothing is ever written to a
 * number that the program may have closed and opened as another file: epoll_ctl
 * refuses what is no epoll instance with that very file in it.
 *
 * Synchronization
 *   nr_open     atomic; what tellers look at, relaxed
 *   slot.fds    atomic: 0 free, 1 being filled, else both descriptors; pid and
 *               bits are written before it
 *   slot.bits   atomic; who sets the first bit wakes, who reads takes all
 * No lock, no memory: any thread, hooks and signal handlers may tell.
 *
 * A child of fork has its parent's descriptors, which are the parent's files:
 * it wakes none of them and may not read them, as that would take the parent's
 * messages. They are told apart by their process.
 */
#ifndef CM_SYS_EVENT_H
#define CM_SYS_EVENT_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/types.h"

/* As CXLM_EVENT_* of cxlmalloc/info.h. */
#define CM_EVENT_NODES	1u
#define CM_EVENT_POLICY 2u
#define CM_EVENT_LIMIT	4u
#define CM_EVENT_FULL	8u

#define CM_EVENT_MAX	16

extern _Atomic unsigned cm_event_nr_open CM_HIDDEN;

CM_COLD void cm_event_tell_open(unsigned what);

/* Something changed. Keeps errno. */
static inline void cm_event_tell(unsigned what)
{
	if (unlikely(atomic_load_explicit(&cm_event_nr_open,
					  memory_order_relaxed)))
		cm_event_tell_open(what);
}

/* A descriptor; -ENOSPC, or the kernel's -errno. */
int cm_event_open(void);

/* What was told since the last time, and 0; -EBADF. */
int cm_event_read(int fd);

/* 0; -EBADF. */
int cm_event_close(int fd);

/*
 * Is it a message of the kernel's that nodes or memory changed:
 * "online@/devices/system/memory/memory32"? The filter of the socket passes
 * just these.
 */
bool cm_event_is_memory(const char *message, size_t len);
bool cm_event_set_filter(int fd);

#endif
