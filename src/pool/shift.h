/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shift - a huge block grows by moving its pages, not its bytes
 *
 * Where realloc cannot grow a block in place, another is allocated and the old
 * one's pages are moved under it (mremap with MREMAP_DONTUNMAP, Linux 5.7): no byte
 * is copied, no page of the new one faulted, and the old one, which jemalloc then
 * has free, has no pages left. Both are extents of one tier, mapped as before: to
 * jemalloc the old one's bytes were lost, which free bytes are.
 *
 * A range that was moved is a mapping of its own to the kernel, for good. So it is
 * done only for blocks of a 512th of the tier or more that are few mappings, and
 * while the process has no more than some hundred.
 * Not for memory that is locked (the old range would no longer be), nor for tiers
 * whose ranges are bound differently.
 */
#ifndef CM_POOL_SHIFT_H
#define CM_POOL_SHIFT_H

#include "pool/pool.h"

#define CM_SHIFT_MIN	(2 * MIB)
#define CM_SHIFT_PART	512

/* The block with at least size bytes, elsewhere; NULL leaves it as it was. */
void *cm_shift(struct cm_pool *pool, void *p, size_t size);

#endif
