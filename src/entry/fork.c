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
#include <stdatomic.h>

#include "base/compiler.h"
#include "entry/background.h"
#include "entry/channel.h"
#include "entry/fork.h"
#include "entry/init.h"
#include "entry/nodes.h"
#include "entry/site.h"
#include "entry/profile.h"
#include "policy/snapshot.h"
#include "pool/arena.h"
#include "pool/je.h"

#ifndef CM_MEM
/* glibc's, exported for gdb and others; another libc need not have them. */
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
extern void _IO_list_resetlock(void) __attribute__((weak));

static bool has_list(void)
{
	return _IO_list_lock && _IO_list_unlock && _IO_list_resetlock;
}
#else
/*
 * stdio does not wait for libcxlmem, but other handlers may wait for a thread in
 * stdio: its list is taken by libc, after all of them.
 */
#define has_list()	false
#define _IO_list_lock()	((void)0)
#define _IO_list_unlock() ((void)0)
#define _IO_list_resetlock() ((void)0)
#endif

static void prepare(void)
{
	if (has_list())
		_IO_list_lock();
	cm_init_fork_prepare();
	cm_nodes_fork_prepare();
	cm_arena_fork_prepare();
	cm_je_fork_prepare();
}

static void parent(void)
{
	cm_je_fork_parent();
	cm_arena_fork_parent();
	cm_nodes_fork_done();
	cm_init_fork_done();
	if (has_list())
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
	cm_init_fork_done();
	if (has_list())
		_IO_list_resetlock();
}

void cm_fork_init(void)
{
	static _Atomic bool done;

	if (!atomic_exchange(&done, true))
		(void)pthread_atfork(prepare, parent, child);
}
