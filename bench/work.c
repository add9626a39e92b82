/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work - run one column of the bench under whatever malloc there is
 *
 *	work COLUMN COUNT
 *
 * Prints "COUNT WALL_NS CPU_NS PATH": the time of COUNT operations without
 * set-up and start, and the file malloc came from; then, for some columns,
 * "also JSON,.." and "part NAME COUNT WALL_NS CPU_NS". Exit status 3: the
 * allocator did wrong. Compiled and run by bench/run.
 *
 * With -DWORK_STEERED the clock that the allocator sees moves only by
 * work_pass(): it stands still for the instruction counts, and frag's hours pass in
 * a second.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

static const struct work_column columns[] = {
	{ "pair", work_pair },	     { "batch", work_batch },
	{ "small", work_small },     { "large", work_large },
	{ "cross", work_cross },     { "realloc", work_realloc },
	{ "calloc", work_calloc },   { "churn", work_churn },
	{ "alive", work_alive },     { "server", work_server },
	{ "producer", work_producer }, { "sweep", work_sweep },
	{ "aligned", work_aligned }, { "grow", work_grow },
	{ "huge", work_huge },	     { "frag", work_frag },
	{ "live7", work_live7 },     { "first", work_first },
	{ "threads", work_threads },
};

static int64_t wall_ns, cpu_ns;
static char more[16384];	/* lines; stdio's buffers would be the allocator's */
static size_t more_at;

#ifdef WORK_STEERED
static int64_t steered_ns = 1000000000000000LL;

void work_pass(int64_t ns)
{
	steered_ns += ns;
}

/* The executable's function is found ahead of libc's. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	(void)clock;
	t->tv_sec = steered_ns / 1000000000;
	t->tv_nsec = steered_ns % 1000000000;
	return 0;
}
#else
void work_pass(int64_t ns)
{
	(void)ns;
}
#endif

int64_t work_clock(int clock)
{
	struct timespec t;

	syscall(SYS_clock_gettime, clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void work_start(void)
{
	wall_ns = -work_clock(CLOCK_MONOTONIC);
	cpu_ns = -work_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void work_stop(void)
{
	cpu_ns += work_clock(CLOCK_PROCESS_CPUTIME_ID);
	wall_ns += work_clock(CLOCK_MONOTONIC);
}

void work_set(int64_t wall, int64_t cpu)
{
	wall_ns = wall;
	cpu_ns = cpu;
}

static void add(int length)
{
	if (length < 0 || more_at + (size_t)length + 1 >= sizeof(more))
		work_fail("more to print than there is room for");
	more_at += (size_t)length;
}

void work_also(const char *format, ...)
{
	va_list args;

	add(snprintf(more + more_at, sizeof(more) - more_at, "also "));
	va_start(args, format);
	add(vsnprintf(more + more_at, sizeof(more) - more_at, format, args));
	va_end(args);
	add(snprintf(more + more_at, sizeof(more) - more_at, "\n"));
}

void work_part(const char *part, long count, int64_t wall, int64_t cpu)
{
	add(snprintf(more + more_at, sizeof(more) - more_at,
		     "part %s %ld %lld %lld\n", part, count, (long long)wall,
		     (long long)cpu));
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
		fputs(more, stdout);
		return 0;
	}
	fprintf(stderr, "usage: work COLUMN COUNT\n");
	return 2;
}
