/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_keep - realloc keeps a block's tier while it can; budget that one
 * thread frees is another's, at once
 *
 * Under order=ddr:cxl,ddr.limit=16m.
 */
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>

#include "tiers.h"

#define LIMIT	(16 * MIB)
#define BLOCK	(64 << 10)
#define NR	1024

static void *block[NR];

/* Fill ddr; the first block on cxl is kept apart. */
static unsigned fill_ddr(void **first_on_cxl)
{
	unsigned nr = 0;

	*first_on_cxl = NULL;
	while (nr < NR) {
		void *p = malloc(BLOCK);

		if (!p)
			break;
		memset(p, 1, BLOCK);
		if (tier_of(p) == CXL) {
			*first_on_cxl = p;
			break;
		}
		block[nr++] = p;
	}
	return nr;
}

/*
 * Blocks that cxl's caches hold ready may be handed out first, and whether
 * ddr has room again is not looked at in each malloc.
 */
static void *small_block_on_ddr(void)
{
	static void *other[4096];
	void *found = NULL;
	unsigned nr = 0;

	while (nr < 4096 && !found) {
		void *p = malloc(100);

		if (tier_of(p) == DDR)
			found = p;
		else
			other[nr++] = p;
	}
	note("found after %u others", nr);
	while (nr)
		free(other[--nr]);
	return found;
}

static void realloc_keeps_the_tier(void)
{
	void *on_cxl, *on_ddr;
	unsigned nr = fill_ddr(&on_cxl);
	int good = 1;

	check(nr * (size_t)BLOCK >= LIMIT / 4 * 3 && on_cxl,
	      "ddr is full, the next block is on cxl");
	fill(block[0], BLOCK, 1);
	on_ddr = realloc(block[0], 3 * MIB);
	check(on_ddr && tier_of(on_ddr) == CXL && filled(on_ddr, BLOCK, 1),
	      "a block that cannot grow on a full ddr grows on cxl");
	free(on_ddr);
	for (unsigned i = 1; i < nr; i++)
		free(block[i]);
	malloc_trim(0);
	fill(on_cxl, BLOCK, 2);
	for (size_t n = BLOCK; n <= 2 * MIB; n *= 2) {
		on_cxl = realloc(on_cxl, n);
		good &= on_cxl && tier_of(on_cxl) == CXL;
	}
	good &= filled(on_cxl, BLOCK, 2);
	on_cxl = realloc(on_cxl, 100);
	good &= on_cxl && tier_of(on_cxl) == CXL && filled(on_cxl, 100, 2);
	check(good, "realloc keeps a block on cxl though ddr has room");
	free(on_cxl);
	on_ddr = small_block_on_ddr();
	good = on_ddr != NULL;
	check(good, "a small block finds ddr again within 4,096 mallocs");
	for (size_t n = 100; n <= 4 * MIB; n *= 2) {
		on_ddr = realloc(on_ddr, n);
		good &= on_ddr && tier_of(on_ddr) == DDR;
	}
	check(good, "realloc keeps a block on ddr while there is room");
	free(on_ddr);
}

static sem_t freed, done;

static void *take_and_free(void *arg)
{
	void *on_cxl;
	unsigned nr = fill_ddr(&on_cxl);

	(void)arg;
	for (unsigned i = 0; i < nr; i++)
		free(block[i]);
	free(on_cxl);
	sem_post(&freed);
	sem_wait(&done);	/* alive and idle: its caches are its own */
	return nr * (size_t)BLOCK >= LIMIT / 4 * 3 ? "filled" : NULL;
}

/* No decay time may pass, and the other thread makes no call. */
static void an_idle_threads_budget_is_anothers(void)
{
	size_t on_ddr = 0, most = LIMIT / 2;
	pthread_t thread;
	unsigned nr = 0;
	void *said;

	sem_init(&freed, 0, 0);
	sem_init(&done, 0, 0);
	pthread_create(&thread, NULL, take_and_free, NULL);
	sem_wait(&freed);
	while (nr * (size_t)BLOCK < most) {
		void *p = malloc(BLOCK);

		memset(p, 1, BLOCK);
		on_ddr += tier_of(p) == DDR ? BLOCK : 0;
		block[nr++] = p;
	}
	sem_post(&done);
	pthread_join(thread, &said);
	note("%zu of %zu KiB on ddr", on_ddr >> 10, most >> 10);
	check(said && on_ddr >= most / 10 * 9,
	      "what an idle thread freed is budget for another");
	while (nr)
		free(block[--nr]);
}

/* A full tier must be known in front of the allocator (design.md 4). */
static void a_full_tier_costs_no_memory(void)
{
	void *on_cxl, *p[64];
	unsigned nr = fill_ddr(&on_cxl);
	size_t before, after;

	for (unsigned i = 0; i < 64; i++)
		p[i] = malloc(BLOCK);
	before = resident();
	for (unsigned round = 0; round < 4000; round++) {
		for (unsigned i = 0; i < 64; i++) {
			free(p[i]);
			p[i] = malloc(BLOCK);
		}
	}
	after = resident();
	for (unsigned i = 0; i < 64; i++)
		free(p[i]);
	for (unsigned i = 0; i < nr; i++)
		free(block[i]);
	free(on_cxl);
	check(before && after < before + 24 * MIB,
	      "256,000 mallocs past a full tier leave no trace (%zd KiB)",
	      ((ssize_t)after - (ssize_t)before) / 1024);
}

int main(void)
{
	if (!tiers_found())
		return check_done();
	realloc_keeps_the_tier();
	an_idle_threads_budget_is_anothers();
	a_full_tier_costs_no_memory();
	check(stat_of(DDR).peak <= LIMIT, "ddr stays within its limit");
	return check_done();
}
