/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork_threads - a process with four allocating threads forks, many times
 *
 * Children allocate, free what they inherited, start threads, fork again,
 * exec. A child that hangs is killed by its alarm and so fails.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "check.h"

#define NR_FORKS	64
#define NR_SHARED	400

static atomic_int stop;
static unsigned char *shared[NR_SHARED];

static void *allocate(void *arg)
{
	uint32_t state = (uint32_t)(size_t)arg + 1;
	unsigned char *p[64] = { NULL };
	size_t n[64] = { 0 };

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		unsigned i = next_random(&state) % 64;

		if (p[i] && p[i][n[i] - 1] != 0x5a)
			abort();
		free(p[i]);
		n[i] = 1 + next_random(&state) % (i % 16 ? 2000 :
						  i % 32 ? 70000 :
							   2 << 20);
		p[i] = malloc(n[i]);
		p[i][n[i] - 1] = 0x5a;
	}
	for (unsigned i = 0; i < 64; i++)
		free(p[i]);
	return NULL;
}

static int heap_works(void)
{
	unsigned char *p[1000];
	int good = 1;

	for (unsigned i = 0; i < 1000; i++) {
		size_t n = i % 100 ? i * 7 + 1 : 1 << 20;

		p[i] = i % 2 ? malloc(n) : calloc(n, 1);
		if (!p[i])
			return 0;
		fill(p[i], i + 1, i);
	}
	for (unsigned i = 0; i < 1000; i++) {
		p[i] = realloc(p[i], i * 20 + 1);
		good &= p[i] && filled(p[i], i + 1, i);
		free(p[i]);
	}
	return good;
}

static void *heap_works_in_a_thread(void *arg)
{
	(void)arg;
	return (void *)(size_t)heap_works();
}

/* _exit status: which step failed, 0 for none. */
static int child(int number)
{
	pthread_t thread;
	void *good;
	int status;
	pid_t pid;

	alarm(30);
	if (!heap_works())
		return 1;
	for (unsigned i = 0; i < NR_SHARED; i++) {
		if (!filled(shared[i], i * 5 + 10, i))
			return 2;
		if (i % 3 == 0)
			shared[i] = realloc(shared[i], i * 50 + 100);
		if (!filled(shared[i], i * 5 + 10, i))
			return 3;
		free(shared[i]);
	}
	switch (number % 4) {
	case 0:
		if (pthread_create(&thread, NULL, heap_works_in_a_thread, NULL))
			return 4;
		pthread_join(thread, &good);
		return good ? 0 : 5;
	case 1:
		pid = fork();
		if (pid == 0) {
			alarm(30);
			_exit(heap_works() ? 0 : 6);
		}
		if (waitpid(pid, &status, 0) != pid)
			return 7;
		return status ? 8 : 0;
	case 2:
		execlp("true", "true", (char *)NULL);
		return 9;
	}
	return 0;
}

static void four_threads_and_many_forks(void)
{
	pthread_t thread[4];
	int good = 1;

	for (unsigned i = 0; i < NR_SHARED; i++) {
		shared[i] = malloc(i * 5 + 10);
		fill(shared[i], i * 5 + 10, i);
	}
	for (size_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, allocate, (void *)i);
	for (int i = 0; i < NR_FORKS; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			int step = child(i);

			/* half leave through exit handlers and destructors */
			if (i & 8)
				exit(step);
			_exit(step);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			note("fork %d: pid %d, wait status %#x", i, pid,
			     status);
			good = 0;
			break;
		}
	}
	check(good, "%d children of a busy process have a heap", NR_FORKS);
	good = 1;
	for (unsigned i = 0; i < NR_SHARED; i++)
		good &= filled(shared[i], i * 5 + 10, i);
	check(good && heap_works(), "the parent's heap is as it was");
	atomic_store(&stop, 1);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

static void *fork_here(void *arg)
{
	size_t bad = 0;

	(void)arg;
	for (int i = 0; i < 25; i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			alarm(30);
			_exit(!heap_works());
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			bad++;
	}
	return (void *)bad;
}

static void two_threads_fork_at_once(void)
{
	pthread_t thread[2];
	void *bad[2];

	for (unsigned i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, fork_here, NULL);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(thread[i], &bad[i]);
	check(!bad[0] && !bad[1], "two threads fork at the same time");
}

static void a_chain_of_forks(void)
{
	int status = 0, depth = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(30);
		while (++depth < 12) {
			if (!heap_works())
				_exit(1);
			pid = fork();
			if (pid == 0)
				continue;
			if (waitpid(pid, &status, 0) != pid || status)
				_exit(2);
			_exit(0);
		}
		_exit(heap_works() ? 0 : 3);
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
	      "a chain of twelve forks has a heap at each link");
}

int main(void)
{
	alarm(120);
	four_threads_and_many_forks();
	two_threads_fork_at_once();
	a_chain_of_forks();
	return check_done();
}
