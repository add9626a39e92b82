/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - the words the fast paths read, and who may write them
 *
 * malloc reads cm_route, free reads cm_window, nothing else: both are one
 * load and one compare, and both live in one cache line that only changes
 * when a tier becomes full or has room again.
 *
 * Synchronization
 *   cm_route    atomic; written by policy/route.c from any thread, relaxed.
 *               A stale value is harmless: it names a tier that was right a
 *               moment ago, and that tier's own hooks keep its limit.
 *   cm_window   written once by entry/init.c before cm_route leaves
 *               CM_ROUTE_SLOW, read-only afterwards.
 */
#ifndef CM_BASE_STATE_H
#define CM_BASE_STATE_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/types.h"

/* CM_ROUTE_SLOW + 1 + tier, so that a tier is one compare away. */
enum cm_route {
	CM_ROUTE_SLOW,		/* not started, passed through, or all full */
	CM_ROUTE_DDR,
	CM_ROUTE_CXL,
};

struct cm_window {
	uintptr_t base;
	size_t size;		/* 0: the tier has no window */
};

struct cm_fast {
	_Atomic unsigned route;
	struct cm_window window[CM_NR_TIERS];
} __attribute__((aligned(64)));

extern struct cm_fast cm_fast CM_HIDDEN;

static inline enum cm_route cm_route_of(enum cm_tier tier)
{
	return (enum cm_route)(CM_ROUTE_DDR + (unsigned)tier);
}

static inline bool cm_window_has(enum cm_tier tier, const void *p)
{
	return (uintptr_t)p - cm_fast.window[tier].base <
	       cm_fast.window[tier].size;
}

#endif
