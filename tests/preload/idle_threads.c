/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_threads - what threads that only wait hold free in their caches
 *
 * idle_threads THREADS BOUND: under a configuration whose first tier has no
 * limit. BOUND is the report's cache_bound. One thread fills its cache to the
 * brim; then THREADS do, without the largest blocks. Each page is touched.
 */
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "idle_classes.h"
#include "tiers.h"

#define MAX_THREADS	1000
#define MANY_LARGEST	(32u << 10)	/* of many threads */

static sem_t filled_one, go;
static size_t largest;
static int tier;

/* One thread at a time. */
static void fill_cache(void)
{
	static void *p[MAX_CLASSES][MAX_SLOTS];
	unsigned c, slots;
	size_t n;

	for (n = 8, c = 0; n <= largest; n = class_after(n), c++) {
		slots = slots_of(n);
		for (unsigned i = 0; i < slots; i++) {
			p[c][i] = malloc(n);
			if (p[c][i])
				memset(p[c][i], 1, n);
		}
	}
	/* small ones first: their frees are fewer bytes, so they stay */
	for (n = 8, c = 0; n <= largest; n = class_after(n), c++) {
		slots = slots_of(n);
		for (unsigned i = 0; i < slots; i++)
			free(p[c][i]);
	}
}

static void *fill_and_wait(void *arg)
{
	fill_cache();
	sem_post(&filled_one);
	sem_wait(&go);	/* alive and idle: its cache is its own */
	return arg;
}

static void *scattered[MAX_CLASSES * MAX_SLOTS];
static void **neighbours;	/* mapped: far more */
static unsigned nr_scattered, nr_neighbours;

/* One block of each slab stays for the cache, the rest is another's to free. */
static void *scatter_and_wait(void *arg)
{
	for (size_t n = 8; n < FIRST_LARGE; n = class_after(n)) {
		size_t in_slab = slab_of(n) / n;

		for (size_t i = 0; i < slots_of(n) * in_slab; i++) {
			void *p = malloc(n);

			if (i % in_slab == 0)
				scattered[nr_scattered++] = p;
			else
				neighbours[nr_neighbours++] = p;
		}
	}
	sem_post(&filled_one);
	sem_wait(&go);
	while (nr_scattered)
		free(scattered[--nr_scattered]);
	sem_post(&filled_one);
	sem_wait(&go);
	return arg;
}

/* What is committed once all that can be had is back: no blocks are held. */
static size_t held(void)
{
	malloc_trim(0);
	return stat_of(tier).used;
}

static void start(unsigned nr, pthread_t *thread)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (unsigned i = 0; i < nr; i++) {
		if (pthread_create(&thread[i], &attr, fill_and_wait, NULL)) {
			check_write("Bail out! no thread\n");
			_exit(1);
		}
		sem_wait(&filled_one);
	}
}

static void end(unsigned nr, pthread_t *thread)
{
	for (unsigned i = 0; i < nr; i++)
		sem_post(&go);
	for (unsigned i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
}

static void one(size_t bound)
{
	pthread_t thread;
	size_t before, after;

	largest = LARGEST_CACHED;
	before = held();
	start(1, &thread);
	after = held();
	note("one thread: %zu KiB in its cache, %zu KiB is the bound",
	     (after - before) >> 10, bound >> 10);
	check(after - before <= bound + one_slab_each(),
	      "a full cache holds no more than the bound and a slab a class");
	check(after - before >= bound / 2, "nor less than half of it");
	end(1, &thread);
	after = held();
	check(after <= before + (64 << 10), "it is given back when it ends");
}

/* As when one thread makes what another frees. */
static void one_scattered(size_t bound)
{
	size_t before = held(), after;
	pthread_t thread;

	neighbours = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_create(&thread, NULL, scatter_and_wait, NULL);
	sem_wait(&filled_one);
	while (nr_neighbours)
		free(neighbours[--nr_neighbours]);
	sem_post(&go);
	sem_wait(&filled_one);
	after = held();
	note("its blocks alone in their slabs: %zu KiB are held for %zu KiB "
	     "in the cache",
	     (after - before) >> 10, bound >> 10);
	check(after - before <= slabs_of_full_cache(),
	      "that is at most a slab for each block of the cache (%zu KiB)",
	      slabs_of_full_cache() >> 10);
	sem_post(&go);
	pthread_join(thread, NULL);
}

static void many(unsigned nr, size_t bound)
{
	static pthread_t thread[MAX_THREADS];
	size_t before, after, pages;

	largest = MANY_LARGEST;
	before = held();
	start(nr, thread);
	after = held();
	pages = resident_of(tier);
	note("%u threads: %zu KiB each, %zu KiB by the kernel's count", nr,
	     (after - before) / nr >> 10, pages / nr >> 10);
	check(after - before <= nr * bound,
	      "%u idle threads hold no more than the bound each", nr);
	check(after - before >= nr * (bound / 4), "and their caches are full");
	check(pages <= after && pages >= (after - before) / 2,
	      "the kernel's pages agree");
	end(nr, thread);
	after = held();
	pages = resident_of(tier);
	note("when they ended: %zu KiB, %zu KiB by the kernel's count",
	     after >> 10, pages >> 10);
	/* 5.3.0 keeps the last slab of each class and arena. */
	check(after <= before + 4 * MIB && pages <= after,
	      "all of it comes back when they end");
}

int main(int argc, char **argv)
{
	unsigned nr = argc == 3 ? (unsigned)atoi(argv[1]) : 0;
	size_t bound = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	void *p;

	if (!nr || nr > MAX_THREADS || !bound)
		return 2;
	if (!tiers_found())
		return check_done();
	p = malloc(100);
	tier = tier_of(p);
	free(p);
	sem_init(&filled_one, 0, 0);
	sem_init(&go, 0, 0);
	check(full_cache() == bound, "the bound is what the classes add up to");
	one(bound);
	one_scattered(bound);
	many(nr, bound);
	return check_done();
}
