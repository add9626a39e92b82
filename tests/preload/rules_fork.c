/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_fork LIBRARY - a child of fork, made while another thread is inside of
 * dlclose, finds out once what a call site means, as its parent did
 *
 * The library's destructor waits in `wait_in_destructor`; what is asked of the
 * loader is seen here, ahead of libc's.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "check.h"

#define NR	1000

static sem_t entered, leave;
static atomic_int nr_asked;

int look_up(void *at, void *result) __asm__("_dl_find_object");
int look_up(void *at, void *result)
{
	static int (*theirs)(void *, void *);

	atomic_fetch_add(&nr_asked, 1);
	if (!theirs)
		*(void **)&theirs = dlsym(RTLD_NEXT, "_dl_find_object");
	return theirs ? theirs(at, result) : -1;
}

void wait_in_destructor(void);
void wait_in_destructor(void)
{
	sem_post(&entered);
	sem_wait(&leave);
}

static void *close_it(void *handle)
{
	return dlclose(handle) ? handle : NULL;
}

static int asked(void)
{
	int before = atomic_load(&nr_asked);

	for (int i = 0; i < NR; i++) {
		void *volatile p = malloc(100);

		free(p);
	}
	return atomic_load(&nr_asked) - before;
}

int main(int argc, char **argv)
{
	void *handle = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW);
	pthread_t thread;
	int status, nr;
	pid_t child;

	if (!handle)
		return 97;
	if (!dlsym(RTLD_NEXT, "_dl_find_object")) {
		check(1, "look-ups are seen # SKIP glibc before 2.35");
		return check_done();
	}
	sem_init(&entered, 0, 0);
	sem_init(&leave, 0, 0);
	pthread_create(&thread, NULL, close_it, handle);
	sem_wait(&entered);
	nr = asked();
	check(nr >= NR, "while a library is closed each call is looked up");
	child = fork();
	if (child == 0)
		_exit(asked() > 1);
	check(child > 0 && waitpid(child, &status, 0) == child && !status,
	      "a child forked meanwhile looks it up once");
	sem_post(&leave);
	pthread_join(thread, NULL);
	check(asked() <= 1, "and so does the parent when it is closed");
	return check_done();
}
