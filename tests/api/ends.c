/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends - what a pool's end, its limit and cxlm_realloc leave alone
 *
 * usage: ends [preloaded | named]
 */
#include "../preload/check.h"

#include <cxlmalloc.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define MIB ((size_t)1 << 20)

static cxlm_pool *make(int tier, uint64_t limit)
{
	struct cxlm_pool_attr attr = { .size = sizeof(attr),
				       .tier = tier,
				       .limit = limit };

	return cxlm_pool_create(&attr);
}

static int is_mapped(void *p)
{
	unsigned char v;

	return !mincore((void *)((uintptr_t)p & ~(uintptr_t)4095), 1, &v);
}

/* The program asks for an address among a pool's, and gets it. */
static void maps_of_others(void)
{
	cxlm_pool *pool = make(CXLM_TIER_DDR, 0);
	char *p = cxlm_pool_malloc(pool, 5000), *small, *map;
	char *at = p - (uintptr_t)p % (64 * MIB) + 40 * MIB;

	small = cxlm_pool_malloc(pool, 5);
	*p = *small = 1;
	map = mmap(at, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map != at)
		note("the map is elsewhere");
	*map = 7;
	check(!cxlm_pool_destroy(pool) && !is_mapped(p) && !is_mapped(small),
	      "a pool's addresses are unmapped when it ends");
	check(is_mapped(map) && *map == 7, "a map between them is not");
	(void)munmap(map, 4096);
}

static void no_full_tier(void)
{
	int fd = cxlm_events_open();
	cxlm_pool *pool = make(CXLM_TIER_CXL, 4 * MIB);

	while (cxlm_pool_malloc(pool, 5000))
		;
	check(fd >= 0 && !(cxlm_events_read(fd) & CXLM_EVENT_FULL),
	      "a pool at its limit is no full tier");
	(void)cxlm_pool_destroy(pool);
	(void)cxlm_events_close(fd);
}

/* What is larger than a small block has pages of its own, and no cache. */
static void all_given_back(void)
{
	cxlm_pool *pool = make(CXLM_TIER_DDR, 4 * MIB);
	struct cxlm_pool_stat stat = { .size = sizeof(stat) };
	void *block[300];
	int nr = 0;

	while (nr < 300 && (block[nr] = cxlm_pool_malloc(pool, 20000)))
		nr++;
	while (nr > 0)
		cxlm_free(block[--nr]);
	check(!cxlm_pool_stat(pool, &stat) && !stat.in_use,
	      "a pool whose larger blocks are freed holds none (%llu)",
	      (unsigned long long)stat.in_use);
	(void)cxlm_pool_destroy(pool);
}

static cxlm_pool *shared;
static void *kept[70000];
static int nr_kept;

/* Threads at the same time, so that the pool has several caches. */
static void *churn(void *arg)
{
	void *p[8];

	for (int round = 0; round < 30000; round++) {
		for (size_t i = 0; i < 8; i++)
			p[i] = cxlm_pool_malloc(shared, 8192 + i * 700);
		for (int i = 0; i < 8; i++)
			cxlm_free(p[i]);
	}
	return arg;
}

static void *give_back(void *arg)
{
	for (int i = 0; i < 10; i++)
		cxlm_free(kept[__atomic_sub_fetch(&nr_kept, 1,
						  __ATOMIC_SEQ_CST)]);
	return arg;
}

static void in_8_threads(void *(*f)(void *))
{
	pthread_t thread[8];

	for (int i = 0; i < 8; i++)
		(void)pthread_create(&thread[i], NULL, f, NULL);
	for (int i = 0; i < 8; i++)
		(void)pthread_join(thread[i], NULL);
}

static void keep_all(void)
{
	while (nr_kept < 70000 &&
	       (kept[nr_kept] = cxlm_pool_malloc(shared, 64)))
		nr_kept++;
}

/* What others have freed of a pool at its limit is had again, all of it. */
static void freed_by_others(void)
{
	int lost = 0;

	shared = make(CXLM_TIER_CXL, 4 * MIB);
	in_8_threads(churn);
	keep_all();
	for (int round = 0; round < 20; round++) {
		int before = nr_kept;

		in_8_threads(give_back);
		keep_all();
		lost += before - nr_kept;
	}
	check(!lost, "blocks freed by other threads are had again (%d lost)",
	      lost);
	(void)cxlm_pool_destroy(shared);
	nr_kept = 0;
}

/* Also where policy=size or policy=interleave has others for larger ones. */
static void stays(int tier)
{
	int strays = 0;

	for (size_t from = 100; from < 10 * MIB; from *= 20)
		for (size_t to = from; to < 30 * MIB; to *= 7) {
			char *p = cxlm_malloc(tier, from, 0);

			memset(p, 1, from);
			p = cxlm_realloc(p, to);
			for (size_t i = 0; i < to; i += 4096)
				strays += cxlm_tier_of(p + i) != tier;
			strays += p[from - 1] != 1;
			cxlm_free(p);
		}
	check(!strays, "cxlm_realloc leaves a block on tier %d", tier);
}

/* Which tier is it for a thread that thread=worker:cxl names? */
static int tier_now(void)
{
	void *p = cxlm_malloc(CXLM_TIER_POLICY, 100, 0);
	int tier = cxlm_tier_of(p);

	cxlm_free(p);
	return tier;
}

static void *worker(void *arg)
{
	(void)prctl(PR_SET_NAME, "worker", 0, 0, 0);
	check(tier_now() == 1, "a thread's name is cxl's");
	check(!cxlm_push(CXLM_TIER_DDR) && tier_now() == 0,
	      "a scope goes before it");
	check(!cxlm_push(CXLM_TIER_POLICY) && tier_now() == 1,
	      "in a scope of the policy it is as the operator has it");
	check(!cxlm_pop() && tier_now() == 0 && !cxlm_pop() && tier_now() == 1,
	      "the scopes end");
	return arg;
}

static int named(void)
{
	pthread_t thread;

	(void)pthread_create(&thread, NULL, worker, NULL);
	(void)pthread_join(thread, NULL);
	return check_done();
}

static _Atomic int stop;

static void *purge(void *arg)
{
	while (!stop)
		(void)malloc_trim(0);
	return arg;
}

static void while_others_purge(void)
{
	pthread_t thread[2];
	int lost = 0;

	for (int i = 0; i < 2; i++)
		(void)pthread_create(&thread[i], NULL, purge, NULL);
	for (int i = 0; i < 500; i++) {
		cxlm_pool *pool = make(i % 2, 0);

		for (int k = 0; k < 40; k++) {
			char *p = cxlm_pool_malloc(pool, 20000);

			memset(p, 1, 20000);
			if (k % 2)
				cxlm_free(p);
		}
		lost += cxlm_pool_destroy(pool);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		(void)pthread_join(thread[i], NULL);
	check(!lost, "pools end while other threads purge");
}

int main(int argc, char **argv)
{
	cxlm_free(cxlm_malloc(CXLM_TIER_DDR, 1, 0));
	if (argc > 1 && !strcmp(argv[1], "named"))
		return named();
	maps_of_others();
	no_full_tier();
	all_given_back();
	freed_by_others();
	for (int tier = 0; tier < 2; tier++)
		stays(tier);
	if (argc > 1 && !strcmp(argv[1], "preloaded"))
		while_others_purge();
	return check_done();
}
