/* SPDX-License-Identifier: BSD-2-Clause */
/* smoke - 64 MiB in blocks of every kind of size, each found as it was left */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_BLOCKS	4096

static size_t size_of(size_t i)
{
	return 1 + i * 37 % 32768;
}

int main(void)
{
	static unsigned char *block[NR_BLOCKS];
	size_t i, n;

	for (i = 0; i < NR_BLOCKS; i++) {
		block[i] = malloc(size_of(i));
		if (!block[i])
			return 1;
		memset(block[i], (int)i, size_of(i));
	}
	for (i = 0; i < NR_BLOCKS; i++) {
		block[i] = realloc(block[i], 2 * size_of(i));
		if (!block[i])
			return 1;
	}
	for (i = 0; i < NR_BLOCKS; i++) {
		for (n = 0; n < size_of(i); n++)
			if (block[i][n] != (unsigned char)i)
				return 2;
		free(block[i]);
	}
	puts("every block held what was written");
	return 0;
}
