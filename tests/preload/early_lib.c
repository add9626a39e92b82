/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early_lib - a library that lives on the heap before and after everyone else
 *
 * Preloaded behind the library under test its constructor runs first and its
 * destructor last; in front of it, the other way round. It registers atfork
 * handlers from that constructor, before or after the allocator's own.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR	500

/* What the program inherits: early_block[i] holds i % 251 throughout. */
unsigned char *early_block[NR];
int early_good = 1;
int early_forks;

static size_t size_of(int i)
{
	return i % 50 == 49 ? 1 << 20 : (size_t)i * 13 + 1;
}

static void work(void)
{
	void *p[40];

	for (int i = 0; i < 40; i++) {
		p[i] = i % 2 ? malloc(size_of(i * 7)) : calloc(3, 1000);
		if (!p[i])
			abort();
		memset(p[i], 1, 1);
	}
	for (int i = 0; i < 40; i++)
		free(p[i]);
}

static void on_fork(void)
{
	early_forks++;
	work();
}

__attribute__((constructor(101))) static void earliest(void)
{
	for (int i = 0; i < NR; i++) {
		early_block[i] = i % 3 ? malloc(size_of(i)) :
					 calloc(1, size_of(i));
		if (!early_block[i])
			abort();
		if (i % 3 == 0)
			early_good &= early_block[i][0] == 0;
		memset(early_block[i], i % 251, size_of(i));
	}
	work();
	early_good &= dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere") == NULL;
	free(strdup(dlerror()));
	pthread_atfork(on_fork, on_fork, on_fork);
}

__attribute__((destructor(101))) static void latest(void)
{
	/* After exit handlers and the other libraries' destructors. */
	for (int i = 0; i < NR; i++) {
		unsigned char *p = early_block[i];

		if (p && (p[0] != i % 251 || p[size_of(i) - 1] != i % 251))
			early_good = 0;
		if (i % 2)
			free(p);
		else if (p)
			early_block[i] = realloc(p, size_of(i) * 2);
	}
	work();
	if (!early_good)
		write(STDOUT_FILENO, "early blocks were damaged\n", 26);
	else if (getenv("EARLY_SAY"))
		write(STDOUT_FILENO, "early blocks are whole\n", 23);
}
