/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_threads - eight threads on both tiers: every byte checked, blocks freed by
 * other threads, threads that end, children that go on
 *
 *	mem_threads [on | off [nofork]]	off: the process is not tiered
 *
 * Linked with libcxlmem. A block is filled with bytes of its own and its size;
 * whoever takes it out of the exchange checks them.
 */
#include <cxlmalloc.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "../preload/check.h"

#define THREADS		8
#define STEPS		8000
#define PLACES		512
#define HEAD		(sizeof(struct block))

struct block {
	size_t size;
	uint32_t seed;
	int tier;		/* asked for, strictly; -1: by policy */
};

static struct block *_Atomic exchange[PLACES];
static _Atomic unsigned bad, nr_failed;
static int tiered = 1;

static void fill_block(struct block *b, size_t size, uint32_t seed, int tier)
{
	*b = (struct block){ size, seed, tier };
	fill(b + 1, size - HEAD, seed);
}

static int is_whole(const struct block *b)
{
	if (tiered && b->tier >= 0 && cxlm_tier_of(b) != b->tier)
		return 0;
	return filled(b + 1, b->size - HEAD, b->seed);
}

static void drop(struct block *b)
{
	if (!b)
		return;
	atomic_fetch_add(&bad, !is_whole(b));
	cxlm_free(b);
}

static struct block *make(uint32_t *random)
{
	uint32_t r = next_random(random), kind = next_random(random);
	size_t size = HEAD + (kind % 100 ? r % 2000 : r % 200000);
	int tier = (int)(kind / 100 % 3) - 1;
	int flags = tiered && tier >= 0 ? CXLM_STRICT : 0;
	struct block *b = kind & 1024 ? cxlm_malloc(tier, size, flags) :
					cxlm_calloc(tier, 1, size, flags);

	if (!b)
		atomic_fetch_add(&nr_failed, 1);
	else
		fill_block(b, size, r, tier);
	return b;
}

static struct block *resized(struct block *b, uint32_t *random)
{
	size_t size = HEAD + next_random(random) % 5000;
	uint32_t seed = b->seed;
	int tier = b->tier;

	b = cxlm_realloc(b, size);
	fill_block(b, size, seed, tier);
	return b;
}

static void *churn(void *arg)
{
	uint32_t random = (uint32_t)(uintptr_t)arg * 0x9e3779b9U + 1;

	for (int i = 0; i < STEPS; i++) {
		struct block *b = make(&random);

		if (b && i % 5 == 0)
			b = resized(b, &random);
		drop(atomic_exchange(&exchange[next_random(&random) % PLACES],
				     b));
	}
	return NULL;
}

static void *brief(void *arg)
{
	uint32_t random = (uint32_t)(uintptr_t)arg + 1;

	for (int i = 0; i < 20; i++)
		drop(atomic_exchange(&exchange[next_random(&random) % PLACES],
				     make(&random)));
	return NULL;
}

static void run(void *(*work)(void *), unsigned nr)
{
	pthread_t thread[THREADS];

	for (unsigned i = 0; i < nr; i++)
		if (pthread_create(&thread[i], NULL, work,
				   (void *)(uintptr_t)(i + 1)))
			_exit(97);
	for (unsigned i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
}

static void empty(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		drop(atomic_exchange(&exchange[i], NULL));
}

static int child_goes_on(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		brief((void *)99);
		run(brief, 2);
		_exit(atomic_load(&bad) != 0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void check_forks(void)
{
	pthread_t thread[THREADS];
	int good = 0;

	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, churn,
			       (void *)(uintptr_t)(i + 1));
	for (int i = 0; i < 10; i++)
		good += child_goes_on();
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	check(good == 10, "%d of 10 children of a threaded process go on",
	      good);
}

static uint64_t used(void)
{
	struct cxlm_tier_stat ddr = { .size = sizeof(ddr) }, cxl = ddr;

	if (cxlm_tier_stat(CXLM_TIER_DDR, &ddr) ||
	    cxlm_tier_stat(CXLM_TIER_CXL, &cxl))
		return 0;
	return ddr.used + cxl.used;
}

int main(int argc, char **argv)
{
	uint64_t before, after;

	tiered = argc < 2 || strcmp(argv[1], "off") != 0;
	run(churn, THREADS);
	check(!atomic_load(&bad) && !atomic_load(&nr_failed),
	      "%d threads: every block as it was left, on its tier", THREADS);
	if (argc < 3)
		check_forks();
	empty();
	run(brief, THREADS);
	before = used();
	for (int i = 0; i < 100; i++)
		run(brief, THREADS);
	empty();
	after = used();
	check(after <= before + (8 << 20),
	      "800 threads that ended left nothing: %lu KiB, then %lu",
	      (unsigned long)before >> 10, (unsigned long)after >> 10);
	check(!atomic_load(&bad) && !atomic_load(&nr_failed),
	      "all blocks were whole");
	return check_done();
}
