/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slow - everything an allocation does beyond a hit in the thread's cache
 *
 * Reached from jemalloc's own fast path (a miss, a thread's first call, or
 * its event every 64 KiB allocated) and from entry points without a fast
 * path of their own. flags are CM_JE_LG_ALIGN and CM_JE_ZERO.
 */
#ifndef CM_ENTRY_SLOW_H
#define CM_ENTRY_SLOW_H

#include "base/compiler.h"
#include "base/state.h"
#include "pool/je.h"

/* The route free takes: by the tiers that have an arena. */
void cm_block_route(void);

/* As malloc: NULL and ENOMEM on failure. */
CM_COLD void *cm_slow_malloc(size_t size);

/* With alignment (a power of two, 0 for malloc's) and perhaps zeroed. */
void *cm_slow_alloc(size_t size, size_t alignment, bool zero);

/* free, whatever is in use; the route while two tiers are. */
void cm_free_by_address(void *p);

/* A block that is in no window, NULL included. */
CM_COLD void cm_slow_free(void *p);

void *cm_slow_realloc(void *p, size_t size);
size_t cm_slow_usable_size(void *p);

#endif
