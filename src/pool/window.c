/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "pool/window.h"
#include "sys/file.h"
#include "sys/sys.h"

/* MAP_32BIT, low brk heaps and mmap_min_addr stay below this. */
#define LOWEST	(4 * GIB)

#define NR_WINDOWS	(CM_NR_TIERS + 2)	/* pool/mixed.c's, pool/own.c's */

void cm_gap_before(struct cm_gap *largest, uintptr_t *last, uintptr_t start,
		   uintptr_t end)
{
	if (start > *last && start - *last > largest->end - largest->start) {
		largest->start = *last;
		largest->end = start;
	}
	if (end > *last)
		*last = end;
}

int cm_window_place(const struct cm_gap *gap, uint64_t random,
		    struct cm_fast *fast)
{
	uintptr_t room = (gap->end - gap->start) / 2;
	uintptr_t low = gap->start + room / 2;
	uint64_t size = CM_WINDOW_MAX;
	uint64_t places;

	/* Half of the middle half is enough: the rest is for chance. */
	while (size >= CM_WINDOW_MIN && size * NR_WINDOWS * 2 > room)
		size /= 2;
	if (size < CM_WINDOW_MIN)
		return -ENOMEM;
	low = (low + CM_WINDOW_ALIGN - 1) & ~(uintptr_t)(CM_WINDOW_ALIGN - 1);
	places = (room - size * NR_WINDOWS) / CM_WINDOW_ALIGN;
	low += random % (places ? places : 1) * CM_WINDOW_ALIGN;
	fast->base = low;
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		fast->end[t] = (t + 1) * size;
	fast->end_mixed = (CM_NR_TIERS + 1) * size;
	fast->end_own = NR_WINDOWS * size;
	return 0;
}

struct scan {
	struct cm_gap largest;
	uintptr_t last;
};

static const char *hex(const char *s, uintptr_t *value)
{
	for (*value = 0;; s++) {
		unsigned c = (unsigned char)*s;

		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else
			return s;
		*value = *value << 4 | c;
	}
}

static int scan_line(char *line, void *arg)
{
	struct scan *scan = arg;
	uintptr_t start, end;
	const char *s = hex(line, &start);

	if (*s != '-')
		return 0;
	(void)hex(s + 1, &end);
	/* vsyscall lies above what a user may map; the gap to it is not ours. */
	if (start > (uintptr_t)INTPTR_MAX)
		return 0;
	cm_gap_before(&scan->largest, &scan->last, start, end);
	return 0;
}

/*
 * Without /proc: addresses are known from what we can see of ourselves. The
 * gap between our own code (or the program's heap) and the stack is the
 * largest in every layout but tiny ones; a wrong guess only costs windows,
 * since each extent is mapped with MAP_FIXED_NOREPLACE.
 */
static void guess(struct scan *scan)
{
	uintptr_t code = (uintptr_t)&cm_window_find;
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
	uintptr_t low = code < stack ? code : stack;

	cm_gap_before(&scan->largest, &scan->last, low, low);
	cm_gap_before(&scan->largest, &scan->last, stack, stack);
	/*
	 * In a PIE the program and its heap sit at two thirds of the address
	 * space, in the middle of the gap below the libraries: keep above it.
	 */
	if (scan->largest.start == LOWEST && scan->largest.end > TIB * 64)
		scan->largest.start = (scan->largest.end / 4) * 3;
}

int cm_window_find(struct cm_fast *fast)
{
	struct scan scan = { { 0, 0 }, LOWEST };
	char text[2048];

	if (cm_file_lines("/proc/self/maps", text, sizeof(text), scan_line,
			  &scan) < 0)
		guess(&scan);
	return cm_window_place(&scan.largest, cm_sys_random(), fast);
}
