/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>

#include "entry/slow.h"
#include "entry/thread.h"
#include "entry/turns.h"
#include "pool/arena.h"

static pthread_key_t key;

static void leave(void *thread)
{
	cm_turns_leave(thread);
	cm_arena_leave(thread);
}

static void on_attach(struct cm_thread *thread)
{
	(void)pthread_setspecific(key, thread);
	cm_block_route();
}

void cm_thread_init(void)
{
	/* Without a key arenas are shared less evenly, nothing worse. */
	if (pthread_key_create(&key, leave) == 0)
		cm_arena_on_attach = on_attach;
	cm_je_take_keys();
}
