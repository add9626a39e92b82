/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_resize - blocks of zero bytes, calloc's zeros, realloc, free
 *
 * With an argument, all memory is locked first.
 */
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>

#include "check.h"

#define NR_ZERO	2000

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

static void zero_bytes_is_a_distinct_block(void)
{
	static void *block[NR_ZERO];
	int good = 1;

	for (unsigned i = 0; i < NR_ZERO; i++) {
		switch (i % 5) {
		case 0:
			block[i] = malloc(0);
			break;
		case 1:
			block[i] = calloc(0, 8);
			break;
		case 2:
			block[i] = calloc(8, 0);
			break;
		case 3:
			block[i] = realloc(NULL, 0);
			break;
		case 4:
			if (posix_memalign(&block[i], 64, 0))
				block[i] = NULL;
			break;
		}
		good &= block[i] != NULL;
	}
	check(good, "zero bytes is a block, not NULL");
	qsort(block, NR_ZERO, sizeof(block[0]), by_address);
	for (unsigned i = 1; i < NR_ZERO; i++)
		good &= block[i] != block[i - 1];
	check(good, "blocks of zero bytes are distinct");
	for (unsigned i = 0; i < NR_ZERO; i++)
		free(block[i]);
}

static void usable_size_is_usable(void)
{
	static unsigned char *block[3000];
	static size_t usable[3000];
	int enough = 1, kept = 1;

	for (unsigned i = 0; i < 3000; i++) {
		size_t n = i < 2000 ? i : (size_t)i * 37;

		block[i] = malloc(n);
		usable[i] = malloc_usable_size(block[i]);
		enough &= usable[i] >= n;
		fill(block[i], usable[i], i);
	}
	for (unsigned i = 0; i < 3000; i++) {
		kept &= filled(block[i], usable[i], i);
		free(block[i]);
	}
	check(enough, "malloc_usable_size is at least what was asked");
	check(kept, "every usable byte is the block's own");
	check(malloc_usable_size(NULL) == 0, "malloc_usable_size(NULL) is 0");
}

static void calloc_is_zero_after_dirty_use(void)
{
	static const size_t sizes[] = { 1,	 8,	 16,	 24,
					100,	 500,	 1024,	 4000,
					4096,	 10000,	 16384,	 40000,
					65536,	 131072, 300000, 1 << 20,
					3 << 20, 9 << 20 };
	int good = 1;

	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t n = sizes[s];
		unsigned count = n > 100000 ? 4 : 200;

		for (unsigned round = 0; round < 4; round++) {
			unsigned char *block[200];

			for (unsigned i = 0; i < count; i++) {
				block[i] = i % 2 ? calloc(n, 1) : calloc(1, n);
				good &= block[i] && all_zero(block[i], n);
				if (block[i])
					memset(block[i], 0xa5,
					       malloc_usable_size(block[i]));
			}
			for (unsigned i = 0; i < count; i++)
				free(block[i]);
		}
	}
	check(good, "calloc is zero where dirty blocks were freed");
}

/* Purging and decommitting between the two must not bring old bytes back. */
static void calloc_is_zero_after_trim(void)
{
	int good = 1;

	for (unsigned round = 0; round < 5; round++) {
		unsigned char *block[64];

		for (unsigned i = 0; i < 64; i++) {
			block[i] = malloc(200000);
			memset(block[i], 0xff, 200000);
		}
		for (unsigned i = 0; i < 64; i++)
			free(block[i]);
		malloc_trim(0);
		for (unsigned i = 0; i < 64; i++) {
			block[i] = calloc(20, 10000);
			good &= block[i] && all_zero(block[i], 200000);
			if (block[i])
				memset(block[i], 0xff, 200000);
		}
		for (unsigned i = 0; i < 64; i++)
			free(block[i]);
	}
	check(good, "calloc is zero after malloc_trim");
}

static void realloc_keeps_the_bytes(void)
{
	uint32_t state = 12345;
	int good = 1;

	for (unsigned run = 0; run < 40; run++) {
		size_t n = 1 + next_random(&state) % 300;
		unsigned char *p = malloc(n), *q;

		fill(p, n, run);
		for (unsigned step = 0; good && step < 60; step++) {
			unsigned shift = next_random(&state) % 20;
			size_t m = 1 + next_random(&state) % (8u << shift);
			size_t kept = m < n ? m : n;

			q = step % 2 ? realloc(p, m) : reallocarray(p, m, 1);
			if (!q) {
				good = 0;
				break;
			}
			good &= filled(q, kept, run);
			fill(q, m, run);
			p = q;
			n = m;
		}
		free(p);
	}
	check(good, "realloc keeps the bytes, up and down, 1 B to 8 MiB");
}

static void realloc_of_an_aligned_block_keeps_the_bytes(void)
{
	int good = 1;

	for (size_t align = 32; align <= 1 << 20; align *= 2) {
		unsigned char *p = memalign(align, 5000);

		fill(p, 5000, 9);
		p = realloc(p, 70000);
		good &= p && filled(p, 5000, 9);
		p = realloc(p, 50);
		good &= p && filled(p, 50, 9);
		free(p);
	}
	check(good, "realloc of an aligned block keeps the bytes");
}

static void realloc_to_zero_frees(void)
{
	size_t before;
	int null = 1;

	for (unsigned i = 0; i < 100; i++)
		null &= realloc(malloc(i), hide(0)) == NULL;
	null &= reallocarray(malloc(10), hide(0), 8) == NULL;
	null &= reallocarray(malloc(10), 8, hide(0)) == NULL;
	check(null, "realloc(p, 0) returns NULL");
	before = resident();
	for (unsigned i = 0; i < 20000; i++) {
		char *p = malloc(16000);

		memset(p, 1, 16000);
		if (realloc(p, hide(0)))
			null = 0;
	}
	check(null && resident() < before + (32 << 20),
	      "realloc(p, 0) frees the block");
}

static void realloc_to_the_same_size_stays(void)
{
	int good = 1;

	for (size_t n = 1; n < 2 << 20; n = n * 2 + 1) {
		char *p = malloc(n);
		uintptr_t was = (uintptr_t)p;

		p = realloc(p, n);
		good &= (uintptr_t)p == was;
		p = realloc(p, malloc_usable_size(p));
		good &= (uintptr_t)p == was;
		free(p);
	}
	check(good, "realloc within a block's usable size stays in place");
}

static void free_keeps_errno(void)
{
	static void *block[2000];
	int good = 1;

	errno = 77;
	free(NULL);
	good &= errno == 77;
	for (size_t n = 1; n <= 512 << 20; n *= 2) {
		char *p = malloc(n);

		if (!p)
			break;
		p[0] = 1;
		p[n - 1] = 1;
		errno = 77;
		free(p);
		good &= errno == 77;
	}
	/* Caches flush, pages go back: the slow paths of free. */
	for (unsigned i = 0; i < 2000; i++) {
		block[i] = malloc(20000);
		memset(block[i], 1, 20000);
	}
	errno = 77;
	for (unsigned i = 0; i < 2000; i++)
		free(block[i]);
	good &= errno == 77;
	check(good, "free keeps errno");
}

/* Blocks must not overlap, whatever the mixture. */
static void blocks_keep_apart(void)
{
	static struct {
		unsigned char *p;
		size_t n;
	} slot[2000];
	uint32_t state = 99;
	int good = 1;

	for (unsigned step = 0; step < 100000; step++) {
		unsigned i = next_random(&state) % 2000;
		unsigned shift = next_random(&state) % 13;

		if (slot[i].p && !filled(slot[i].p, slot[i].n, i))
			good = 0;
		free(slot[i].p);
		slot[i].n = 1 + next_random(&state) % (8u << shift);
		slot[i].p = malloc(slot[i].n);
		if (slot[i].p)
			fill(slot[i].p, slot[i].n, i);
		else
			good = 0;
	}
	for (unsigned i = 0; i < 2000; i++) {
		good &= !slot[i].p || filled(slot[i].p, slot[i].n, i);
		free(slot[i].p);
	}
	check(good, "a hundred thousand random blocks keep their bytes");
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1 && mlockall(MCL_CURRENT | MCL_FUTURE))
		return 77;
	zero_bytes_is_a_distinct_block();
	usable_size_is_usable();
	calloc_is_zero_after_dirty_use();
	calloc_is_zero_after_trim();
	realloc_keeps_the_bytes();
	realloc_of_an_aligned_block_keeps_the_bytes();
	realloc_to_zero_frees();
	realloc_to_the_same_size_stays();
	free_keeps_errno();
	blocks_keep_apart();
	return check_done();
}
