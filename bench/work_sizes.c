/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work_sizes - columns of one size after another
 *
 * sweep    malloc and free of 8, 12, 16, 24 B and so on to 4 MiB, one block alive,
 *          a part each; the column's own time is their geometric mean
 * aligned  aligned_alloc and posix_memalign in turn, aligned to 32 B..4 KiB, of 1 to
 *          4 times that; each operation replaces one of 1,000
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "work.h"

enum {
	ALIGNED_SLOTS = 1000
};

/* volatile: else the compiler drops a malloc whose block only meets free. */
static void *volatile kept;

static void pairs(size_t size, long count)
{
	for (long i = 0; i < count; i++) {
		void *p = malloc(size);

		kept = p;
		/* glibc aligns less than 16 B to 16 too, jemalloc to 8. */
		if (size >= 16)
			work_mark(p, size, (unsigned char)i);
		else if (p)
			*(volatile unsigned char *)p = (unsigned char)i;
		free(p);
	}
}

/* By this name callgrind counts each size apart, see bench/run. */
__attribute__((noinline)) void work_sweep_size(size_t size, long count)
{
	pairs(size, count);
}

static long sweep_count(size_t size, long count)
{
	if (size > 65536)
		count /= 32;
	else if (size > 4096)
		count /= 4;
	return count ? count : 1;
}

void work_sweep(long count)
{
	double wall_log = 0, cpu_log = 0;
	int nr = 0;

	for (size_t size = 8; size <= 4 << 20;
	     size = size & (size - 1) ? size / 3 * 4 : size / 2 * 3) {
		long n = sweep_count(size, count);
		int64_t wall, cpu;
		char name[32];

		pairs(size, n / 16 + 1);
		wall = -work_clock(CLOCK_MONOTONIC);
		cpu = -work_clock(CLOCK_PROCESS_CPUTIME_ID);
		work_sweep_size(size, n);
		cpu += work_clock(CLOCK_PROCESS_CPUTIME_ID);
		wall += work_clock(CLOCK_MONOTONIC);
		snprintf(name, sizeof(name), "sweep:%zu", size);
		work_part(name, n, wall, cpu);
		wall_log += log((double)(wall > 0 ? wall : 1) / (double)n);
		cpu_log += log((double)(cpu > 0 ? cpu : 1) / (double)n);
		nr++;
	}
	work_set((int64_t)(exp(wall_log / nr) * (double)count),
		 (int64_t)(exp(cpu_log / nr) * (double)count));
}

static void aligned_fill(struct work_slot *s, long i, uint64_t *seed)
{
	uint64_t r = work_random(seed);
	size_t alignment = (size_t)32 << (r & 7);
	void *p = NULL;

	s->size = alignment * (1 + (r >> 8) % 4);
	if (i & 1)
		p = aligned_alloc(alignment, s->size);
	else if (posix_memalign(&p, alignment, s->size))
		p = NULL;
	s->block = p;
	if ((uintptr_t)p & (alignment - 1))
		work_fail("a block is not aligned as asked");
	work_mark(p, s->size, (unsigned char)i);
}

void work_aligned(long count)
{
	static struct work_slot slots[ALIGNED_SLOTS];
	uint64_t seed = 88172645463325252u;

	for (long i = 0; i < ALIGNED_SLOTS; i++)
		aligned_fill(&slots[i], i, &seed);
	work_start();
	for (long i = 0; i < count; i++) {
		long at = (long)(work_random(&seed) % ALIGNED_SLOTS);

		work_check(slots[at].block, slots[at].size, (unsigned char)at);
		free(slots[at].block);
		aligned_fill(&slots[at], at, &seed);
	}
	work_stop();
	for (long i = 0; i < ALIGNED_SLOTS; i++)
		free(slots[i].block);
}
