/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * where - print the tier of a small block, as the preloaded library says
 *
 * "none" when no library that knows is loaded.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	int (*tier_of)(const void *);
	void *p = malloc(100);

	*(void **)&tier_of = dlsym(RTLD_DEFAULT, "cxlm_tier_of");
	if (!tier_of)
		puts("none");
	else
		printf("%d\n", tier_of(p));
	free(p);
	return 0;
}
