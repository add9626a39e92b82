/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz - what a target is
 *
 * A target is one function that is given bytes and returns; what must hold of
 * them it asserts with must(). tests/fuzz/run gives it bytes that libFuzzer
 * makes up, make check (replay.c) those that are kept in corpus/.
 */
#ifndef CM_FUZZ_H
#define CM_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* Safe for a terminal, and nothing beyond its end. */
static inline void must_print(const char *text, size_t max)
{
	size_t len = 0;

	for (; text[len]; len++)
		must(text[len] >= ' ' && text[len] <= '~');
	must(len <= max);
}

#endif
