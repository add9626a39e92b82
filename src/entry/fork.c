/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork - take every lock in one order, so that the child finds none held
 *
 * glibc's fork runs the prepare handlers, then takes the lock of its list of
 * open files. A thread in fflush(NULL) holds that lock and waits for a FILE,
 * whose holder (in getline) waits for malloc: so that lock must be had before
 * jemalloc's, or the three wait for each other for ever. It is recursive, so
 * fork can take it again; in the child glibc resets it, once or twice alike.
 */
#include <pthread.h>

#include "base/compiler.h"
#include "entry/background.h"
#include "entry/channel.h"
#include "entry/fork.h"
#include "entry/nodes.h"
#include "entry/site.h"
#include "entry/profile.h"
#include "policy/snapshot.h"
#include "pool/arena.h"
#include "pool/je.h"

/* glibc's, exported for gdb and others; another libc need not have them. */
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
extern void _IO_list_resetlock(void) __attribute__((weak));

static void prepare(void)
{
	if (_IO_list_lock && _IO_list_unlock && _IO_list_resetlock)
		_IO_list_lock();
	cm_nodes_fork_prepare();
	cm_arena_fork_prepare();
	cm_je_fork_prepare();
}

static void parent(void)
{
	cm_je_fork_parent();
	cm_arena_fork_parent();
	cm_nodes_fork_done();
	if (_IO_list_lock && _IO_list_unlock && _IO_list_resetlock)
		_IO_list_unlock();
}

static void child(void)
{
	cm_je_fork_child();
	cm_arena_fork_child(&cm_thread);
	cm_snapshot_fork_child();
	cm_channel_fork_child();
	cm_site_fork_child();
	cm_nodes_fork_done();
	cm_background_fork_child();
	cm_profile_fork_child();
	if (_IO_list_lock && _IO_list_unlock && _IO_list_resetlock)
		_IO_list_resetlock();
}

void cm_fork_init(void)
{
	(void)pthread_atfork(prepare, parent, child);
}
