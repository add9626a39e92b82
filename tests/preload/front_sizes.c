/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front_sizes - whatever a block was before, it is as large as is asked for now
 *
 * Each size to 300,000 B, from the arena and from the thread's cache: the fast
 * path computes the size class by itself. A block is filled to its last usable
 * byte, so that one that is counted larger than it is meets its neighbour.
 */
#include <malloc.h>

#include "check.h"

#define MOST	300000
#define NR	24

static unsigned char *block[NR];
static size_t size[NR], usable[NR];

static int take(unsigned i, size_t n)
{
	size[i] = n;
	block[i] = malloc(n);
	usable[i] = malloc_usable_size(block[i]);
	if (!block[i] || usable[i] < n)
		return 0;
	memset(block[i], (int)i + 1, usable[i]);
	return 1;
}

static int whole(unsigned i)
{
	for (size_t k = 0; k < usable[i]; k += k + 64 < usable[i] ? 61 : 1)
		if (block[i][k] != i + 1)
			return 0;
	return malloc_usable_size(block[i]) == usable[i];
}

/* The next sizes, one block of each at a time, some freed twice as often. */
static int step(size_t n, unsigned most)
{
	int good = 1;

	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < most; i++)
			good &= take(i, n + i);
		for (unsigned i = 0; i < most; i++)
			good &= whole(i);
		/* the class before and the one behind come between */
		for (unsigned i = most; i-- > 0;)
			free(block[i]);
	}
	return good;
}

/* usable(n) is one for a size, whoever had the block before, and grows with it. */
static int same_as_fresh(void)
{
	size_t last = 0;

	for (size_t n = 1; n <= MOST; n += n < 5000 ? 1 : 97) {
		void *p = malloc(n), *q;
		size_t of_p = malloc_usable_size(p);

		free(p);
		q = malloc(n);
		if (malloc_usable_size(q) < n || of_p < n || of_p < last ||
		    (n > 16 && of_p - n > n / 4 + 16))
			return 0;
		free(q);
		/* a place for larger blocks may have had one somewhat larger */
		last = n < 262144 ? of_p : 0;
	}
	return 1;
}

int main(void)
{
	int good = 1;

	check(same_as_fresh(),
	      "each size is served with no more than a quarter "
	      "over");
	for (size_t n = 1; n <= 20000 && good; n += NR)
		good &= step(n, NR);
	check(good,
	      "blocks of 1 to 20,000 B keep what is written to their end");
	for (size_t n = 20001, at; n <= MOST && good; n = at) {
		/* all around each multiple of a page */
		good &= step(n, 8);
		at = (n / 4096 + 1) * 4096 - 3;
		at = at > n ? at : at + 4096;
	}
	check(good, "and of 20,001 to 300,000 B");
	return check_done();
}
