/* SPDX-License-Identifier: BSD-2-Clause */
/* info - malloc_trim, mallinfo and their kin, as glibc has them */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/emit.h"
#include "entry/foreign.h"
#include "entry/init.h"
#include "pool/report.h"

static bool started(void)
{
	return cm_init() && !cm_process.passed_through;
}

static uint64_t used_now(void)
{
	uint64_t used = 0;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		used += atomic_load_explicit(&cm_pool[t].used,
					     memory_order_relaxed);
	return used;
}

/*
 * malloc_trim(3): 1 if memory went back to the kernel. pad is about the top
 * of glibc's heap, which there is none of here.
 */
CM_EXPORT int malloc_trim(size_t pad)
{
	uint64_t before;
	int saved = errno;

	(void)pad;
	if (!started())
		return 0;
	before = used_now();
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_pool *pool = &cm_pool[t];

		if (!pool->single && !atomic_load(&pool->nr_arenas))
			continue;
		if (pool->single && t != CM_TIER_DDR)
			continue;
		(void)pool->je->mallctl("thread.tcache.flush", NULL, NULL, NULL,
					0);
		cm_pool_purge(pool);
	}
	errno = saved;
	return used_now() < before;
}

/* mallopt(3): what it tunes is glibc's; accepted, without effect. */
CM_EXPORT int mallopt(int param, int value)
{
	(void)param, (void)value;
	return 1;
}

struct sums {
	size_t held, in_use, cached;
};

static struct sums sums(void)
{
	struct sums s = { 0, 0, 0 };

	if (!started())
		return s;
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		uint64_t used, in_use;

		cm_pool_totals(&cm_pool[t], &used, &in_use);
		s.held += used;
		s.in_use += in_use;
	}
	s.cached = s.held > s.in_use ? s.held - s.in_use : 0;
	return s;
}

/*
 * mallinfo(3): every block comes from a map, but the fields programs read
 * (arena, uordblks, fordblks, their sum) keep glibc's meaning.
 */
CM_EXPORT struct mallinfo2 mallinfo2(void)
{
	struct mallinfo2 info = { 0 };
	struct sums s = sums();

	info.arena = s.held;
	info.uordblks = s.in_use;
	info.fordblks = s.cached;
	info.keepcost = 0;
	return info;
}

static int clamp(size_t n)
{
	return n > INT_MAX ? INT_MAX : (int)n;
}

CM_EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo info = { 0 };
	struct sums s = sums();

	info.arena = clamp(s.held);
	info.uordblks = clamp(s.in_use);
	info.fordblks = clamp(s.cached);
	return info;
}

/* malloc_stats(3) writes to stderr. */
CM_EXPORT void malloc_stats(void)
{
	static CM_SPARSE struct cm_report report;

	if (!started())
		return;
	cm_init_report(&report);
	(void)cm_emit(&report, CM_STATS_TABLE, STDERR_FILENO);
}

/* malloc_info(3): the root element and the totals of glibc's format. */
CM_EXPORT int malloc_info(int options, FILE *out)
{
	struct sums s;

	if (options != 0)
		return EINVAL;
	s = sums();
	fprintf(out,
		"<malloc version=\"1\">\n"
		"<total type=\"rest\" count=\"0\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<aspace type=\"total\" size=\"%zu\"/>\n"
		"</malloc>\n",
		s.cached, s.held, s.held);
	return 0;
}
