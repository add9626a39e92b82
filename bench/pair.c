/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair - what does one malloc and free of one size cost?
 *
 *	pair COUNT SIZE
 *
 * The loop is kept by a volatile pointer; compile with -fno-builtin. Counted
 * by callgrind at two COUNTs, so that start-up drops out (bench/instructions).
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	void *volatile p;
	long count;
	size_t size;

	if (argc != 3) {
		fprintf(stderr, "usage: pair COUNT SIZE\n");
		return 2;
	}
	count = atol(argv[1]);
	size = strtoul(argv[2], NULL, 0);
	for (long i = 0; i < count; i++) {
		p = malloc(size);
		free(p);
	}
	return 0;
}
