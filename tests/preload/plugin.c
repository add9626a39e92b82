/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin - a shared object that allocates when loaded, used and unloaded
 *
 * Built plain, with libjemalloc, and in many copies with thread-local data.
 *
 * DEEP is for RTLD_DEEPBIND: its free is then libc's or libjemalloc's own,
 * while libc's functions call the preload's malloc, so what they make it must
 * not free. That is so under every preloaded allocator; only its own blocks
 * are its to free.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *own[50];
static __thread char in_thread[3000];

__attribute__((constructor)) static void loaded(void)
{
	for (int i = 0; i < 50; i++) {
#ifdef DEEP
		own[i] = malloc(40);
		if (!own[i] || sprintf(own[i], "plugin's string %d", i) < 0)
			abort();
#else
		if (asprintf(&own[i], "plugin's string %d", i) < 0)
			abort();
#endif
	}
}

__attribute__((destructor)) static void unloaded(void)
{
	for (int i = 0; i < 50; i++)
		free(own[i]);
	free(realloc(malloc(10), 100000));
}

void *plugin_malloc(size_t n)
{
	return malloc(n);
}

void plugin_free(void *p)
{
	free(p);
}

/* 0: the plugin's own blocks and thread-local data are as they were */
int plugin_work(int seed)
{
	char *p = malloc((size_t)seed * 100 + 1);

	memset(in_thread, seed, sizeof(in_thread));
	p = realloc(p, (size_t)seed * 300 + 1);
	memset(p, 1, (size_t)seed * 300 + 1);
	free(p);
	return strcmp(own[7], "plugin's string 7") ||
	       in_thread[2999] != (char)seed;
}
