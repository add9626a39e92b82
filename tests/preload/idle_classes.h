/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_classes - jemalloc's size classes as far as threads cache them, and how
 * many blocks of each a cache takes
 *
 * Four classes a doubling up to 256 KiB. Small ones lie in slabs: the fewest
 * pages that blocks fill without a rest, or what entry/init.c asks for; a cache
 * takes two slabs' blocks, 20 at least and 200 at most, or what is asked for. The
 * library reads the same from jemalloc (cache_bound in its report): the two must
 * agree. JE_530: with jemalloc 5.3.0.
 */
#ifndef IDLE_CLASSES_H
#define IDLE_CLASSES_H

#include <stddef.h>

#define MAX_CLASSES	64
#define MAX_SLOTS	200
#define FIRST_LARGE	(16u << 10)
#ifdef JE_530
#define LARGEST_CACHED	(128u << 10)
#else
#define LARGEST_CACHED	(256u << 10)
#endif

static inline size_t class_after(size_t n)
{
	if (n < 16)
		return 16;
	if (n < 128)
		return n + 16;
	return n + ((size_t)1 << (63 - __builtin_clzl(n)) >> 2);
}

static inline size_t slab_of(size_t n)
{
	size_t bytes = 4096;

#ifndef JE_530
	if (n >= 512)
		return n <= 2048 ? 32u << 10 : 64u << 10;
#endif
	while (bytes % n)
		bytes += 4096;
	return bytes;
}

static inline unsigned slots_of(size_t n)
{
	size_t slots = slab_of(n) / n * 2;

#ifdef JE_530
	if (n >= FIRST_LARGE)
		return 3;
#else
	if (n >= 512)
		return n <= 2048	? 32 :
		       n < FIRST_LARGE	? 20 :
		       n <= 32u << 10	? 4 :
		       n <= 64u << 10	? 3 :
					 1;
#endif
	return slots < 20	 ? 20 :
	       slots > MAX_SLOTS ? MAX_SLOTS :
				   (unsigned)slots;
}

/* What a cache that is full in every class holds. */
static inline size_t full_cache(void)
{
	size_t bytes = 0;

	for (size_t n = 8; n <= LARGEST_CACHED; n = class_after(n))
		bytes += n * slots_of(n);
	return bytes;
}

/* A slab that is only partly in the cache is held whole: one of each class. */
static inline size_t one_slab_each(void)
{
	size_t bytes = 0;

	for (size_t n = 8; n < FIRST_LARGE; n = class_after(n))
		bytes += slab_of(n);
	return bytes;
}

/* What it holds at most if no block has a neighbour of its slab in use. */
static inline size_t slabs_of_full_cache(void)
{
	size_t bytes = 0;

	for (size_t n = 8; n <= LARGEST_CACHED; n = class_after(n))
		bytes += (n < FIRST_LARGE ? slab_of(n) : n) * slots_of(n);
	return bytes;
}

#endif
