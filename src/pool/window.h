/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window - where in the address space each tier lives, and what is mixed
 *
 * A constant place collides: with libraries under setarch -L or an unlimited
 * stack, with sanitizers' shadows, with a 39-bit address space. So the place
 * is found at start from the process's own map: the largest gap, of which the
 * middle half is taken, so that the heap below and the kernel's mmap area
 * above (or the other way round) keep growing undisturbed. Nothing is
 * reserved there: RLIMIT_AS, overcommit and core dumps see only extents.
 */
#ifndef CM_POOL_WINDOW_H
#define CM_POOL_WINDOW_H

#include "base/state.h"

/* Largest and smallest window worth having. */
#define CM_WINDOW_MAX	(4 * TIB)
#define CM_WINDOW_MIN	(16 * GIB)

/* Bases are multiples of this: one leaf of jemalloc's radix tree. */
#define CM_WINDOW_ALIGN	GIB

struct cm_gap {
	uintptr_t start, end;
};

/*
 * Remember the gap before the map start-end if it is the largest so far.
 * *last is where the previous map ended.
 */
void cm_gap_before(struct cm_gap *largest, uintptr_t *last, uintptr_t start,
		   uintptr_t end);

/*
 * Adjacent windows in the middle half of a gap, at a place chosen by random:
 * fast->base and the ends. Returns 0, or -ENOMEM when the gap is too small.
 */
int cm_window_place(const struct cm_gap *gap, uint64_t random,
		    struct cm_fast *fast);

/* From /proc/self/maps, or by probing where there is no /proc. */
int cm_window_find(struct cm_fast *fast);

#endif
