/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * life_rounds - a thread that first uses a tier while its TSD destructors run
 *
 * glibc runs them in PTHREAD_DESTRUCTOR_ITERATIONS rounds, each in the order of
 * keys. What an allocator begins for a thread in the last of them, behind its own
 * key, nobody ends: it must then not be known to any other thread, as its memory
 * goes with the thread's stack. So stacks are taken away here when their threads
 * have ended, and then others go through all that is known of threads.
 *
 * Each case is a process of its own: a crash is one case's.
 */
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "check.h"

#define NR_ROUNDS	PTHREAD_DESTRUCTOR_ITERATIONS
#define STACK		((size_t)1 << 20)
#define SMALL		100		/* the script has tiers by size */
#define LARGE		20000

/* For keys from 32 up pthread_setspecific allocates, for lower ones not. */
#define NR_KEYS		40

/* More than a jemalloc frees before it takes the thread for one that allocates. */
#define NR_FREED	300

enum before {
	NOTHING,
	A_SMALL_ONE,
	A_LARGE_ONE,
	NR_BEFORE
};

static pthread_key_t low, high;
static void *given[2 * NR_FREED];

/* The case. */
static pthread_key_t key;
static enum before before;
static size_t act_in;
static void (*act)(void);
static int bad;

static size_t size_of(unsigned i)
{
	return i % 2 ? LARGE + i : SMALL + i;
}

static void allocate(void)
{
	for (unsigned i = 0; i < 40; i++) {
		size_t n = size_of(i);
		unsigned char *p = malloc(n), *z = calloc(1, n);
		void *a = aligned_alloc(4096, 8192);

		bad |= !p || !z || !a || !all_zero(z, n) || (uintptr_t)a % 4096;
		if (!bad)
			fill(p, n, i);
		free(z);
		p = realloc(p, n + 100);
		bad |= !p || !filled(p, n, i);
		p = realloc(p, size_of(i + 1));
		bad |= !p || !filled(p, SMALL, i);
		free(p);
		free(a);
	}
	free(malloc(3 << 20));
}

static void give_back(void)
{
	for (unsigned i = 0; i < 2 * NR_FREED; i++)
		free(given[i]);
}

static void measure(void)
{
	for (unsigned i = 0; i < 2; i++)
		bad |= malloc_usable_size(given[i]) < size_of(i);
}

static void resize(void)
{
	for (unsigned i = 0; i < 40; i++) {
		given[i] = realloc(given[i], size_of(i + 1));
		bad |= !given[i] || !filled(given[i], SMALL, i);
	}
}

static void tidy_up(void)
{
	malloc_trim(0);
}

static void in_a_round(void *value)
{
	size_t round = (size_t)value;

	if (round == act_in)
		act();
	else
		pthread_setspecific(key, (void *)(round + 1));
}

static void *dying(void *arg)
{
	if (before == A_SMALL_ONE)
		free(malloc(SMALL));
	if (before == A_LARGE_ONE)
		free(malloc(LARGE));
	pthread_setspecific(key, (void *)(size_t)1);
	return arg;
}

static void *living(void *arg)
{
	allocate();
	malloc_trim(0);
	(void)mallinfo2();
	return arg;
}

/* Once a second a thread looks at all tiers, which is to be none of the others. */
static void have_the_look(void)
{
	static void *p[2000];

	for (unsigned i = 0; i < 2000; i++)
		p[i] = malloc(SMALL);
	for (unsigned i = 0; i < 2000; i++)
		free(p[i]);
}

static int run(void)
{
	pthread_t thread;
	pthread_attr_t attr;
	void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	have_the_look();
	pthread_attr_init(&attr);
	if (pthread_attr_setstack(&attr, stack, STACK) ||
	    pthread_create(&thread, &attr, dying, NULL))
		return 2;
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	mprotect(stack, STACK, PROT_NONE);
	for (unsigned i = 0; i < 3; i++) {
		if (pthread_create(&thread, NULL, living, NULL))
			return 2;
		pthread_join(thread, NULL);
	}
	return bad;
}

/* Each case of `what`; how many went wrong. */
static unsigned cases(void (*what)(void))
{
	unsigned failed = 0;

	act = what;
	for (unsigned i = 0; i < NR_BEFORE * NR_ROUNDS; i++) {
		int status = -1;
		pid_t pid;

		before = (enum before)(i / NR_ROUNDS);
		act_in = i % NR_ROUNDS + 1;
		pid = fork();
		if (pid == 0)
			_exit(run());
		if (pid > 0 && waitpid(pid, &status, 0) == pid && !status)
			continue;
		note("round %zu, a thread with %s behind it: status %#x",
		     act_in,
		     before == NOTHING	   ? "nothing" :
		     before == A_SMALL_ONE ? "a small block" :
					     "a large block",
		     (unsigned)status);
		failed++;
	}
	return failed;
}

static void with(void (*what)(void), const char *name)
{
	key = low;
	check(!cases(what), "in any round a low key's destructor %s", name);
	key = high;
	check(!cases(what), "in any round a high key's destructor %s", name);
}

int main(void)
{
	for (unsigned i = 0; i < NR_KEYS; i++) {
		pthread_key_create(&high, in_a_round);
		if (i == 0)
			low = high;
	}
	/* No tier has begun in the process, then both have. */
	with(allocate, "allocates");
	for (unsigned i = 0; i < 2 * NR_FREED; i++) {
		given[i] = malloc(size_of(i));
		fill(given[i], SMALL, i);
	}
	with(allocate, "allocates, as others do");
	with(give_back, "frees others' blocks");
	with(measure, "asks for their sizes");
	with(resize, "resizes them");
	with(tidy_up, "trims the heap");
	return check_done();
}
