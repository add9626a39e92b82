/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sizes_class - policy=size: each call's block is on its class's tier
 *
 * usage: sizes_class TIER [BOUND TIER]...	(bounds in bytes)
 */
#include <malloc.h>

#include "tiers.h"

#define MAX_CLASSES 16

static size_t bound[MAX_CLASSES];
static int tier[MAX_CLASSES];
static int nr;

static int class_of(size_t size)
{
	int i = 0;

	while (i < nr - 1 && size >= bound[i])
		i++;
	return tier[i];
}

static int wrong;
static size_t wrong_size;

static void *expect(void *p, size_t size)
{
	if (tier_of(p) != class_of(size)) {
		wrong++;
		wrong_size = size;
	}
	return p;
}

static void told(const char *what)
{
	check(!wrong, "%s (%d wrong, the last of %zu bytes)", what, wrong,
	      wrong_size);
	wrong = 0;
	wrong_size = 0;
}

/* Around each bound, and all over the small sizes. */
static void each_size(void (*fn)(size_t size))
{
	for (size_t size = 1; size <= 8192; size += 7)
		fn(size);
	for (int i = 0; i < nr - 1; i++)
		for (size_t size = bound[i] > 4 ? bound[i] - 4 : 1;
		     size < bound[i] + 4; size++)
			fn(size);
	for (size_t size = 10000; size < 6 * MIB; size += size / 3)
		fn(size);
}

static void by_malloc(size_t size)
{
	void *block[20];

	for (int i = 0; i < 20; i++)
		block[i] = expect(malloc(size), size);
	for (int i = 0; i < 20; i++)
		free(block[i]);
}

static void by_calloc(size_t size)
{
	char *p = expect(calloc(1, size), size);

	if (p[0] || p[size - 1])
		wrong++;
	memset(p, 1, size);
	free(p);
}

/* Rounded up, an aligned block may be of the class above. */
static void by_memalign(size_t size)
{
	size_t rounded = (size + 63) & ~(size_t)63;
	void *p = memalign(64, size);

	if (tier_of(p) != class_of(size) && tier_of(p) != class_of(rounded)) {
		wrong++;
		wrong_size = size;
	}
	free(p);
}

/* A block that has to move goes where its new size belongs. */
static void growing(void)
{
	size_t size = 8, filled = 8;
	unsigned char *p = malloc(size);
	int moved = 0;

	memset(p, 8, filled);
	while (size < 8 * MIB) {
		size_t usable = malloc_usable_size(p), next = size * 2;
		unsigned char *q = realloc(p, next);

		moved += tier_of(q) != class_of(size);
		if (next > usable)
			expect(q, next);
		for (size_t i = 0; i < filled; i++)
			wrong += q[i] != 8;
		memset(q, 8, next);
		filled = size = next;
		p = q;
	}
	free(p);
	check(nr == 1 || moved, "growth has crossed classes");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (i % 2)
			tier[nr++] = argv[i][0] == 'c' ? CXL : DDR;
		else
			bound[nr - 1] = strtoul(argv[i], NULL, 10);
	}
	if (!tiers_found())
		return check_done();
	each_size(by_malloc);
	told("malloc");
	each_size(by_calloc);
	told("calloc");
	each_size(by_memalign);
	told("memalign");
	growing();
	told("realloc that grows");
	return check_done();
}
