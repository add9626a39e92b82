/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * life_exit - what a program prints at its very end, and how it ends
 *
 * argv[1]: return, exit, thread (exit from a thread while others allocate),
 * quick, abandon (main thread leaves first). The driver compares stdout with
 * the same run without a preload: an allocator that dies before stdio's last
 * flush prints NULs or nothing (peers.md 1.2).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *kept[100];
static volatile int keep_going = 1;

static void use_the_heap(const char *who)
{
	for (int i = 0; i < 200; i++) {
		char *p = malloc((size_t)i * 97 + 1);

		memset(p, i, (size_t)i * 97 + 1);
		p = realloc(p, (size_t)i * 300 + 1);
		if (p[0] != (char)i)
			abort();
		free(p);
	}
	printf("%s: %s\n", who, kept[7]);
	free(strdup(who));
}

static void at_exit_first(void)
{
	use_the_heap("atexit, registered first");
}
static void at_exit_last(void)
{
	use_the_heap("atexit, registered last");
}
static void at_quick_exit_(void)
{
	use_the_heap("at_quick_exit");
}

static void on_exit_(int status, void *text)
{
	printf("on_exit(%d)\n", status);
	use_the_heap(text);
	free(text);
}

__attribute__((destructor)) static void destructor(void)
{
	use_the_heap("destructor");
	for (int i = 0; i < 100; i++)
		free(kept[i]);
	kept[7] = strdup("made in the destructor");
}

__attribute__((destructor(101))) static void last_destructor(void)
{
	use_the_heap("last destructor");
}

static void *hammer(void *arg)
{
	unsigned n = (unsigned)(size_t)arg;

	while (keep_going) {
		void *p;

		n = n * 1103515245 + 12345;
		p = malloc(n % 60000 + 1);
		*(volatile char *)p = 1;
		free(p);
	}
	return NULL;
}

static void *exit_from_here(void *arg)
{
	(void)arg;
	exit(3);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "return";
	pthread_t thread[4];

	setvbuf(stdout, malloc(1 << 20), _IOFBF, 1 << 20);
	for (int i = 0; i < 100; i++)
		if (asprintf(&kept[i], "kept string %d", i) < 0)
			return 99;
	atexit(at_exit_first);
	on_exit(on_exit_, strdup("on_exit"));
	at_quick_exit(at_quick_exit_);
	atexit(at_exit_last);
	for (int i = 0; i < 20000; i++)
		printf("line %d of a buffer that is flushed at exit\n", i);
	if (!strcmp(how, "return"))
		return 0;
	if (!strcmp(how, "exit"))
		exit(7);
	if (!strcmp(how, "quick")) {
		fflush(stdout);
		quick_exit(5);
	}
	for (size_t i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, hammer, (void *)(i + 1));
	if (!strcmp(how, "thread"))
		pthread_create(&thread[3], NULL, exit_from_here, NULL);
	else
		keep_going = 0;
	pthread_exit(NULL);
}
