/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - TAP from a C program whose malloc is under test
 *
 * Writes with write(2) from a buffer on the stack: a check must be able to
 * report while the heap is broken, full or locked.
 */
#ifndef PRELOAD_CHECK_H
#define PRELOAD_CHECK_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check_count, check_failures;

static inline void check_write(const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(STDOUT_FILENO, text, left);

		if (n < 0 && errno != EINTR)
			_exit(98);
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
}

__attribute__((format(printf, 2, 3))) static inline void
check(int good, const char *name, ...)
{
	char text[256], line[320];
	int saved = errno;
	va_list args;

	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	check_count++;
	check_failures += !good;
	snprintf(line, sizeof(line), "%sok %d - %s\n", good ? "" : "not ",
		 check_count, text);
	check_write(line);
	errno = saved;
}

__attribute__((format(printf, 1, 2))) static inline void note(const char *fmt,
							      ...)
{
	char text[256] = "# ";
	int saved = errno;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + 2, sizeof(text) - 3, fmt, args);
	va_end(args);
	strcat(text, "\n");
	check_write(text);
	errno = saved;
}

static inline int check_done(void)
{
	char line[32];

	snprintf(line, sizeof(line), "1..%d\n", check_count);
	check_write(line);
	return check_failures != 0;
}

/* The compiler may not look through: for sizes it would warn of or fold. */
static inline size_t hide(size_t n)
{
	volatile size_t v = n;

	return v;
}

/* A block's bytes depend on its seed, so that a swapped block shows. */
static inline void fill(void *p, size_t n, unsigned seed)
{
	unsigned char *c = (unsigned char *)p;

	for (size_t i = 0; i < n; i++)
		c[i] = (unsigned char)(seed * 31 + i * 7 + (i >> 8));
}

static inline int filled(const void *p, size_t n, unsigned seed)
{
	const unsigned char *c = (const unsigned char *)p;

	for (size_t i = 0; i < n; i++)
		if (c[i] != (unsigned char)(seed * 31 + i * 7 + (i >> 8)))
			return 0;
	return 1;
}

static inline int all_zero(const void *p, size_t n)
{
	const unsigned char *c = (const unsigned char *)p;

	for (size_t i = 0; i < n; i++)
		if (c[i])
			return 0;
	return 1;
}

static inline int aligned(const void *p, size_t to)
{
	return ((uintptr_t)p & (to - 1)) == 0;
}

static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Resident set in bytes, without malloc; 0 where there is no /proc. */
static inline size_t resident(void)
{
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f) {
		if (fscanf(f, "%*u %zu", &pages) != 1)
			pages = 0;
		fclose(f);
	}
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

#endif
