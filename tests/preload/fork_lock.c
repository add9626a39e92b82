/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork_lock - fork while others allocate under a lock that is taken around it
 *
 * Whoever registers first with pthread_atfork is prepared last: an allocator
 * whose handler runs before this lock's waits for it with its own locks held,
 * and the lock's holder waits for those.
 */
#include <sys/wait.h>

#include "check.h"
#include <pthread.h>

#define THREADS 3
#define FORKS	200

void lib_work(void);

static volatile int done;

static void *work(void *arg)
{
	while (!done)
		lib_work();
	return arg;
}

int main(void)
{
	pthread_t thread[THREADS];
	int bad = 0;

	alarm(60);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_create(&thread[i], NULL, work, NULL);
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();
		int status = 1;

		if (!child) {
			alarm(20);
			lib_work();
			_exit(0);
		}
		bad += child < 0 || waitpid(child, &status, 0) != child ||
		       status != 0;
	}
	done = 1;
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(thread[i], NULL);
	check(!bad, "%d forks, %d of them not well", FORKS, bad);
	return check_done();
}
