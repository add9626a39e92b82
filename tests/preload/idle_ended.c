/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_ended - what threads had is given back when they have ended
 *
 * Under decay_ms=200: 300 threads each use one small block, all at one time, and
 * end. Their caches' tables, 28 KiB each, are in no tier's used, and what the
 * tier holds free is too little to be looked for. The first thread then allocates
 * a little now and then, which is when looks are made: the decay time has to pass
 * and nothing tells when the pages have gone but the kernel's count.
 */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "tiers.h"

#define THREADS 300

static pthread_barrier_t all_have;

static void *one_block(void *arg)
{
	void *block = malloc(16);

	pthread_barrier_wait(&all_have);
	free(block);
	return arg;
}

/* KiB of the process, as the kernel counts them; -1: it does not say. */
static long anonymous(void)
{
	char text[4096], *line;
	int fd = open("/proc/self/smaps_rollup", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "Anonymous:");
	return line ? strtol(line + 10, NULL, 10) : -1;
}

int main(void)
{
	const struct timespec tick = { .tv_nsec = 20000000 };
	static pthread_t thread[THREADS];
	long before, ended, now;

	free(malloc(100));
	before = anonymous();
	if (before < 0) {
		printf("ok 1 - # SKIP no smaps_rollup (Linux 4.14)\n1..1\n");
		return 0;
	}
	pthread_barrier_init(&all_have, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, one_block, NULL))
			abort();
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ended = now = anonymous();
	for (int i = 0; i < 500 && now > before + THREADS * 6; i++) {
		nanosleep(&tick, NULL);
		for (unsigned j = 0; j < 1000; j++)
			free(malloc(100 + j % 8));
		now = anonymous();
	}
	note("%ld KiB before, %ld when they had ended, then %ld", before, ended,
	     now);
	check(now <= before + THREADS * 6,
	      "the tables of %d threads' caches are given back", THREADS);
	return check_done();
}
