/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - the words the fast paths read, and who may write them
 *
 * malloc and free go by the words of cm_fast: malloc by an offset from the thread
 * pointer, that of the next tier's thread cache (entry/front.h), and if that has
 * nothing through a pointer; free by the address. Where there is no front both
 * jump through pointers. All are in one cache line that only changes when a tier
 * is used first, becomes full or has room again.
 *
 * Synchronization
 *   malloc      atomic; written by entry/slow.c from any thread, relaxed.
 *               A stale value is harmless: it leads to a tier that was right
 *               a moment ago, and that tier's own hooks keep its limit.
 *   free        atomic; written when a tier gets its first arena. A stale
 *               value only costs time.
 *   tsd         as malloc: the same in the front's terms, 0 where that has none.
 *               Written after it; with one new and one old, a block is of one
 *               tier or the other.
 *   max         as malloc: the largest size the front serves.
 *   nr_classes  atomic; the classes of sizes whose blocks the front takes back.
 *               Lowered for good once pages of a block may have been moved
 *               (pool/away.h), before any is.
 *   chosen      as malloc, which it is unless sites is set; the policy's.
 *   sites       set once, when callers matter (entry/site.c); malloc is then
 *               cm_site_malloc. A stale value misses a rule or two.
 *   base, end   written once by entry/init.c before malloc leaves its slow
 *               path, read-only afterwards.
 */
#ifndef CM_BASE_STATE_H
#define CM_BASE_STATE_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/types.h"

typedef void *cm_malloc_fn(size_t);
typedef void cm_free_fn(void *);

/*
 * The windows lie side by side in the order of the tiers: tier t's is
 * base + end[t - 1] to base + end[t]; behind the last comes the one of blocks
 * that lie on both (pool/mixed.h), then that of the program's own pools
 * (pool/own.h). All zero: nothing is in a window.
 */
struct cm_fast {
	_Atomic(cm_malloc_fn *) malloc;
	_Atomic(cm_free_fn *) free;
	uintptr_t base;
	size_t end[CM_NR_TIERS];
	_Atomic intptr_t tsd;
	_Atomic size_t nr_classes;
	_Atomic size_t max;
	size_t end_mixed;
	_Atomic(cm_malloc_fn *) chosen;
	_Atomic bool sites;
	size_t end_own;
} __attribute__((aligned(64)));

extern struct cm_fast cm_fast CM_HIDDEN;

struct cm_window {
	uintptr_t base;
	size_t size;
};

static inline struct cm_window cm_window_of(enum cm_tier tier)
{
	size_t start = tier ? cm_fast.end[tier - 1] : 0;

	return (struct cm_window){ cm_fast.base + start,
				   cm_fast.end[tier] - start };
}

static inline bool cm_window_has(enum cm_tier tier, const void *p)
{
	struct cm_window w = cm_window_of(tier);

	return (uintptr_t)p - w.base < w.size;
}

static inline struct cm_window cm_mixed_window(void)
{
	size_t start = cm_fast.end[CM_NR_TIERS - 1];

	return (struct cm_window){ cm_fast.base + start,
				   cm_fast.end_mixed > start ?
					   cm_fast.end_mixed - start :
					   0 };
}

static inline bool cm_mixed_has(const void *p)
{
	struct cm_window w = cm_mixed_window();

	return (uintptr_t)p - w.base < w.size;
}

static inline struct cm_window cm_own_window(void)
{
	size_t start = cm_fast.end_mixed;

	return (struct cm_window){ cm_fast.base + start,
				   cm_fast.end_own > start ?
					   cm_fast.end_own - start :
					   0 };
}

static inline bool cm_own_has(const void *p)
{
	struct cm_window w = cm_own_window();

	return (uintptr_t)p - w.base < w.size;
}

#endif
