/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_active - threads at work give back their caches of a tier that is full
 *
 * Under order=ddr:cxl,ddr.limit=64m. 32 threads fill their caches with
 * freed blocks of ddr, the main thread fills the rest of it. Then each
 * allocates a little, on cxl since ddr is full, in steps that the main thread
 * gives; it looks at ddr after each. Nothing else frees anything of ddr.
 */
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "idle_classes.h"
#include "tiers.h"

#define THREADS		32	/* whose caches are far more than the tier's margin */
#define SIZE		2048		/* the class they hold */
#define LARGE		LARGEST_CACHED	/* and another */
#define STEPS		200		/* of 10 ms: 2 seconds of activity */
#define PER_STEP	64		/* allocations of a step, 128 KiB */
#define MAX_REST	4096
#define REST		(32u << 10)

static pthread_barrier_t barrier;
static volatile int over;
static unsigned small_slots, large_slots;

static void *work(void *arg)
{
	void *p[MAX_SLOTS], *q[MAX_SLOTS], *step[PER_STEP];

	for (unsigned i = 0; i < small_slots; i++)
		p[i] = malloc(SIZE);
	for (unsigned i = 0; i < large_slots; i++)
		q[i] = malloc(LARGE);
	pthread_barrier_wait(&barrier);	/* main fills the rest of ddr */
	pthread_barrier_wait(&barrier);
	for (unsigned i = 0; i < small_slots; i++)
		free(p[i]);
	for (unsigned i = 0; i < large_slots; i++)
		free(q[i]);
	pthread_barrier_wait(&barrier);	/* main sees that ddr is full */
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (over)
			return arg;
		/* another class, so that the cache of ddr has none */
		for (unsigned i = 0; i < PER_STEP; i++)
			step[i] = malloc(SIZE + 1);
		for (unsigned i = 0; i < PER_STEP; i++)
			free(step[i]);
		pthread_barrier_wait(&barrier);
	}
}

static void *rest[MAX_REST];
static unsigned nr_rest;

/* Take what ddr has left; how much that was. The one on cxl is given back. */
static size_t take_rest(void)
{
	size_t bytes = 0;

	while (nr_rest < MAX_REST) {
		void *p = malloc(REST);

		if (tier_of(p) != DDR) {
			free(p);
			break;
		}
		rest[nr_rest++] = p;
		bytes += REST;
	}
	return bytes;
}

static void look(size_t freed)
{
	struct timespec pause = { 0, 10 * 1000000 };
	size_t bytes = 0;
	unsigned steps = 0;

	while (steps < STEPS && bytes < freed / 4 * 3) {
		nanosleep(&pause, NULL);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		bytes += take_rest();
		steps++;
	}
	note("%zu of %zu KiB came back after %u steps of %u allocations by "
	     "each thread",
	     bytes >> 10, freed >> 10, steps, PER_STEP);
	check(bytes >= freed / 4 * 3,
	      "caches of threads at work become budget again within %u steps",
	      STEPS);
	over = 1;
	pthread_barrier_wait(&barrier);
}

int main(void)
{
	pthread_t thread[THREADS];
	size_t freed, at_once;

	if (!tiers_found())
		return check_done();
	small_slots = slots_of(SIZE);
	large_slots = slots_of(LARGE);
	freed = THREADS * ((size_t)small_slots * SIZE + large_slots * LARGE);
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (unsigned t = 0; t < THREADS; t++)
		pthread_create(&thread[t], NULL, work, NULL);
	pthread_barrier_wait(&barrier);
	check(take_rest() > 32 * MIB, "ddr is filled");
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	at_once = take_rest();
	note("%zu KiB were to be had before the threads came by",
	     at_once >> 10);
	check(at_once < freed / 2, "what they freed is in their caches");
	look(freed - at_once);
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);
	return check_done();
}
