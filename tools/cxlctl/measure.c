/* SPDX-License-Identifier: BSD-2-Clause */
#include "measure.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "sys/sys.h"

#define LINE	64		/* bytes; two of them where lines are longer */
#define CHUNK	(1 << 20)	/* read between looks at the clock */

/* A line of the chase; the rest of it is only there to be fetched. */
union line {
	union line *next;
	char bytes[LINE];
};

void *measure_map(size_t size, unsigned node)
{
	struct cm_nodeset nodes = { { 0 } };
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	cm_nodeset_set(&nodes, node);
	if (syscall(SYS_mbind, p, size,
		    (long)(CM_MPOL_BIND | CM_MPOL_F_STATIC_NODES), nodes.bits,
		    CM_MAX_NODES + 1UL, 0UL) < 0) {
		int err = errno;

		munmap(p, size);
		errno = err;
		return NULL;
	}
	/* else it is the walk through page tables that is measured, too */
	(void)madvise(p, size, MADV_HUGEPAGE);
	memset(p, 1, size);
	return p;
}

void measure_unmap(void *memory, size_t size)
{
	munmap(memory, size);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* xorshift64*, Vigna 2014; the same circle each time */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dU;
}

/* One circle through all lines (Sattolo's algorithm). */
static void tie(union line *lines, size_t nr)
{
	uint64_t state = 88172645463325252U;

	for (size_t i = 0; i < nr; i++)
		lines[i].next = &lines[i];
	for (size_t i = nr - 1; i > 0; i--) {
		size_t other = draw(&state) % i;
		union line *next = lines[i].next;

		lines[i].next = lines[other].next;
		lines[other].next = next;
	}
}

static bool pin(unsigned cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) == 0;
}

static unsigned first_cpu(const cpu_set_t *cpus)
{
	unsigned cpu = 0;

	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, cpus))
		cpu++;
	return cpu;
}

double measure_latency(void *memory, size_t size, const cpu_set_t *cpus,
		       unsigned ms)
{
	union line *volatile end;
	union line *at = memory;
	uint64_t start, passed, steps = 0;
	cpu_set_t before;

	if (sched_getaffinity(0, sizeof(before), &before) < 0 ||
	    !pin(first_cpu(cpus)))
		return 0;
	tie(memory, size / sizeof(*at));
	start = now_ns();
	do {
		for (unsigned i = 0; i < 4096; i++)
			at = at->next;
		steps += 4096;
		end = at;
		passed = now_ns() - start;
	} while (passed < ms * 1000000ULL);
	(void)end;
	(void)sched_setaffinity(0, sizeof(before), &before);
	return (double)passed / (double)steps;
}

/* --- bandwidth ----------------------------------------------------------- */

/* A cache line; the compiler reads it in as wide pieces as it may use. */
typedef uint64_t wide __attribute__((vector_size(64)));

struct reader {
	pthread_t thread;
	pthread_mutex_t *gate;	/* locked until all are there */
	const char *memory;
	size_t size;
	unsigned cpu, ms;
	uint64_t bytes, ns;
	uint64_t sum;		/* so that the reads are not left out */
	bool pinned;
};

static uint64_t read_chunk(const char *memory, size_t size)
{
	const wide *at = (const void *)memory;
	wide sum[4] = { { 0 } };

	for (size_t i = 0; i + 4 <= size / sizeof(*at); i += 4) {
		sum[0] ^= at[i];
		sum[1] ^= at[i + 1];
		sum[2] ^= at[i + 2];
		sum[3] ^= at[i + 3];
	}
	sum[0] ^= sum[1] ^ sum[2] ^ sum[3];
	return sum[0][0] ^ sum[0][7];
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	size_t at = 0;
	uint64_t start;

	r->pinned = pin(r->cpu);
	pthread_mutex_lock(r->gate);
	pthread_mutex_unlock(r->gate);
	start = now_ns();
	do {
		size_t len = r->size - at < CHUNK ? r->size - at : CHUNK;

		r->sum ^= read_chunk(r->memory + at, len);
		r->bytes += len;
		at = at + len < r->size ? at + len : 0;
		r->ns = now_ns() - start;
	} while (r->ns < r->ms * 1000000ULL);
	return NULL;
}

/* The parts are lines of 64 bytes, and none is empty. */
static void share_out(struct reader *readers, unsigned nr, const void *memory,
		      size_t size)
{
	size_t part = size / nr / LINE * LINE;

	for (unsigned i = 0; i < nr; i++) {
		readers[i].memory = (const char *)memory + i * part;
		readers[i].size = part;
	}
}

double measure_bandwidth(const void *memory, size_t size, const cpu_set_t *cpus,
			 unsigned ms, unsigned *threads)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	unsigned nr = (unsigned)CPU_COUNT(cpus), started = 0;
	struct reader *readers = calloc(nr, sizeof(*readers));
	double rate = 0;

	*threads = 0;
	if (!readers)
		return 0;
	share_out(readers, nr, memory, size);
	pthread_mutex_lock(&gate);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && started < nr; cpu++) {
		struct reader *r = &readers[started];

		if (!CPU_ISSET(cpu, cpus))
			continue;
		r->cpu = cpu;
		r->ms = ms;
		r->gate = &gate;
		if (pthread_create(&r->thread, NULL, read_on, r))
			break;
		started++;
	}
	pthread_mutex_unlock(&gate);
	for (unsigned i = 0; i < started; i++) {
		struct reader *r = &readers[i];

		pthread_join(r->thread, NULL);
		if (!r->pinned)
			continue;
		++*threads;
		rate += (double)r->bytes * 1000 / (double)r->ns;
	}
	free(readers);
	return rate;
}
