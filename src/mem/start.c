/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start - when libcxlmem's own heap begins
 *
 * Not when the library is loaded: a process may have it and never call it, or
 * have libcxlmalloc. What is done then is what only then can be: handlers for
 * fork run in the reverse of the order in which they were registered, so those
 * of a program that is linked with us come before ours, and find our locks free.
 *
 * The library is never unloaded (-z nodelete): threads' destructors, fork's
 * handlers and blocks in use would be left behind.
 */
#include <errno.h>
#include <stdatomic.h>

#include "entry/background.h"
#include "entry/channel.h"
#include "entry/fork.h"
#include "entry/init.h"
#include "entry/mmap.h"
#include "mem/start.h"

void cm_mem_start(void)
{
	static _Atomic bool begun;

	if (!cm_init() || atomic_exchange(&begun, true))
		return;
	cm_channel_begin();
	cm_background_start();
}

/* The program's own maps are not seen here (mmap.policy has no effect). */
void cm_mmap_init(void)
{
}

void cm_mmap_begin(void)
{
}

__attribute__((constructor)) static void loaded(void)
{
	cm_fork_init();
}
