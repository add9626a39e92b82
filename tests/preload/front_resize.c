/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front_resize - realloc from each size class to each other
 *
 * usage: front_resize [stays | limit]
 *
 *   stays  a block stays on its tier, whichever that is
 *   limit  until there is no room: NULL, ENOMEM, and the block is as it was
 *
 * The fast path computes both classes by itself. Blocks are filled to their last
 * usable byte and have neighbours that are, too.
 */
#include <malloc.h>

#include "tiers.h"

#define MOST	290000
#define NR	80
#define NEAR	3

static size_t bytes[NR];
static unsigned nr;

static void find_classes(void)
{
	for (size_t n = 1; n <= MOST && nr < NR; n = bytes[nr++] + 1) {
		void *p = malloc(n);

		bytes[nr] = malloc_usable_size(p);
		free(p);
	}
	check(nr > 50 && nr < NR, "%u size classes to %d B", nr, MOST);
}

static unsigned char *near[NR][NEAR];

static void make_neighbours(void)
{
	for (unsigned i = 0; i < nr; i++)
		for (unsigned k = 0; k < NEAR; k++) {
			near[i][k] = malloc(bytes[i]);
			fill(near[i][k], bytes[i], i * NEAR + k);
		}
}

static int neighbours_are_whole(void)
{
	int good = 1;

	for (unsigned i = 0; i < nr; i++)
		for (unsigned k = 0; k < NEAR; k++) {
			good &= filled(near[i][k], bytes[i], i * NEAR + k);
			free(near[i][k]);
		}
	return good;
}

static int lost, moved, short_of, strayed;

static unsigned char *to(unsigned char *p, size_t had, size_t n, unsigned seed)
{
	int tier = tier_of ? tier_of(p) : 0;
	unsigned char *q = realloc(p, n);

	if (!q) {
		check_write("Bail out! realloc failed\n");
		_exit(1);
	}
	lost += !filled(q, had < n ? had : n, seed);
	short_of += malloc_usable_size(q) < n;
	strayed += tier_of && tier_of(q) != tier;
	return q;
}

/* From class i to class k and back, to its last byte and to its first. */
static void there_and_back(unsigned i, unsigned k)
{
	size_t from = bytes[i], most = bytes[k];
	size_t least = k ? bytes[k - 1] + 1 : 1;
	unsigned char *p = malloc(from);
	uintptr_t was;

	fill(p, from, i);
	p = to(p, from, least, i);
	fill(p, least, k);
	was = (uintptr_t)p;
	p = to(p, least, most, k);
	fill(p, most, k);
	p = to(p, most, least, k);
	/* alone on its pages a block may have been left larger */
	moved += (uintptr_t)p != was;
	p = to(p, least, from, k);
	fill(p, from, i);
	free(p);
}

static void each_pair(void)
{
	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < nr; i++) {
			/* the next ones, then further away */
			for (unsigned k = i > 3 ? i - 3 : 0; k < nr;
			     k += k < i + 3 ? 1 : 7)
				there_and_back(i, k);
			for (unsigned k = 0; k + 3 < i; k += 7)
				there_and_back(i, k);
		}
}

/* Many at once, by steps that are no class's: the caches fill and run empty. */
static void grow_together(void)
{
	static unsigned char *block[40];
	size_t size = 24;

	for (unsigned i = 0; i < 40; i++)
		fill(block[i] = malloc(size), size, i);
	while (size < 400000) {
		size_t next = size + size / 5 + 3;

		for (unsigned i = 0; i < 40; i++) {
			block[i] = to(block[i], size, next, i);
			fill(block[i], next, i);
		}
		size = next;
	}
	while (size > 24) {
		size_t next = size / 3 * 2;

		for (unsigned i = 0; i < 40; i++)
			block[i] = to(block[i], size, next, i);
		size = next;
		for (unsigned i = 0; i < 40; i++)
			fill(block[i], size, i);
	}
	for (unsigned i = 0; i < 40; i++)
		free(block[i]);
}

/* Blocks fill the tiers, then shall have twice the size; what does not fit stays. */
static void until_full(unsigned i)
{
	enum {
		MANY = 20000
	};
	static unsigned char *block[MANY];
	static size_t size[MANY];
	unsigned made = 0, refused = 0, good = 1;

	for (; made < MANY; made++) {
		block[made] = malloc(size[made] = bytes[i]);
		if (!block[made])
			break;
		fill(block[made], size[made], made);
	}
	for (unsigned k = 0; k < made; k++) {
		void *p = realloc(block[k], 2 * bytes[i]);

		if (p) {
			block[k] = p;
			good &= filled(p, size[k], k);
			fill(p, size[k] = 2 * bytes[i], k);
		} else {
			refused++;
			good &= errno == ENOMEM;
		}
		errno = 0;
	}
	check(made < MANY && refused && good,
	      "%zu B: %u of %u that are to grow are refused with ENOMEM",
	      bytes[i], refused, made);
	good = 1;
	for (unsigned k = 0; k < made; k++) {
		good &= filled(block[k], size[k], k) &&
			(block[k] = realloc(block[k], bytes[i - 1])) != NULL &&
			filled(block[k], bytes[i - 1], k);
		if (!good)
			break;
	}
	check(good, "they have their bytes, and shrink");
	for (unsigned k = 0; k < made; k++)
		free(block[k]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "stays") && !tiers_found())
		return check_done();
	find_classes();
	if (!strcmp(what, "limit")) {
		for (unsigned i = 2; i < nr; i += 6)
			if (bytes[i] >= 2000)
				until_full(i);
		return check_done();
	}
	make_neighbours();
	each_pair();
	check(!lost, "from each class to others bytes are kept (%d)", lost);
	check(!moved, "within a class a block stays (%d did not)", moved);
	check(!short_of, "it has what is asked for (%d do not)", short_of);
	grow_together();
	check(!lost && !short_of, "so have blocks that grow together");
	if (tier_of)
		check(!strayed, "they stay on their tier (%d)", strayed);
	check(neighbours_are_whole(), "their neighbours are whole");
	return check_done();
}
