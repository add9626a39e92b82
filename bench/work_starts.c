/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work_starts - columns of threads' starts
 *
 * first    a thread starts, allocates and frees one block of 64 B and ends, one at
 *          a time; its part first:call is the time of that malloc and free alone
 * threads  a thread starts and ends, nothing more: 1,000 created, then joined
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "work.h"

enum {
	TOGETHER = 1000
};

static int64_t call_wall, call_cpu;	/* of threads one after the other */

static void *first_block(void *arg)
{
	int64_t wall = -work_clock(CLOCK_MONOTONIC);
	int64_t cpu = -work_clock(CLOCK_THREAD_CPUTIME_ID);
	void *p = malloc(64);

	work_mark(p, 64, 'f');
	work_check(p, 64, 'f');
	free(p);
	cpu += work_clock(CLOCK_THREAD_CPUTIME_ID);
	wall += work_clock(CLOCK_MONOTONIC);
	call_wall += wall;
	call_cpu += cpu;
	return arg;
}

static void *nothing(void *arg)
{
	return arg;
}

void work_first(long count)
{
	pthread_t thread;

	work_start();
	for (long i = 0; i < count; i++) {
		work_started(pthread_create(&thread, NULL, first_block, NULL));
		pthread_join(thread, NULL);
	}
	work_stop();
	work_part("first:call", count, call_wall, call_cpu);
}

/* Small stacks: 1,000 of them are to cost addresses, not memory. */
void work_threads(long count)
{
	static pthread_t thread[TOGETHER];
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	work_start();
	for (long i = 0; i < count; i += TOGETHER) {
		for (int j = 0; j < TOGETHER; j++)
			work_started(pthread_create(&thread[j], &attr, nothing,
						    NULL));
		for (int j = 0; j < TOGETHER; j++)
			pthread_join(thread[j], NULL);
	}
	work_stop();
}
