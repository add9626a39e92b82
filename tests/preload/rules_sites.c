/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_sites - where blocks of each caller and each call are
 *
 *	rules_sites sites LIB...	for the program and each library a line:
 *					its name, and the tier of each call's block
 *	rules_sites reload A B		close A and open B until it lies where A
 *					lay; where blocks of both are, to and fro
 *	rules_sites full		the program's blocks until a tier is full
 */
#include "tiers.h"

#include <malloc.h>
#include <sys/wait.h>

#define NR_CALLS	10

typedef void *alloc_fn(int, size_t);

/* The program's own. */
#define lib_alloc	own_alloc
#include "rules_lib.c"
#undef lib_alloc

static void sites(const char *name, alloc_fn *alloc)
{
	static const size_t size[] = { 40, 3000, 20000, 1 << 20 };
	char tier[NR_CALLS + 1] = "";

	for (int how = 0; how < NR_CALLS; how++)
		for (int s = 0; s < 4; s++) {
			void *p = alloc(how, size[s]);
			void *q = realloc(p, 2 * size[s]);
			char now = (char)('0' + tier_of(q));

			/* every size, and the block that took its place */
			tier[how] = !s || tier[how] == now ? now : '?';
			free(q);
		}
	printf("%s %s\n", name, tier);
}

static void *open_in(const char *path, alloc_fn **alloc)
{
	void *handle = dlopen(path, RTLD_NOW);

	if (!handle) {
		printf("Bail out! %s\n", dlerror());
		exit(1);
	}
	*(void **)alloc = dlsym(handle, "lib_alloc");
	return handle;
}

static int reload(const char *a, const char *b)
{
	int same = 0, wrong = 0;

	for (int i = 0; i < 200; i++) {
		alloc_fn *in_a, *in_b;
		void *handle = open_in(a, &in_a);
		void *p = in_a(0, 100), *q;

		dlclose(handle);
		handle = open_in(b, &in_b);
		q = in_b(0, 100);
		same += in_a == in_b;
		wrong += tier_of(p) != CXL || tier_of(q) != DDR;
		free(p);
		free(q);
		dlclose(handle);
	}
	printf("%s, %d wrong\n", same ? "same addresses" : "never the same",
	       wrong);
	return 0;
}

static int full(void)
{
	size_t nr[2] = { 0 };

	for (int i = 0; i < 256; i++) {
		char *p = malloc(64 << 10);

		memset(p, 1, 64 << 10);
		nr[tier_of(p) == CXL]++;
	}
	printf("%s %s, cxl %s its limit\n", nr[CXL] ? "cxl" : "-",
	       nr[DDR] ? "ddr" : "-",
	       stat_of(CXL).peak <= stat_of(CXL).limit ? "within" : "over");
	return 0;
}

int main(int argc, char **argv)
{
	*(void **)&tier_of = dlsym(RTLD_DEFAULT, "cxlm_tier_of");
	*(void **)&tier_stat = dlsym(RTLD_DEFAULT, "cxlm_tier_stat");
	if (argc < 2 || !tier_of || !tier_stat)
		return 1;
	if (!strcmp(argv[1], "full"))
		return full();
	if (!strcmp(argv[1], "reload"))
		return reload(argv[2], argv[3]);
	sites("exe", own_alloc);
	for (int i = 2; i < argc; i++) {
		const char *name = strrchr(argv[i], '/');
		alloc_fn *alloc;

		open_in(argv[i], &alloc);
		sites(name + 1, alloc);
	}
	/* a child goes on with what its parent knew, and finds more */
	fflush(stdout);
	if (fork() == 0) {
		sites("child", own_alloc);
		fflush(stdout);
		_exit(0);
	}
	return wait(NULL) < 0;
}
