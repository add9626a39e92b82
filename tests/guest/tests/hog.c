/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hog MIB [hold|late] - takes memory as an ordinary program does, with malloc,
 * and writes to all of it
 *
 * Says "taken N of MIB". hold: keeps it until its input ends. late: writes
 * when it gets a line. Knows nothing of tiers: it is run with the library, and without.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB	((size_t)1 << 20)
#define MAX	4096

static char *taken[MAX];

int main(int argc, char **argv)
{
	long want = argc > 1 ? atol(argv[1]) : 0, n = 0;
	int late = argc > 2 && !strcmp(argv[2], "late");
	char line[10];

	while (n < want && n < MAX) {
		taken[n] = malloc(MIB);
		if (!taken[n])
			break;
		if (!late)
			memset(taken[n], 1, MIB);
		n++;
	}
	printf("taken %ld of %ld\n", n, want);
	fflush(stdout);
	if (argc > 2)
		while (fgets(line, sizeof(line), stdin) && !late)
			;
	while (late && n)
		memset(taken[--n], 1, MIB);
	return 0;
}
