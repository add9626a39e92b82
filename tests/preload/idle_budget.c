/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_budget - what one thread freed is another's at once, at its first try
 *
 * idle_budget BLOCK, under order=ddr:cxl,ddr.limit=100m: a thread fills ddr
 * with blocks of that size, frees nine of ten in a row and waits. It makes no
 * more calls, and no decay time passes. limit_keep has the like for a thread
 * that frees all, through ddr's route: here ddr is full but for what can be
 * reclaimed, and the new thread's cache is empty.
 */
#include <pthread.h>
#include <semaphore.h>

#include "tiers.h"

#define LIMIT		(100 * MIB)
#define MAX_BLOCKS	(2u << 20)

static size_t block;
static void *held[MAX_BLOCKS];
static unsigned nr_held;
static sem_t freed, done;

static void *fill_free_and_wait(void *arg)
{
	void *on_cxl = NULL;

	while (nr_held < MAX_BLOCKS && !on_cxl) {
		void *p = malloc(block);

		memset(p, 1, block);
		if (tier_of(p) == CXL)
			on_cxl = p;
		else
			held[nr_held++] = p;
	}
	for (unsigned i = 0; i < nr_held / 10 * 9; i++)
		free(held[i]);
	sem_post(&freed);
	sem_wait(&done);
	return arg;
}

static void *take(void *arg)
{
	unsigned nr = nr_held / 10 * 8, first_miss = nr, on_ddr = 0;

	for (unsigned i = 0; i < nr; i++) {
		void *p = malloc(block);

		memset(p, 1, block);
		if (tier_of(p) == DDR)
			on_ddr++;
		else if (first_miss == nr)
			first_miss = i;
	}
	note("%u of %u blocks on ddr, the first on cxl is number %u", on_ddr,
	     nr, first_miss);
	check(on_ddr == nr, "all of 80 MB of blocks of %zu bytes are on ddr",
	      block);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t idle, other;

	block = argc == 2 ? (size_t)atoi(argv[1]) : 0;
	if (!block)
		return 2;
	if (!tiers_found())
		return check_done();
	sem_init(&freed, 0, 0);
	sem_init(&done, 0, 0);
	pthread_create(&idle, NULL, fill_free_and_wait, NULL);
	sem_wait(&freed);
	check(nr_held * block >= LIMIT / 4 * 3 && nr_held < MAX_BLOCKS,
	      "ddr was full");
	check(stat_of(DDR).limit == LIMIT &&
		      stat_of(DDR).used >= LIMIT / 10 * 9,
	      "all of it is still committed: %zu KiB",
	      (size_t)stat_of(DDR).used >> 10);
	pthread_create(&other, NULL, take, NULL);
	pthread_join(other, NULL);
	sem_post(&done);
	pthread_join(idle, NULL);
	check(stat_of(DDR).peak <= LIMIT, "ddr stayed within its limit");
	return check_done();
}
