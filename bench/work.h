/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work - the columns of the bench: programs that allocate and check
 *
 * A column runs its set-up, calls work_start(), does `count` operations, calls
 * work_stop() and tears down. It calls plain malloc and free: which allocator
 * that is, LD_PRELOAD decides.
 *
 * Every block is marked in its first and last byte when it is allocated and
 * looked at before it is freed, so that an allocator that hands out overlapping
 * or short blocks ends the run and cannot look fast.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stddef.h>
#include <stdint.h>

struct work_column {
	const char *name;
	void (*run)(long count);
};

void work_start(void);
void work_stop(void);
void work_set(int64_t wall_ns, int64_t cpu_ns);	/* in place of the two */
_Noreturn void work_fail(const char *what);

/*
 * More for the record than the two times, printed after them. work_also: fields of
 * the run's JSON line; work_part: the times of a part, a column of its own.
 */
void work_also(const char *format, ...) __attribute__((format(printf, 1, 2)));
void work_part(const char *part, long count, int64_t wall_ns, int64_t cpu_ns);
int64_t work_clock(int clock);
/* So much time passes for the allocator, if its clock is steered (work.c). */
void work_pass(int64_t ns);

/* A thread that cannot be started is the machine's fault, not the allocator's. */
static inline void work_started(int error)
{
	if (error)
		work_fail("a thread could not be started");
}

struct work_slot {
	unsigned char *block;
	size_t size;
};

void work_pair(long count);
void work_batch(long count);
void work_small(long count);
void work_large(long count);
void work_realloc(long count);
void work_calloc(long count);
void work_cross(long count);
void work_churn(long count);
void work_alive(long count);
void work_server(long count);
void work_producer(long count);
void work_sweep(long count);
void work_aligned(long count);
void work_grow(long count);
void work_huge(long count);
void work_frag(long count);
void work_live7(long count);
void work_first(long count);
void work_threads(long count);

/* xorshift64: every row sees the same sequence. */
static inline uint64_t work_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The blocks of one column hold different marks while they live together. */
static inline void work_mark(void *block, size_t size, unsigned char mark)
{
	volatile unsigned char *p = block;

	if (!p)
		work_fail("out of memory");
	if ((uintptr_t)p & 15)
		work_fail("a block is not aligned to 16");
	p[0] = mark;
	p[size - 1] = mark;
}

static inline void work_check(const void *block, size_t size,
			      unsigned char mark)
{
	const volatile unsigned char *p = block;

	if (p[0] != mark || p[size - 1] != mark)
		work_fail("a block's first or last byte has changed");
}

#endif
