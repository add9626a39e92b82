/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work - run one column of the bench under whatever malloc there is
 *
 *	work COLUMN COUNT
 *
 * Prints "COUNT WALL_NS CPU_NS PATH": the time of COUNT operations without
 * set-up and start, and the file malloc came from. Exit status 3: the allocator
 * did wrong. Compiled and run by bench/run.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

static const struct work_column columns[] = {
	{ "pair", work_pair },	     { "batch", work_batch },
	{ "small", work_small },     { "large", work_large },
	{ "cross", work_cross },     { "realloc", work_realloc },
	{ "calloc", work_calloc },   { "churn", work_churn },
	{ "alive", work_alive },
};

static int64_t wall_ns, cpu_ns;

static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void work_start(void)
{
	wall_ns = -now(CLOCK_MONOTONIC);
	cpu_ns = -now(CLOCK_PROCESS_CPUTIME_ID);
}

void work_stop(void)
{
	cpu_ns += now(CLOCK_PROCESS_CPUTIME_ID);
	wall_ns += now(CLOCK_MONOTONIC);
}

/* Without stdio, whose buffers come from the allocator that failed. */
void work_fail(const char *what)
{
	if (write(STDERR_FILENO, "work: ", 6) < 0 ||
	    write(STDERR_FILENO, what, strlen(what)) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0)
		_exit(4);
	_exit(3);
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[2]) : 0;
	Dl_info from;

	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		if (count <= 0 || strcmp(argv[1], columns[i].name))
			continue;
		columns[i].run(count);
		if (!dladdr(dlsym(RTLD_DEFAULT, "malloc"), &from))
			work_fail("where malloc is from cannot be told");
		printf("%ld %lld %lld %s\n", count, (long long)wall_ns,
		       (long long)cpu_ns, from.dli_fname);
		return 0;
	}
	fprintf(stderr, "usage: work COLUMN COUNT\n");
	return 2;
}
