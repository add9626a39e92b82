/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>

#include "entry/init.h"
#include "entry/thread.h"
#include "pool/arena.h"

static pthread_key_t key;

/*
 * policy=interleave: what threads that ended were owed, for those who begin,
 * and how many have begun.
 */
static _Atomic int64_t balance_left;
static _Atomic unsigned nr_begun;

void cm_thread_begin(struct cm_thread *thread)
{
	unsigned nth = atomic_fetch_add_explicit(&nr_begun, 1,
						 memory_order_relaxed);

	thread->balance = cm_policy_first_balance(cm_process.policy.weight,
						  nth) +
			  atomic_exchange_explicit(&balance_left, 0,
						   memory_order_relaxed);
	thread->begun = true;
}

static void leave(void *arg)
{
	struct cm_thread *thread = arg;

	if (thread->begun)
		(void)atomic_fetch_add_explicit(&balance_left, thread->balance,
						memory_order_relaxed);
	thread->begun = false;
	cm_arena_leave(thread);
}

static void on_attach(struct cm_thread *thread)
{
	(void)pthread_setspecific(key, thread);
}

void cm_thread_init(void)
{
	/* Without a key arenas are shared less evenly, nothing worse. */
	if (pthread_key_create(&key, leave) == 0)
		cm_arena_on_attach = on_attach;
	cm_je_take_keys();
}
