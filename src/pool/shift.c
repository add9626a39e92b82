/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pool/shift.h"
#include "pool/window.h"
#include "sys/file.h"

/* Asked of the kernel once; a move that failed is the last. */
enum {
	UNKNOWN,
	WORKS,
	FAILS
};
static _Atomic int state;

static bool is_supported(void)
{
	int now = atomic_load_explicit(&state, memory_order_relaxed);

	if (likely(now != UNKNOWN))
		return now == WORKS;
	now = cm_sys_can_move_range() ? WORKS : FAILS;
	atomic_store_explicit(&state, now, memory_order_relaxed);
	return now == WORKS;
}

static bool is_for_it(const struct cm_pool *pool, const void *p, size_t old,
		      size_t size)
{
	size_t mask = cm_sys_page_size() - 1;

	/* Whole pages that are nobody else's, at both ends. */
	return old >= CM_SHIFT_MIN && size > old &&
	       !(((uintptr_t)p | old) & mask) &&
	       old >= atomic_load_explicit(&pool->used, memory_order_relaxed) /
			       CM_SHIFT_PART &&
	       !atomic_load_explicit(&pool->place.grouped,
				     memory_order_relaxed) &&
	       is_supported() && !cm_sys_is_page_locked((void *)p);
}

/*
 * Where the kernel's mappings of a block end: some kernels move one at a time
 * only, others may move a part of them before they refuse.
 */
#define MAX_PARTS	16

/*
 * Each is a line of the kernel's to read. A process that has many mappings, by
 * moves or by itself, copies; now and then it is looked whether it still has.
 */
#define MANY_LINES	500
#define SKIP_CALLS	256

static _Atomic int skip;

struct parts {
	uintptr_t from, to;
	unsigned nr, lines;
	uintptr_t end[MAX_PARTS];
};

/* proc(5): "7f00-7f80 rw-p ..." */
static int maps_line(char *line, void *arg)
{
	struct parts *parts = arg;
	char *s;
	uintptr_t start = strtoul(line, &s, 16);
	uintptr_t end = *s == '-' ? strtoul(s + 1, NULL, 16) : 0;

	if (++parts->lines > MANY_LINES) {
		atomic_store_explicit(&skip, SKIP_CALLS, memory_order_relaxed);
		return -1;
	}
	if (start >= parts->to)
		return 1;
	if (end <= parts->from)
		return 0;
	if (parts->nr == MAX_PARTS)
		return -1;
	parts->end[parts->nr++] = end < parts->to ? end : parts->to;
	return 0;
}

/* Apart: its buffer is not to be on the stack of whoever copies. */
static CM_NOINLINE bool find_parts(struct parts *parts)
{
	char text[1024];

	return cm_file_lines("/proc/self/maps", text, sizeof(text), maps_line,
			     parts) >= 0 &&
	       parts->nr && parts->end[parts->nr - 1] == parts->to;
}

/*
 * If the kernel refuses after it has unmapped what was there, that is mapped again
 * and the rest copied. Is it anybody's by then, or was it never gone (no telling
 * which), then q is nobody's from now on, and all is in p again.
 */
static CM_COLD bool move_no_more(struct cm_pool *pool, char *p, char *q,
				 size_t done, size_t next, size_t size)
{
	atomic_store_explicit(&state, FAILS, memory_order_relaxed);
	if (pool->sys->map_at(q + done, next - done)) {
		memcpy(p, q, done);
		return false;
	}
	if (atomic_load_explicit(&pool->limit, memory_order_relaxed) !=
	    CM_NO_LIMIT)
		(void)pool->sys->no_huge_pages(q + done, next - done);
	cm_place_bind(pool, q + done, next - done);
	memcpy(q + done, p + done, size - done);
	return true;
}

static bool move(struct cm_pool *pool, const struct parts *parts, char *p,
		 char *q, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < parts->nr; i++) {
		size_t next = parts->end[i] - parts->from;

		if (cm_sys_move_range(p + done, q + done, next - done))
			return move_no_more(pool, p, q, done, next, size);
		done = next;
	}
	return true;
}

void *cm_shift(struct cm_pool *pool, void *p, size_t size)
{
	const struct cm_je *je = pool->je;
	size_t old = je->usable_size(p);
	struct parts parts = { .from = (uintptr_t)p };
	void *q;

	if (!is_for_it(pool, p, old, size))
		return NULL;
	if (je->xallocx(p, size, 0, 0) >= size)
		return p;
	if (atomic_load_explicit(&skip, memory_order_relaxed) > 0) {
		atomic_fetch_sub_explicit(&skip, 1, memory_order_relaxed);
		return NULL;
	}
	parts.to = parts.from + old;
	if (!find_parts(&parts))
		return NULL;
	q = je->mallocx(size, 0);
	if (!q)
		return NULL;
	if (!cm_window_has(pool->tier, q) ||
	    (uintptr_t)q & (cm_sys_page_size() - 1)) {
		je->dallocx(q, 0);
		return NULL;
	}
	if (!move(pool, &parts, p, q, old))
		return NULL;
	je->dallocx(p, 0);
	return q;
}
