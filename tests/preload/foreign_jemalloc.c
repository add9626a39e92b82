/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign_jemalloc - a program that is linked with libjemalloc, as Redis is
 *
 * malloc and free are the preload's; mallctl, mallocx and dallocx are
 * libjemalloc's; blocks of the second kind reach the first kind's free.
 */
#include <jemalloc/jemalloc.h>
#include <malloc.h>
#include <pthread.h>

#include "check.h"

static void mallctl_answers(void)
{
	const char *version = NULL;
	size_t n = sizeof(version), allocated = 0, length = sizeof(allocated);
	uint64_t epoch = 1;

	check(!mallctl("version", &version, &n, NULL, 0) && version &&
		      version[0] == '5',
	      "mallctl names libjemalloc's version");
	check(!mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)) &&
		      !mallctl("stats.allocated", &allocated, &length, NULL, 0),
	      "mallctl answers for libjemalloc's heap");
}

static void mallocx_blocks(void)
{
	int own = 1, freed = 1, resized = 1, sized = 1;

	for (size_t n = 1; n < 8 << 20; n = n * 3 + 5) {
		unsigned char *p = mallocx(n, 0);

		own &= p && sallocx(p, 0) >= n;
		fill(p, n, 1);
		p = rallocx(p, n * 2, MALLOCX_ALIGN(64));
		own &= p && filled(p, n, 1) && aligned(p, 64);
		dallocx(p, 0);
		p = mallocx(n, MALLOCX_ZERO | MALLOCX_TCACHE_NONE);
		own &= p && all_zero(p, n);
		sized &= malloc_usable_size(p) >= n;
		free(p);
		p = mallocx(n, MALLOCX_ALIGN(4096));
		fill(p, n, 2);
		p = realloc(p, n + 1000);
		resized &= p && filled(p, n, 2);
		freed &= p && malloc_usable_size(p) >= n + 1000;
		free(p);
	}
	check(own, "mallocx, rallocx and dallocx serve themselves");
	check(sized, "malloc_usable_size of a mallocx block");
	check(resized && freed, "realloc and free of a mallocx block");
}

static void freed_mallocx_blocks_go_home(void)
{
	size_t before = resident();

	for (unsigned i = 0; i < 20000; i++) {
		char *p = mallocx(60000, 0);

		memset(p, 1, 60000);
		free(p);
	}
	check(resident() < before + (64 << 20),
	      "a freed mallocx block is used again by libjemalloc");
}

static void *both_heaps(void *arg)
{
	uint32_t state = (uint32_t)(size_t)arg + 1;
	void *p[100] = { NULL };

	for (unsigned i = 0; i < 50000; i++) {
		uint32_t r = next_random(&state);

		free(p[r % 100]);
		p[r % 100] = r & 1024 ? malloc(r % 3000) :
					mallocx(r % 3000 + 1, 0);
	}
	for (unsigned i = 0; i < 100; i++)
		free(p[i]);
	return "done";
}

static void threads_mix_both_heaps(void)
{
	pthread_t thread[4];
	int good = 1;

	for (size_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, both_heaps, (void *)i);
	for (unsigned i = 0; i < 4; i++) {
		void *said;

		pthread_join(thread[i], &said);
		good &= said != NULL;
	}
	check(good, "four threads free both kinds with one free");
}

int main(void)
{
	mallctl_answers();
	mallocx_blocks();
	freed_mallocx_blocks_go_home();
	threads_mix_both_heaps();
	return check_done();
}
