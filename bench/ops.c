/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ops OPERATION COUNT - one operation, so many times, for bench/counts
 *
 * The cxlm_ functions are found in the process: nothing is linked.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct pool_attr {		/* struct cxlm_pool_attr */
	size_t size;
	int tier, policy;
	const unsigned long *nodes;
	unsigned long maxnode, limit;
	const char *name;
};

static void *(*by_tier)(int, size_t, int);
static void *(*by_node)(int, size_t, int);
static void *(*by_pool)(void *, size_t);
static void *(*make_pool)(const struct pool_attr *);
static int (*push)(int);
static int (*pop)(void);

static void pairs(size_t size, long nr)
{
	for (long i = 0; i < nr; i++) {
		char *p = malloc(size);

		*p = 1;
		free(p);
	}
}

static void batches(long nr)
{
	static char *p[100];

	for (long i = 0; i < nr; i += 100) {
		for (int k = 0; k < 100; k++)
			*(p[k] = malloc(64)) = 1;
		for (int k = 0; k < 100; k++)
			free(p[k]);
	}
}

static void zeroed(size_t size, long nr)
{
	for (long i = 0; i < nr; i++)
		free(calloc(1, size));
}

static void grown(long nr)
{
	for (long i = 0; i < nr; i++) {
		char *p = malloc(16);

		for (size_t size = 32; size <= 1024; size *= 2)
			p = realloc(p, size);
		free(p);
	}
}

/* Of whole pages, alone: each step finds the pages behind it free. */
static void grown_by_pages(long nr)
{
	for (long i = 0; i < nr; i++) {
		char *p = malloc(16 << 10);

		for (size_t size = 32 << 10; size <= 256 << 10; size *= 2)
			*(p = realloc(p, size)) = 1;
		free(p);
	}
}

/* By 100 bytes within a class, as most of a buffer's small steps are. */
static void stayed(long nr)
{
	char *p = malloc(9000);

	for (long i = 0; i < nr; i++)
		*(p = realloc(p, 9000 + (size_t)(i & 7) * 100)) = 1;
	free(p);
}

static void aligned(long nr)
{
	for (long i = 0; i < nr; i++)
		free(aligned_alloc(64, 128));
}

static void of_tier(int flags, long nr)
{
	for (long i = 0; i < nr; i++)
		free(by_tier(1, 64, flags));
}

static void of_pool(long nr)
{
	struct pool_attr attr = { .size = sizeof(attr), .tier = 1 };
	void *pool = make_pool(&attr);

	for (long i = 0; i < nr; i++)
		free(by_pool(pool, 64));
}

static void of_node(long nr)
{
	for (long i = 0; i < nr; i++)
		free(by_node(0, 64, 0));
}

static void in_scope(long nr)
{
	push(1);
	pairs(64, nr);
	pop();
}

/* Large blocks came and went before: they must not have upset the events. */
static void after_large(long nr)
{
	static void *p[40];

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 40; i++)
			p[i] = malloc(17000 + (size_t)i * 9000);
		for (int i = 0; i < 40; i++)
			free(p[i]);
	}
	pairs(64, nr);
}

static void of_scope(long nr)
{
	for (long i = 0; i < nr; i++) {
		push(1);
		pop();
	}
}

/*
 * The library's looks and jemalloc's decay go by the clock. Here it stands still:
 * the executable's function is found ahead of libc's.
 */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = 1000000;
	now->tv_nsec = 0;
	return 0;
}

#define FIND(name, symbol) (*(void **)&(name) = dlsym(RTLD_DEFAULT, symbol))

int main(int argc, char **argv)
{
	const char *op = argc > 2 ? argv[1] : "";
	long nr = argc > 2 ? atol(argv[2]) : 0;

	FIND(by_tier, "cxlm_malloc");
	FIND(by_node, "cxlm_malloc_node");
	FIND(by_pool, "cxlm_pool_malloc");
	FIND(make_pool, "cxlm_pool_create");
	FIND(push, "cxlm_push");
	FIND(pop, "cxlm_pop");
	if (!strcmp(op, "pair:in_scope"))
		in_scope(nr);
	else if (!strcmp(op, "pair:after_large"))
		after_large(nr);
	else if (!strncmp(op, "pair:", 5))
		pairs(strtoul(op + 5, NULL, 10), nr);
	else if (!strncmp(op, "calloc:", 7))
		zeroed(strtoul(op + 7, NULL, 10), nr);
	else if (!strcmp(op, "batch"))
		batches(nr);
	else if (!strcmp(op, "realloc"))
		grown(nr);
	else if (!strcmp(op, "realloc:pages"))
		grown_by_pages(nr);
	else if (!strcmp(op, "realloc:same"))
		stayed(nr);
	else if (!strcmp(op, "aligned"))
		aligned(nr);
	else if (!strcmp(op, "cxlm_malloc"))
		of_tier(0, nr);
	else if (!strcmp(op, "cxlm_malloc:strict"))
		of_tier(2, nr);
	else if (!strcmp(op, "cxlm_malloc_node"))
		of_node(nr);
	else if (!strcmp(op, "cxlm_pool_malloc"))
		of_pool(nr);
	else if (!strcmp(op, "cxlm_push"))
		of_scope(nr);
	else
		return fprintf(stderr, "ops: unknown operation %s\n", op), 2;
	return 0;
}
