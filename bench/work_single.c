/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work_single - columns of one thread
 *
 * pair     malloc and free of 64 B, one block alive
 * batch    100 blocks of 64 B, then all freed, oldest first
 * small    16..1024 B, each operation replaces one of 10,000 blocks
 * large    16 KiB..4 MiB (each doubling as likely), replaces one of 200, and
 *          writes a byte of each page
 * realloc  buffers that grow: four by half up to 256 KiB, four by 100 B to 16 KiB
 * calloc   64 B and 4 KiB in turn, replaces one of 200 dirty blocks
 */
#include <stdlib.h>

#include "work.h"

enum {
	BATCH = 100,
	SMALL_SLOTS = 10000,
	LARGE_SLOTS = 200,
	CALLOC_SLOTS = 200,
	BUFFERS = 8,
	PAGE = 4096,
};

/* volatile: else the compiler drops a malloc whose block only meets free. */
static void *volatile kept;

void work_pair(long count)
{
	work_start();
	for (long i = 0; i < count; i++) {
		void *p = malloc(64);

		kept = p;
		work_mark(p, 64, (unsigned char)i);
		work_check(p, 64, (unsigned char)i);
		free(p);
	}
	work_stop();
}

void work_batch(long count)
{
	static void *blocks[BATCH];

	work_start();
	for (long i = 0; i < count; i += BATCH) {
		for (int j = 0; j < BATCH; j++) {
			blocks[j] = malloc(64);
			work_mark(blocks[j], 64, (unsigned char)j);
		}
		for (int j = 0; j < BATCH; j++) {
			work_check(blocks[j], 64, (unsigned char)j);
			free(blocks[j]);
		}
	}
	work_stop();
}

static void small_fill(struct work_slot *slots, long i, uint64_t *seed)
{
	slots[i].size = 16 + work_random(seed) % (1024 - 16 + 1);
	slots[i].block = malloc(slots[i].size);
	work_mark(slots[i].block, slots[i].size, (unsigned char)i);
}

void work_small(long count)
{
	static struct work_slot slots[SMALL_SLOTS];
	uint64_t seed = 88172645463325252u;

	for (long i = 0; i < SMALL_SLOTS; i++)
		small_fill(slots, i, &seed);
	work_start();
	for (long i = 0; i < count; i++) {
		long at = (long)(work_random(&seed) % SMALL_SLOTS);

		work_check(slots[at].block, slots[at].size, (unsigned char)at);
		free(slots[at].block);
		small_fill(slots, at, &seed);
	}
	work_stop();
	for (long i = 0; i < SMALL_SLOTS; i++) {
		work_check(slots[i].block, slots[i].size, (unsigned char)i);
		free(slots[i].block);
	}
}

static void large_fill(struct work_slot *slots, long i, uint64_t *seed)
{
	uint64_t r = work_random(seed);
	size_t base = (size_t)16384 << (r & 7);
	volatile unsigned char *p;

	slots[i].size = base + (r >> 8) % base;
	p = slots[i].block = malloc(slots[i].size);
	work_mark(slots[i].block, slots[i].size, (unsigned char)i);
	for (size_t at = PAGE; at < slots[i].size - 1; at += PAGE)
		p[at] = (unsigned char)i;
}

void work_large(long count)
{
	static struct work_slot slots[LARGE_SLOTS];
	uint64_t seed = 88172645463325252u;

	for (long i = 0; i < LARGE_SLOTS; i++)
		large_fill(slots, i, &seed);
	work_start();
	for (long i = 0; i < count; i++) {
		long at = (long)(work_random(&seed) % LARGE_SLOTS);

		work_check(slots[at].block, slots[at].size, (unsigned char)at);
		free(slots[at].block);
		large_fill(slots, at, &seed);
	}
	work_stop();
	for (long i = 0; i < LARGE_SLOTS; i++) {
		work_check(slots[i].block, slots[i].size, (unsigned char)i);
		free(slots[i].block);
	}
}

void work_realloc(long count)
{
	static struct work_slot buffers[BUFFERS];

	for (int i = 0; i < BUFFERS; i++) {
		buffers[i].size = 64;
		buffers[i].block = malloc(64);
		work_mark(buffers[i].block, 64, (unsigned char)i);
	}
	work_start();
	for (long i = 0; i < count; i++) {
		int at = (int)(i % BUFFERS);
		struct work_slot *b = &buffers[at];
		size_t old = b->size, most = at & 1 ? 16384 : 262144;

		b->size += at & 1 ? 100 : old / 2;
		if (b->size > most) {
			work_check(b->block, old, (unsigned char)at);
			free(b->block);
			b->block = NULL;
			b->size = 64;
		}
		b->block = realloc(b->block, b->size);
		if (!b->block)
			work_fail("out of memory");
		if (b->size > 64)
			work_check(b->block, old, (unsigned char)at);
		work_mark(b->block, b->size, (unsigned char)at);
	}
	work_stop();
	for (int i = 0; i < BUFFERS; i++) {
		work_check(buffers[i].block, buffers[i].size, (unsigned char)i);
		free(buffers[i].block);
	}
}

void work_calloc(long count)
{
	static struct work_slot slots[CALLOC_SLOTS];

	work_start();
	for (long i = 0; i < count; i++) {
		long at = i % CALLOC_SLOTS;
		struct work_slot *s = &slots[at];
		/* Never 0 and the same as long as the block lives. */
		unsigned char mark = (unsigned char)(at | 1);

		if (s->block) {
			work_check(s->block, s->size, mark);
			free(s->block);
		}
		s->size = i & 1 ? 4096 : 64;
		s->block = calloc(1, s->size);
		if (!s->block)
			work_fail("out of memory");
		work_check(s->block, s->size, 0);
		work_mark(s->block, s->size, mark);
	}
	work_stop();
	for (int i = 0; i < CALLOC_SLOTS; i++)
		free(slots[i].block);
}
