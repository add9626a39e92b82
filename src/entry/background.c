/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "entry/background.h"
#include "entry/init.h"
#include "entry/nodes.h"
#include "pool/pool.h"
#include "sys/file.h"

#define STACK_SIZE	(256 * KIB)	/* more than any look needs */

static _Atomic bool started;

static struct timespec period(void)
{
	int64_t ms = cm_process.settings.decay_ms / 8;

	/* Not longer than a look at the nodes may be late. */
	if (ms < 0 || ms > 250)
		ms = 250;
	if (ms < 10)
		ms = 10;
	return (struct timespec){ .tv_nsec = ms * 1000000 };
}

/*
 * A process ends with the last thread of the program's own: when main has left
 * by pthread_exit and nobody else is there, it is over, as if we had not been.
 */
static int count_name(const char *name, void *arg)
{
	(void)name;
	++*(unsigned *)arg;
	return 0;
}

static bool is_alone(void)
{
	char text[512];
	const char *state;
	unsigned nr_tasks = 0;

	if (cm_file_read("/proc/self/stat", text, sizeof(text)) <= 0)
		return false;
	state = strrchr(text, ')');
	return state && !strncmp(state, ") Z", 3) &&
	       cm_file_names("/proc/self/task", count_name, &nr_tasks) == 0 &&
	       nr_tasks == 2;
}

static void *work(void *arg)
{
	const struct timespec pause = period();

	(void)prctl(PR_SET_NAME, "cxlmalloc", 0, 0, 0);
	for (;;) {
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		if (unlikely(is_alone()))
			exit(0);	/* what the last pthread_exit does */
		cm_nodes_watch();
		for (unsigned t = 0; t < CM_NR_TIERS; t++)
			cm_pool_decay(&cm_pool[t]);
	}
	return arg;
}

/* The program's signals are for the program's threads. */
static int create(void)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int err;

	(void)sigfillset(&all);
	err = pthread_attr_init(&attr);
	if (err)
		return err;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, &attr, work, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return err;
}

void cm_background_start(void)
{
	int saved = errno;

	if (!cm_process.settings.background_thread ||
	    cm_process.state != CM_STATE_TIERED ||
	    atomic_exchange(&started, true))
		return;
	/* No room for a thread: tried again at the next look. */
	if (create())
		atomic_store(&started, false);
	errno = saved;
}

void cm_background_fork_child(void)
{
	atomic_store(&started, false);
}
