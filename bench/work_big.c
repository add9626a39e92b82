/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work_big - columns of big and growing blocks
 *
 * grow  1,000 vectors grow by realloc, by half from 32 B to 64 KiB, at random;
 *       every 256th operation one buffer grows by a quarter, from 4 KiB to 48 MiB
 * huge  1..25 MiB, replaces one of 16, and writes a byte of each page
 */
#include <stdlib.h>

#include "work.h"

enum {
	VECTORS = 1000,
	VECTOR_LEAST = 32,
	VECTOR_MOST = 64 << 10,
	EACH = 256,
	BUFFER_LEAST = 4 << 10,
	BUFFER_MOST = 48 << 20,
	HUGE_SLOTS = 16,
	PAGE = 4096,
};

static void touch(unsigned char *block, size_t from, size_t to)
{
	volatile unsigned char *p = block;

	for (size_t at = from; at < to; at += PAGE)
		p[at] = 1;
}

static void grow(struct work_slot *s, size_t size, size_t least, size_t most,
		 unsigned char mark)
{
	size_t old = s->size;

	if (size > most) {
		work_check(s->block, old, mark);
		free(s->block);
		s->block = NULL;
		size = least;
		old = 0;
	}
	s->block = realloc(s->block, size);
	s->size = size;
	if (!s->block)
		work_fail("out of memory");
	if (old)
		work_check(s->block, old, mark);
	/* What came new is written; the old last byte may be overwritten. */
	touch(s->block, old, size);
	work_mark(s->block, size, mark);
}

void work_grow(long count)
{
	static struct work_slot vectors[VECTORS], buffer;
	uint64_t seed = 88172645463325252u;

	for (int i = 0; i < VECTORS; i++)
		grow(&vectors[i], VECTOR_LEAST, VECTOR_LEAST, VECTOR_MOST,
		     (unsigned char)i);
	grow(&buffer, BUFFER_LEAST, BUFFER_LEAST, BUFFER_MOST, 'b');
	work_start();
	for (long i = 1; i <= count; i++) {
		size_t at = work_random(&seed) % VECTORS;
		struct work_slot *v = &vectors[at];

		if (i % EACH == 0)
			grow(&buffer, buffer.size + buffer.size / 4,
			     BUFFER_LEAST, BUFFER_MOST, 'b');
		else
			grow(v, v->size + v->size / 2, VECTOR_LEAST,
			     VECTOR_MOST, (unsigned char)at);
	}
	work_stop();
	for (int i = 0; i < VECTORS; i++)
		free(vectors[i].block);
	free(buffer.block);
}

static void huge_fill(struct work_slot *s, long i, uint64_t *seed)
{
	s->size = ((size_t)1 << 20) + work_random(seed) % ((size_t)24 << 20);
	s->block = malloc(s->size);
	work_mark(s->block, s->size, (unsigned char)i);
	touch(s->block, PAGE, s->size - 1);
}

void work_huge(long count)
{
	static struct work_slot slots[HUGE_SLOTS];
	uint64_t seed = 88172645463325252u;

	for (long i = 0; i < HUGE_SLOTS; i++)
		huge_fill(&slots[i], i, &seed);
	work_start();
	for (long i = 0; i < count; i++) {
		long at = (long)(work_random(&seed) % HUGE_SLOTS);

		work_check(slots[at].block, slots[at].size, (unsigned char)at);
		free(slots[at].block);
		huge_fill(&slots[at], at, &seed);
	}
	work_stop();
	for (long i = 0; i < HUGE_SLOTS; i++)
		free(slots[i].block);
}
