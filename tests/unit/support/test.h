/* SPDX-License-Identifier: BSD-2-Clause */
/* test - what every unit test includes first */
#ifndef CM_TEST_SUPPORT_TEST_H
#define CM_TEST_SUPPORT_TEST_H

/* cmocka.h needs the first four before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A small generator, the same on every machine: fuzz-like tests repeat. */
static inline uint32_t test_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

#endif
