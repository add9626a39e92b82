/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hog MIB [hold] - takes memory as an ordinary program does, with malloc, and
 * writes to all of it
 *
 * Says "taken N of MIB", and with "hold" keeps it until its input ends. Knows
 * nothing of tiers: it is run with the library, and without.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB	((size_t)1 << 20)

int main(int argc, char **argv)
{
	long want = argc > 1 ? atol(argv[1]) : 0, n = 0;
	char line[10];

	while (n < want) {
		char *at = malloc(MIB);

		if (!at)
			break;
		memset(at, 1, MIB);
		n++;
	}
	printf("taken %ld of %ld\n", n, want);
	fflush(stdout);
	if (argc > 2)
		while (fgets(line, sizeof(line), stdin))
			;
	return 0;
}
