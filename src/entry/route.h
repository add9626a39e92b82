/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route - where fast paths go: one function pointer, or one for each size class
 *
 * Synchronization: cm_fast.malloc and cm_by_size are atomic, written by any
 * slow path, relaxed; a stale or mixed view leads to a tier that was right a
 * moment ago, and that tier's own hooks keep its limit.
 */
#ifndef CM_ENTRY_ROUTE_H
#define CM_ENTRY_ROUTE_H

#include "base/settings.h"
#include "base/state.h"
#include "policy/policy.h"

/* policy=size: blocks of less than bound[i] bytes, i the first, go to to[i]. */
struct cm_by_size {
	_Atomic uint64_t bound[CM_MAX_SIZES];	/* UINT64_MAX behind the last */
	_Atomic(cm_malloc_fn *) to[CM_MAX_SIZES];
} __attribute__((aligned(64)));

extern struct cm_by_size cm_by_size CM_HIDDEN;

/* What cm_fast.malloc is while sizes decide. */
void *cm_malloc_by_size(size_t size);
CM_HIDDEN void *cm_malloc_by_further_size(size_t size);

/* jemalloc's fast path in a tier. */
cm_malloc_fn *cm_route_fast(enum cm_tier tier);

/* Do fast paths for this size go to this tier now? */
bool cm_route_is(enum cm_tier tier, size_t size);

/* Recompute it from the policy and the tiers' state. */
void cm_route_update(const struct cm_policy_snapshot *policy);

/* policy=interleave: until the next turn. */
void cm_route_set(enum cm_tier tier);

/* From now on callers matter: malloc asks entry/site.c first. */
void cm_route_sites(void);

#endif
