/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth_count SIZE:PAIRS... - pairs of malloc and free, for callgrind to count
 *
 * For each a dump of its own, of so many pairs of that size that come after as
 * many others: neither start-up nor a first use is in it. (bench/counts takes the
 * difference of two runs for the same end; here one run has all sizes.)
 */
#include <stdlib.h>
#include <time.h>
#include <valgrind/callgrind.h>

/*
 * The library's looks and jemalloc's decay go by the clock. Here it stands still:
 * the executable's function is found ahead of libc's.
 */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = 1000000;
	now->tv_nsec = 0;
	return 0;
}

static void pairs(size_t size, long nr)
{
	for (long i = 0; i < nr; i++) {
		char *p = malloc(size);

		*p = 1;
		free(p);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *end;
		size_t size = strtoul(argv[i], &end, 10);
		long nr = *end == ':' ? atol(end + 1) : 0;

		if (nr <= 0)
			return 2;
		pairs(size, nr);
		CALLGRIND_ZERO_STATS;
		pairs(size, nr);
		CALLGRIND_DUMP_STATS_AT(argv[i]);
	}
	return 0;
}
