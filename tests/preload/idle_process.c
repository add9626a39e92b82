/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_process - use a heap, free it all, and then only sleep
 *
 * idle_process MIB: half of it from a second thread, which sleeps as well.
 * Prints "full LOW HIGH" (in hexadecimal, the addresses its blocks are
 * between, by 2 MiB) once the heap is full and touched, waits for a line on
 * stdin, frees all of it, prints "idle" and reads stdin until its end. The
 * tester counts the pages between LOW and HIGH from outside.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BLOCKS	(1u << 17)
#define STEP		((uintptr_t)2 << 20)

struct share {
	void *block[MAX_BLOCKS];
	unsigned nr;
	uintptr_t low, high;
};

static struct share share[2];
static size_t bytes;
static sem_t full, empty, freed;

static void take(struct share *s)
{
	size_t taken = 0;

	s->low = UINTPTR_MAX;
	while (taken < bytes && s->nr < MAX_BLOCKS) {
		size_t n = s->nr % 64 ? 100 + s->nr * 37u % 3000 : 500000;
		void *p = malloc(n);

		if (!p)
			abort();
		memset(p, 1, n);
		if ((uintptr_t)p < s->low)
			s->low = (uintptr_t)p;
		if ((uintptr_t)p + n > s->high)
			s->high = (uintptr_t)p + n;
		s->block[s->nr++] = p;
		taken += n;
	}
}

static void give(struct share *s)
{
	while (s->nr)
		free(s->block[--s->nr]);
}

static void *other(void *arg)
{
	take(arg);
	sem_post(&full);
	sem_wait(&empty);
	give(arg);
	sem_post(&freed);
	sem_wait(&empty);
	return NULL;
}

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

int main(int argc, char **argv)
{
	uintptr_t low, high;
	pthread_t thread;
	char line[80];

	if (argc != 2)
		return 2;
	bytes = (size_t)atoi(argv[1]) << 19;
	sem_init(&full, 0, 0);
	sem_init(&empty, 0, 0);
	sem_init(&freed, 0, 0);
	pthread_create(&thread, NULL, other, &share[1]);
	take(&share[0]);
	sem_wait(&full);
	low = share[0].low < share[1].low ? share[0].low : share[1].low;
	high = share[0].high > share[1].high ? share[0].high : share[1].high;
	snprintf(line, sizeof(line), "full %lx %lx\n",
		 (unsigned long)(low / STEP * STEP),
		 (unsigned long)((high / STEP + 1) * STEP));
	say(line);
	if (read(STDIN_FILENO, line, sizeof(line)) < 0)
		return 1;
	sem_post(&empty);
	sem_wait(&freed);
	give(&share[0]);
	say("idle\n");
	while (read(STDIN_FILENO, line, sizeof(line)) > 0)
		;
	return 0;
}
