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
#include "policy/policy.h"
#include "pool/arena.h"

/*
 * A tier starts on the stack of whoever uses it first, which may be too small
 * for that. Threads are not seen to be made here (entry/watch.c), so all tiers
 * start with the first call. It needs 32 KiB of stack, later ones 16.
 */
static void start_tiers(void)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_process.state == CM_STATE_TIERED &&
		    cm_policy_says(CM_WORD_USED(t)))
			cm_arena_start(&cm_pool[t]);
}

void cm_mem_start(void)
{
	static _Atomic bool begun;

	if (!cm_init() || atomic_exchange(&begun, true))
		return;
	start_tiers();
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
