/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interleave_share - policy=interleave: bytes are on the tiers as weighted
 *
 *	interleave_share DDR CXL	the weights
 */
#include <malloc.h>
#include <pthread.h>

#include "tiers.h"

#define COUNT	100000
#define THREADS 1000

static double want;
static unsigned long seed = 1;

static size_t size_up_to(size_t max)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return 1 + (seed >> 33) % max;
}

static double share_of(char **block, int nr)
{
	double on[2] = { 0, 0 };

	for (int i = 0; i < nr; i++) {
		int tier = tier_of(block[i]);

		if (tier >= 0)
			on[tier] += (double)malloc_usable_size(block[i]);
	}
	return on[DDR] / (on[DDR] + on[CXL]);
}

static void compare(const char *what, char **block, int nr, double within)
{
	double got = share_of(block, nr);

	check(got > want - within && got < want + within,
	      "%s: %.2f %% of the bytes on ddr, %.2f wanted", what, got * 100,
	      want * 100);
	for (int i = 0; i < nr; i++)
		free(block[i]);
}

static char *block[COUNT];

static char *one(const char *how, size_t size)
{
	void *p = NULL;

	switch (*how) {
	case 'c':
		return calloc(1, size);
	case 'a':
		return posix_memalign(&p, 64, size) ? NULL : p;
	case 'r':
		return realloc(NULL, size);
	default:
		return malloc(size);
	}
}

static void sizes(const char *how, size_t max, int nr)
{
	char what[64];

	for (int i = 0; i < nr; i++)
		block[i] = one(how, size_up_to(max));
	snprintf(what, sizeof(what), "%s up to %zu", how, max);
	compare(what, block, nr, 0.01);
}

/* A loop of malloc and free hits the cache all the time: turns still change. */
static void pairs(void)
{
	int on[2] = { 0, 0 };
	double got;

	for (int i = 0; i < COUNT; i++) {
		char *p = malloc(100);

		on[tier_of(p)]++;
		free(p);
	}
	got = (double)on[DDR] / COUNT;
	check(got > want - 0.01 && got < want + 0.01,
	      "malloc and free: %.2f %% of the turns are ddr's", got * 100);
}

static void *one_block(void *slot)
{
	*(void **)slot = malloc(5000);
	return NULL;
}

/* Turns are up to 64 KiB long, so this needs some more than that. */
static void threads(void)
{
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, one_block, &block[i]))
			return check(0, "threads start");
		pthread_join(thread, NULL);
	}
	compare("1,000 threads with a block each", block, THREADS, 0.02);
}

static void *many_blocks(void *arg)
{
	char **mine = arg;

	for (int i = 0; i < COUNT / 8; i++)
		mine[i] = malloc(1 + (size_t)(i * 7919) % 1500);
	return NULL;
}

static void at_once(void)
{
	pthread_t thread[8];

	for (int t = 0; t < 8; t++)
		if (pthread_create(&thread[t], NULL, many_blocks,
				   &block[t * (COUNT / 8)]))
			return check(0, "threads start");
	for (int t = 0; t < 8; t++)
		pthread_join(thread[t], NULL);
	compare("eight threads at once", block, COUNT, 0.01);
}

int main(int argc, char **argv)
{
	double ddr, cxl;

	if (argc != 3)
		return 2;
	ddr = atof(argv[1]);
	cxl = atof(argv[2]);
	want = ddr / (ddr + cxl);
	if (tiers_found()) {
		sizes("malloc", 1024, COUNT);
		sizes("calloc", 1024, COUNT);
		sizes("aligned", 1024, COUNT);
		sizes("realloc", 1024, COUNT);
		sizes("malloc", 20000, COUNT);
		sizes("malloc", 1 * MIB, 10000);
		sizes("calloc", 100000, 20000);
		pairs();
		threads();
		at_once();
	}
	return check_done();
}
