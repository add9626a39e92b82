/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak_block - blocks that show when a byte of theirs was written by another
 *
 * A block begins with a head (size, seed, owner and their checksum); the rest
 * is a pattern of the seed, so that every byte is known. Who holds a block
 * keeps the same facts outside of the heap: two blocks in one place cannot
 * both be right. Nothing here uses the heap but the calls under test.
 */
#ifndef SOAK_BLOCK_H
#define SOAK_BLOCK_H

#include <malloc.h>

#include "tiers.h"

struct head {
	uint32_t size, seed, owner, sum;
};

/* A block as its holder knows it; p is NULL where there is none. */
struct item {
	unsigned char *p;
	uint32_t size, seed, owner;
};

typedef uint64_t __attribute__((may_alias)) word;

static int null_allowed;
static pid_t parent;

__attribute__((noreturn, format(printf, 1, 2))) static void
broken(const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	note("DAMAGE: %s", text);
	/* A child's is told again by the parent, as its exit status. */
	if (getpid() == parent)
		check(0, "%s", text);
	_exit(1);
}

static inline uint64_t pattern(uint32_t seed, size_t i)
{
	return (seed + 1) * 0x9e3779b97f4a7c15u + i * 0xd1b54a32d192ed03u;
}

static inline uint32_t sum_of(const struct item *item)
{
	uint64_t x = pattern(item->seed, item->size) ^ item->owner;

	return (uint32_t)((x * 0xff51afd7ed558ccdu) >> 32);
}

static inline void stamp(struct item *item, uint32_t owner)
{
	item->owner = owner;
	*(struct head *)item->p = (struct head){ item->size, item->seed, owner,
						 sum_of(item) };
}

static inline void write_block(struct item *item, uint32_t owner)
{
	size_t body = item->size - sizeof(struct head), i;
	word *w = (word *)(item->p + sizeof(struct head));
	uint64_t last;

	stamp(item, owner);
	for (i = 0; i < body / 8; i++)
		w[i] = pattern(item->seed, i);
	last = pattern(item->seed, i);
	memcpy(&w[i], &last, body % 8);
}

/* The first `size` bytes are as written when it had item->size. */
static inline void verify_part(const struct item *item, size_t size,
			       const char *when)
{
	const struct head *h = (const struct head *)item->p;
	size_t body = size - sizeof(*h), i;
	const word *w = (const word *)(item->p + sizeof(*h));
	uint64_t wrong = 0, last;

	if (h->size != item->size || h->seed != item->seed ||
	    h->owner != item->owner || h->sum != sum_of(item))
		broken("%s: head of %p is %u/%x/%u/%x, not %u/%x/%u/%x", when,
		       (void *)item->p, h->size, h->seed, h->owner, h->sum,
		       item->size, item->seed, item->owner, sum_of(item));
	for (i = 0; i < body / 8; i++)
		wrong |= w[i] ^ pattern(item->seed, i);
	last = pattern(item->seed, i);
	wrong |= (uint64_t)memcmp(&w[i], &last, body % 8);
	if (!wrong)
		return;
	for (i = 0; i < body / 8 && w[i] == pattern(item->seed, i); i++)
		;
	broken("%s: %p of %u bytes, owner %u, differs at %zu", when,
	       (void *)item->p, item->size, item->owner, sizeof(*h) + i * 8);
}

static inline void verify(const struct item *item, const char *when)
{
	verify_part(item, item->size, when);
}

/* 16 B to 6 MiB: [2^low, 2^high), and how many of 10,000 draws it gets. */
static inline uint32_t draw_size(uint32_t *random)
{
	static const struct {
		unsigned share, low, high;
	} class[] = {
		{ 5500, 4, 7 },	 { 2800, 7, 10 }, { 1100, 10, 13 },
		{ 450, 13, 16 }, { 135, 16, 20 }, { 15, 20, 22 },
	};
	uint32_t r = next_random(random) % 10000, doubling;
	unsigned i = 0;

	while (r >= class[i].share)
		r -= class[i++].share;
	doubling = class[i].low +
		   next_random(random) % (class[i].high - class[i].low);
	r = (1u << doubling) + next_random(random) % (1u << doubling);
	return i == 5 ? r / 2 * 3 : r;
}

/* By words: all_zero() stops at each byte. */
static inline void verify_zero(const unsigned char *p, size_t size)
{
	const word *w = (const word *)p;
	uint64_t wrong = 0;

	for (size_t i = 0; i < size / 8; i++)
		wrong |= w[i];
	if (wrong || !all_zero(p + size / 8 * 8, size % 8))
		broken("calloc of %zu bytes at %p is not zero", size,
		       (void *)p);
}

static unsigned char *by_any_call(uint32_t *random, size_t size, size_t *align)
{
	uint32_t r = next_random(random);
	void *p = NULL;

	*align = 16;
	switch (r % 16) {
	case 0 ... 2:
		p = calloc(1, size);
		if (p)
			verify_zero(p, size);
		return p;
	case 3:
		*align = (size_t)16 << (r >> 8) % 9;
		return memalign(*align, size);
	case 4:
		*align = (size_t)16 << (r >> 8) % 6;
		return aligned_alloc(*align, size);
	case 5:
		*align = (size_t)16 << (r >> 8) % 13;
		return posix_memalign(&p, *align, size) ? NULL : p;
	case 6:
		return reallocarray(NULL, size, 1);
	case 7:
		return realloc(NULL, size);
	default:
		return malloc(size);
	}
}

static inline void verify_place(const unsigned char *p, size_t size,
				size_t align)
{
	if (!aligned(p, align))
		broken("%p of %zu bytes is not aligned to %zu", (void *)p, size,
		       align);
	if (malloc_usable_size((void *)(uintptr_t)p) < size)
		broken("%p of %zu bytes has %zu usable", (void *)p, size,
		       malloc_usable_size((void *)(uintptr_t)p));
	if (tier_of(p) != DDR && tier_of(p) != CXL)
		broken("%p of %zu bytes is in no tier", (void *)p, size);
}

/* 0: NULL, which is only right where the operator said fail. */
static inline int make_block(struct item *item, uint32_t owner,
			     uint32_t *random)
{
	uint32_t size = draw_size(random);
	size_t align;

	item->p = by_any_call(random, size, &align);
	if (!item->p) {
		if (!null_allowed)
			broken("NULL for %u bytes (errno %d)", size, errno);
		return 0;
	}
	verify_place(item->p, size, align);
	/* What is usable may be used. */
	if (next_random(random) % 8 == 0)
		size = (uint32_t)malloc_usable_size(item->p);
	item->size = size;
	item->seed = next_random(random);
	write_block(item, owner);
	return 1;
}

/* 0: refused, and the block is what it was. */
static inline int resize_block(struct item *item, uint32_t owner,
			       uint32_t *random)
{
	uint32_t r = next_random(random), size = draw_size(random);
	unsigned char *p;

	/* mostly near its size, as buffers grow */
	if (r % 4 && item->size < 4 * MIB)
		size = item->size / 4 * (2 + r / 8 % 5) + 16;
	verify(item, "before realloc");
	p = r & 4 ? realloc(item->p, size) : reallocarray(item->p, 1, size);
	if (!p) {
		if (!null_allowed)
			broken("realloc: NULL for %u bytes (errno %d)", size,
			       errno);
		verify(item, "after a refused realloc");
		return 0;
	}
	item->p = p;
	verify_place(p, size, 16);
	verify_part(item, size < item->size ? size : item->size,
		    "after realloc");
	item->size = size;
	item->seed = next_random(random);
	write_block(item, owner);
	return 1;
}

static inline void drop_block(struct item *item, const char *when)
{
	unsigned char *p = item->p;

	verify(item, when);
	item->p = NULL;
	free(p);
}

#endif
