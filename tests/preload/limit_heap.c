/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_heap - a heap far beyond DDR's limit stays within it
 *
 * limit_heap THREADS TOTAL_MIB LIMIT_MIB, under "order=ddr:cxl" with that
 * limit. Blocks of 16 B to 1 MiB, each touched. A sampler and the allocating
 * threads themselves look at the tier's committed bytes all along; at the
 * quiet points the kernel's own page counts are asked. Twice: what the first
 * round frees is the second one's budget.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tiers.h"

#define MAX_THREADS	16
#define MAX_BLOCKS	400000

struct worker {
	pthread_t thread;
	unsigned number;
	size_t share;			/* bytes to take */
	unsigned char **block;		/* mapped, not from the heap */
	unsigned nr;
	size_t bytes[2];		/* taken, by tier */
	int failed, strange, damaged;
};

static struct worker worker[MAX_THREADS];
static unsigned nr_threads;
static size_t limit;
static atomic_size_t highest;
static atomic_int exceeded, samples, stop;
static pthread_barrier_t barrier;

static void look(void)
{
	uint64_t used = stat_of(DDR).used, was = atomic_load(&highest);

	while (used > was &&
	       !atomic_compare_exchange_weak(&highest, &was, used))
		;
	if (used > limit)
		atomic_fetch_add(&exceeded, 1);
	atomic_fetch_add(&samples, 1);
}

static void *sample(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		look();
	return NULL;
}

/* 16 B to 1 MiB, as many bytes in each doubling. */
static size_t size_for(uint32_t r)
{
	unsigned shift = 4 + r % 16;

	/* small ones come more often: half the draws below 1 KiB */
	if (r & 1 << 20)
		shift = 4 + r % 6;
	return ((size_t)1 << shift) + (r >> 8) % ((size_t)1 << shift);
}

static void take(struct worker *w)
{
	uint32_t state = w->number * 2654435761u + 1;
	size_t taken = 0;

	w->nr = 0;
	w->bytes[DDR] = w->bytes[CXL] = 0;
	while (taken < w->share && w->nr < MAX_BLOCKS) {
		size_t n = size_for(next_random(&state));
		unsigned char *p = malloc(n);
		int tier = tier_of(p);

		if (!p) {
			w->failed = 1;
			return;
		}
		memset(p, (int)w->number + 1, n);
		memcpy(p, &n, sizeof(n));
		if (tier == DDR || tier == CXL)
			w->bytes[tier] += n;
		else
			w->strange = 1;
		w->block[w->nr++] = p;
		taken += n;
		if (w->nr % 64 == 0)
			look();
	}
}

static void give(struct worker *w)
{
	for (unsigned i = 0; i < w->nr; i++) {
		unsigned char *p = w->block[i];
		size_t n;

		memcpy(&n, p, sizeof(n));
		if (n < 16 || n > 2 * MIB ||
		    p[n - 1] != (unsigned char)(w->number + 1) ||
		    p[n / 2 + 4] != (unsigned char)(w->number + 1))
			w->damaged = 1;
		free(p);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int round = 0; round < 2; round++) {
		take(w);
		pthread_barrier_wait(&barrier);		/* all full */
		pthread_barrier_wait(&barrier);		/* main has looked */
		give(w);
		pthread_barrier_wait(&barrier);		/* all empty */
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void look_when_full(int round)
{
	size_t bytes[2] = { 0, 0 }, used = stat_of(DDR).used;
	size_t kernel = resident_of(DDR), total = 0;

	for (unsigned i = 0; i < nr_threads; i++) {
		bytes[DDR] += worker[i].bytes[DDR];
		bytes[CXL] += worker[i].bytes[CXL];
		total += worker[i].share;
	}
	note("round %d: blocks on ddr %zu KiB, on cxl %zu KiB; ddr used %zu "
	     "KiB, resident %zu KiB",
	     round, bytes[DDR] >> 10, bytes[CXL] >> 10, used >> 10,
	     kernel >> 10);
	check(used <= limit && used >= limit / 10 * 9,
	      "round %d: ddr's committed bytes are 90 to 100 %% of the limit",
	      round);
	check(bytes[DDR] <= limit && bytes[DDR] >= limit / 10 * 7,
	      "round %d: ddr holds blocks worth 70 %% of the limit or more",
	      round);
	check(bytes[DDR] + bytes[CXL] >= total,
	      "round %d: the rest of the heap is on cxl", round);
	check(kernel <= limit + 2 * 4096,
	      "round %d: the kernel counts no more ddr pages than the limit",
	      round);
	check(stat_of(CXL).used >= bytes[CXL],
	      "round %d: cxl's committed bytes cover its blocks", round);
}

static int prepare(int argc, char **argv)
{
	size_t total;

	if (argc != 4)
		return 0;
	nr_threads = (unsigned)atoi(argv[1]);
	total = (size_t)atoi(argv[2]) * MIB;
	limit = (size_t)atoi(argv[3]) * MIB;
	if (!nr_threads || nr_threads > MAX_THREADS)
		return 0;
	pthread_barrier_init(&barrier, NULL, nr_threads + 1);
	for (unsigned i = 0; i < nr_threads; i++) {
		static unsigned char *blocks[MAX_THREADS][MAX_BLOCKS];

		worker[i].number = i;
		worker[i].share = total / nr_threads;
		worker[i].block = blocks[i];
	}
	return 1;
}

int main(int argc, char **argv)
{
	int failed = 0, strange = 0, damaged = 0;
	pthread_t sampler;

	if (!prepare(argc, argv))
		return 2;
	if (!tiers_found())
		return check_done();
	check(stat_of(DDR).limit == limit, "ddr's limit is the operator's");
	check(stat_of(CXL).limit == UINT64_MAX, "cxl has none");
	pthread_create(&sampler, NULL, sample, NULL);
	for (unsigned i = 0; i < nr_threads; i++)
		pthread_create(&worker[i].thread, NULL, work, &worker[i]);
	for (int round = 1; round <= 2; round++) {
		pthread_barrier_wait(&barrier);
		look_when_full(round);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
	}
	for (unsigned i = 0; i < nr_threads; i++) {
		pthread_join(worker[i].thread, NULL);
		failed |= worker[i].failed;
		strange |= worker[i].strange;
		damaged |= worker[i].damaged;
	}
	atomic_store(&stop, 1);
	pthread_join(sampler, NULL);
	note("%d samples, highest %zu KiB", samples, highest >> 10);
	check(!failed, "no malloc failed");
	check(!strange, "every block is on ddr or cxl");
	check(!damaged, "every block kept its bytes");
	check(atomic_load(&samples) > 1000 && !atomic_load(&exceeded),
	      "no sample of ddr's committed bytes exceeds the limit");
	check(stat_of(DDR).peak <= limit, "nor does their peak");
	check(stat_of(DDR).over == 0 && stat_of(DDR).over_peak == 0,
	      "ddr was never over");
	malloc_trim(0);
	check(stat_of(DDR).used < limit / 4 && stat_of(CXL).used < limit / 2,
	      "with everything freed the tiers are nearly empty");
	return check_done();
}
