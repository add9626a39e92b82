/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * life_early - blocks made before constructors ran, used and freed later
 *
 * Its own .preinit_array runs before every library's constructor; early_lib's
 * blocks come from a constructor. Wants early_lib.so preloaded.
 */
#include <dlfcn.h>
#include <malloc.h>

#include "check.h"

#define NR	300

static unsigned char *first[NR];
static char *line;
static int first_good = 1;

static void before_constructors(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	for (unsigned i = 0; i < NR; i++) {
		size_t n = i % 30 == 29 ? 3 << 20 : i * 17 + 1;

		first[i] = i % 2 ? malloc(n) : calloc(1, n);
		if (!first[i]) {
			first_good = 0;
			return;
		}
		if (i % 2 == 0)
			first_good &= all_zero(first[i], n);
		fill(first[i], i * 17 + 1, i);
	}
	if (asprintf(&line, "%s %d %f", "early", 42, 1.5) < 0)
		line = NULL;
	for (unsigned i = 0; i < NR; i += 3) {
		free(first[i]);
		first[i] = NULL;
	}
}

__attribute__((section(".preinit_array"),
	       used)) static void (*preinit)(int, char **,
					     char **) = before_constructors;

static void blocks_of_preinit_live_on(void)
{
	int good = 1;

	for (unsigned i = 0; i < NR; i++) {
		if (!first[i])
			continue;
		good &= filled(first[i], i * 17 + 1, i);
		good &= malloc_usable_size(first[i]) >= i * 17 + 1;
		if (i % 2) {
			first[i] = realloc(first[i], i * 40 + 100);
			good &= first[i] && filled(first[i], i * 17 + 1, i);
		}
		free(first[i]);
	}
	check(first_good, "malloc and calloc work in .preinit_array");
	check(good, "their blocks live on, grow and are freed");
	check(line && !strcmp(line, "early 42 1.500000"),
	      "asprintf works in .preinit_array");
	free(line);
}

static void blocks_of_an_early_constructor_live_on(void)
{
	unsigned char **block = dlsym(RTLD_DEFAULT, "early_block");
	int *early_good = dlsym(RTLD_DEFAULT, "early_good");
	int good;

	check(block && early_good, "the early library is loaded");
	if (!block || !early_good)
		return;
	good = *early_good;
	for (int i = 100; i < 200; i++) {
		good &= block[i][0] == i % 251;
		block[i] = realloc(block[i], (size_t)i * 100 + (2 << 20));
		good &= block[i] && block[i][0] == i % 251;
		free(block[i]);
		block[i] = NULL;
	}
	check(good, "blocks of an early constructor live on and are freed");
}

int main(void)
{
	blocks_of_preinit_live_on();
	blocks_of_an_early_constructor_live_on();
	return check_done();
}
