/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps_heap - how many mappings a heap costs, whatever its blocks are
 *
 * maps_heap MOST: the two windows together may have MOST mappings at any
 * moment, and the process a quarter of vm.max_map_count. A heap that left a
 * hole in its map per block would show here as tens of thousands.
 */
#include <malloc.h>
#include <pthread.h>

#include "tiers.h"

#define THREADS		4
#define SMALL		60000	/* blocks a thread */
#define LARGE		96	/* of 4 MiB */
#define MIXED		2000
#define ROUNDS		12
#define GIANT		6	/* of 3 GiB */

static unsigned most_in_windows, most_in_all, allowed, quarter;

/* Allocates nothing; a line is never longer than the buffer's half. */
static void count_maps(const char *when)
{
	static char buf[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY);
	unsigned all = 0, in_windows = 0;
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		char *line = buf, *stop;

		have += (size_t)n;
		buf[have] = '\0';
		while ((stop = strchr(line, '\n')) != NULL) {
			void *at = (void *)strtoul(line, NULL, 16);

			all++;
			in_windows += tier_of(at) >= 0;
			line = stop + 1;
		}
		have = strlen(line);
		memmove(buf, line, have);
	}
	close(fd);
	note("%s: %u mappings, %u of them the tiers'", when, all, in_windows);
	if (in_windows > most_in_windows)
		most_in_windows = in_windows;
	if (all > most_in_all)
		most_in_all = all;
}

static pthread_barrier_t barrier;

/* What main sees between two barriers is the state that was just reached. */
static void show(void)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
}

static void small_blocks(uint32_t *random)
{
	static __thread void *p[SMALL];

	for (unsigned i = 0; i < SMALL; i++) {
		p[i] = malloc(16 + next_random(random) % 1500);
		if (p[i])
			*(char *)p[i] = 1;
	}
	show();
	for (unsigned i = 0; i < SMALL; i++)
		if (i % 16) {
			free(p[i]);
			p[i] = NULL;
		}
	show();
	for (unsigned i = 0; i < SMALL; i += 16)
		free(p[i]);
}

/* One page of each is touched: holes of 4 MiB - 4 KiB between. */
static void large_blocks(void)
{
	static __thread char *p[LARGE];

	for (unsigned i = 0; i < LARGE; i++) {
		p[i] = malloc(4 * MIB);
		if (p[i])
			p[i][2 * MIB] = 1;
	}
	show();
	for (unsigned i = 0; i < LARGE; i += 2) {
		free(p[i]);
		p[i] = NULL;
	}
	malloc_trim(0);
	show();
	for (unsigned i = 0; i < LARGE; i++)
		free(p[i]);
}

static void mixed_blocks(uint32_t *random)
{
	static __thread char *p[MIXED];

	for (unsigned i = 0; i < MIXED * ROUNDS; i++) {
		uint32_t r = next_random(random), at = r % MIXED;
		size_t n = (size_t)64 << r / MIXED % 13;
		char *q;

		n += next_random(random) % n;
		if (r >> 28 < 4) {
			free(p[at]);
			p[at] = memalign((size_t)64 << r % 12, n);
		} else if (r >> 28 < 8) {
			free(p[at]);
			p[at] = NULL;
		} else if ((q = realloc(p[at], n)) != NULL) {
			p[at] = q;
		}
		if (p[at])
			*p[at] = 1;
		if (i % MIXED == MIXED - 1)
			malloc_trim(0);
	}
	show();
	for (unsigned i = 0; i < MIXED; i++) {
		free(p[i]);
		p[i] = NULL;
	}
}

static void *work(void *arg)
{
	uint32_t random = (uint32_t)(uintptr_t)arg;

	for (int round = 0; round < 2; round++) {
		small_blocks(&random);
		large_blocks();
		mixed_blocks(&random);
	}
	return NULL;
}

/* Far more than there is of memory: addresses, not pages. */
static void untouched(const char *when)
{
	void *p[GIANT];
	unsigned nr = 0;

	for (unsigned i = 0; i < GIANT; i++) {
		p[i] = malloc((size_t)3 << 30);
		nr += p[i] != NULL;
	}
	note("%u of %u blocks of 3 GiB", nr, GIANT);
	count_maps(when);
	for (unsigned i = 0; i < GIANT; i += 2)
		free(p[i]);
	count_maps("half of them freed");
	for (unsigned i = 1; i < GIANT; i += 2)
		free(p[i]);
}

static unsigned max_map_count(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	unsigned n = 0;

	if (!f || fscanf(f, "%u", &n) != 1)
		n = 65530;	/* the kernel's default */
	if (f)
		fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	static const char *const scene[] = {
		"small blocks",	      "15 of 16 freed",	     "blocks of 4 MiB",
		"every second freed", "mixed, freed, grown",
	};
	pthread_t thread[THREADS];

	if (argc != 2)
		return 2;
	allowed = (unsigned)atoi(argv[1]);
	quarter = max_map_count() / 4;
	if (!tiers_found())
		return check_done();
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	untouched("untouched blocks");
	for (uintptr_t t = 0; t < THREADS; t++)
		pthread_create(&thread[t], NULL, work, (void *)(t * 7919 + 1));
	for (unsigned i = 0; i < 10; i++) {
		pthread_barrier_wait(&barrier);
		count_maps(scene[i % 5]);
		pthread_barrier_wait(&barrier);
	}
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);
	untouched("untouched blocks, after all that");
	count_maps("at the end");
	check(most_in_windows > 0 && most_in_windows <= allowed,
	      "the tiers are %u mappings at most, %u are allowed",
	      most_in_windows, allowed);
	check(most_in_all < quarter,
	      "the process has %u at most, a quarter of the kernel's limit "
	      "is %u",
	      most_in_all, quarter);
	return check_done();
}
