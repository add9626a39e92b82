/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork_lock_lib - a library that allocates under a lock of its own, and takes
 * that lock around fork. Its constructor runs ahead of a preloaded library's.
 */
#include <pthread.h>
#include <stdlib.h>

void lib_work(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void take(void)
{
	pthread_mutex_lock(&lock);
}

static void leave(void)
{
	pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void begin(void)
{
	pthread_atfork(take, leave, leave);
}

void lib_work(void)
{
	take();
	for (size_t size = 100; size < 200000; size *= 3)
		free(malloc(size));
	leave();
}
