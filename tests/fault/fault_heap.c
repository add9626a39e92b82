/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault_heap - use the heap while system calls fail, and notice any damage
 *
 * Says where it begins with getppid(), a call nobody makes by chance: the
 * script counts system calls from there. A NULL with ENOMEM is a fair answer
 * to a failed call and is counted; anything else wrong ends with status 1.
 * Prints "served N refused M".
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR	400

static _Atomic unsigned served, refused;

static void die(const char *why)
{
	fprintf(stderr, "fault_heap: %s\n", why);
	_exit(1);
}

static void check_new(void *p, int is_null_ok)
{
	if (p) {
		served++;
		return;
	}
	if (errno != ENOMEM || !is_null_ok)
		die("NULL without ENOMEM");
	refused++;
}

struct block {
	unsigned char *p;
	size_t size;
	unsigned char byte;
};

static void fill(struct block *b, size_t from)
{
	if (b->p)
		memset(b->p + from, b->byte, b->size - from);
}

static void verify(const struct block *b, size_t upto)
{
	for (size_t i = 0; b->p && i < upto; i += 509)
		if (b->p[i] != b->byte)
			die("a block's bytes changed");
}

static void *work(void *arg)
{
	static const size_t sizes[] = {
		16, 100, 1000, 5000, 20000, 70000, 300000, 3000000,
	};
	struct block block[NR] = { { 0 } };
	uint32_t x = (uint32_t)(uintptr_t)arg * 2654435761u + 1;

	for (unsigned i = 0; i < 3000; i++) {
		struct block *b;
		size_t size;

		x ^= x << 13, x ^= x >> 17, x ^= x << 5;
		b = &block[x % NR];
		size = sizes[x >> 10 & 7] + (x >> 16 & 63);
		verify(b, b->size);
		if (b->p && x >> 28 < 5) {
			unsigned char *p;

			errno = 0;
			p = realloc(b->p, size);
			check_new(p, 1);
			if (!p) {	/* the old one must be as it was */
				verify(b, b->size);
				continue;
			}
			b->p = p;
			verify(b, size < b->size ? size : b->size);
			b->size = size;
			fill(b, 0);
			continue;
		}
		free(b->p);
		b->byte = (unsigned char)x;
		b->size = size;
		errno = 0;
		if (x >> 28 < 8) {
			b->p = calloc(1, size);
			check_new(b->p, 1);
			for (size_t k = 0; b->p && k < size; k++)
				if (b->p[k])
					die("calloc gave old bytes");
		} else {
			b->p = malloc(size);
			check_new(b->p, 1);
		}
		fill(b, 0);
		if (i % 500 == 499)
			malloc_usable_size(b->p);
	}
	for (unsigned i = 0; i < NR; i++) {
		verify(&block[i], block[i].size);
		free(block[i].p);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;

	(void)getppid();
	work((void *)1);
	if (pthread_create(&thread, NULL, work, (void *)2) == 0)
		(void)pthread_join(thread, NULL);
	malloc_trim(0);
	work((void *)3);
	printf("served %u refused %u\n", served, refused);
	return 0;
}
