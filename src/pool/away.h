/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * away - pages that the program has moved off the nodes of their pool
 *
 * cxlm_migrate moves pages, and addresses stay. Once the block is freed jemalloc
 * keeps its pages for the next, which would then lie where nobody put it. So
 * before such a block is freed its pages go back to the kernel: the next touch
 * brings them where the range's policy says. What is remembered is a bit for
 * each 2 MiB of all windows; one too many costs a system call.
 *
 * Small blocks share their pages with others, and are freed without a look:
 * whoever moves those moves pages of a slab, until that is purged.
 *
 * Synchronization: all atomic, relaxed; a block is not freed while it is moved.
 */
#ifndef CM_POOL_AWAY_H
#define CM_POOL_AWAY_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/types.h"

/*
 * Blocks from here on have pages of their own: four of jemalloc's
 * (SC_LARGE_MINCLASS), which are 64 KiB on aarch64.
 */
size_t cm_away_min(void);

extern _Atomic bool cm_away_some CM_HIDDEN;

/* Some of the pages from..to, in any window, are to be away from now on. */
void cm_away_mark(uintptr_t from, uintptr_t to);

/* May pages of a block be away? */
bool cm_away_may_be(const void *p, size_t size);

/* The block is about to be freed. */
CM_COLD void cm_away_let_go(void *p, size_t size);

static inline bool cm_away_is_looked_for(void)
{
	return unlikely(
		atomic_load_explicit(&cm_away_some, memory_order_relaxed));
}

#endif
