/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>

#include "entry/slow.h"
#include "entry/thread.h"
#include "entry/turns.h"
#include "pool/arena.h"
#include "pool/je.h"

static pthread_key_t key;

static void leave(void *thread)
{
	cm_turns_leave(thread);
	cm_arena_leave(thread);
	cm_je_leave();
}

static void on_attach(struct cm_thread *thread)
{
	(void)pthread_setspecific(key, thread);
	cm_block_route();
}

#define LOW_KEYS	32		/* of glibc, which are numbers from 0 */
#define NR_OURS		(1 + CM_NR_TIERS)

static void let_go(const pthread_key_t *keys, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		(void)pthread_key_delete(keys[i]);
}

/* A new key is the lowest there is: so all below those we want are held meanwhile. */
void cm_thread_init(void)
{
	pthread_key_t held[LOW_KEYS];
	unsigned nr = 0, below;

	while (nr < LOW_KEYS && !pthread_key_create(&held[nr], NULL)) {
		if (held[nr] >= LOW_KEYS) {
			let_go(&held[nr], 1);
			break;
		}
		nr++;
	}
	below = nr > NR_OURS ? nr - NR_OURS : 0;
	let_go(&held[below], nr - below);
	/*
	 * Without a key arenas are shared less evenly, and what a thread begins
	 * behind the others in its last round is not ended.
	 */
	if (pthread_key_create(&key, leave) == 0)
		cm_arena_on_attach = on_attach;
	cm_je_take_keys();
	let_go(held, below);
}
