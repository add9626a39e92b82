/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile_sites - call stacks that differ where a profile has to see it
 *
 *	profile_sites		big() makes 40 blocks of 256 KiB; small() 200,000
 *				of 64 bytes; hot() and cold() both through
 *				wrapper(), 40 of 100,000 bytes each; grown()
 *				has one that grows to 10 MiB; prints
 *				where each one's last block is
 *	profile_sites fork	and so does a child
 */
#include "tiers.h"

#include <sys/wait.h>

#define KEPT	__attribute__((noinline, noclone))

/* A call, never a jump. */
static void *kept(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

KEPT void *wrapper(size_t size);
KEPT void *big(void);
KEPT void *small(void);
KEPT void *hot(void);
KEPT void *cold(void);
KEPT void *grown(void);

KEPT void *wrapper(size_t size)
{
	return kept(malloc(size));
}

KEPT void *big(void)
{
	return kept(malloc(256 << 10));
}

KEPT void *small(void)
{
	return kept(malloc(64));
}

KEPT void *hot(void)
{
	return kept(wrapper(100000));
}

KEPT void *cold(void)
{
	return kept(wrapper(100000));
}

/* 1 KiB, doubled until it is 8 MiB: powers of 2 are size classes of any jemalloc. */
KEPT void *grown(void)
{
	static size_t size;
	void *p = NULL;

	for (size = 1 << 10; size <= 8 << 20; size *= 2)
		p = realloc(p, size);
	return kept(p);
}

static void show(const char *name, void *(*f)(void), int times)
{
	int tier = -1;

	while (times--) {
		void *p = f();

		tier = tier_of(p);
		free(p);
	}
	printf("%s %d\n", name, tier);
}

static void all(void)
{
	show("big", big, 40);
	show("small", small, 200000);
	show("hot", hot, 40);
	show("cold", cold, 40);
	show("grown", grown, 1);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	*(void **)&tier_of = dlsym(RTLD_DEFAULT, "cxlm_tier_of");
	if (!tier_of)
		return 1;
	(void)argv;
	all();
	if (argc > 1 && fork() == 0) {
		all();
		exit(0);
	}
	return argc > 1 ? wait(NULL) < 0 : 0;
}
