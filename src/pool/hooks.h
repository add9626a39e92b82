/* SPDX-License-Identifier: BSD-2-Clause */
/* hooks - what jemalloc calls when a pool's arena needs or returns pages */
#ifndef CM_POOL_HOOKS_H
#define CM_POOL_HOOKS_H

#include "pool/pool.h"

extern const struct cm_extent_hooks cm_hooks;

/* extent_split and extent_merge: never refused. */
bool cm_hook_split(struct cm_extent_hooks *hooks, void *at, size_t size,
		   size_t size_a, size_t size_b, bool committed,
		   unsigned arena);
bool cm_hook_merge(struct cm_extent_hooks *hooks, void *a, size_t size_a,
		   void *b, size_t size_b, bool committed, unsigned arena);

/*
 * For hooks of others that take from a pool's budget (pool/mixed_hooks.c).
 * Charge: false if the tier has no room; cm_thread.refused then says so.
 */
bool cm_pool_charge(struct cm_pool *pool, uint64_t bytes);
/* The limit alone: for pages that may lie on other nodes than its own. */
bool cm_pool_charge_limit(struct cm_pool *pool, uint64_t bytes);
void cm_pool_uncharge(struct cm_pool *pool, uint64_t bytes);
void cm_pool_count_refusal(struct cm_pool *pool);

/* May it be mapped at all, or will the limit never let it be committed? */
bool cm_pool_is_beyond_limit(struct cm_pool *pool, uint64_t bytes);

#endif
