/* SPDX-License-Identifier: BSD-2-Clause */
/* block - what happens to a block there is: its owner, free, size, resizing */
#include <errno.h>
#include <string.h>

#include "entry/early.h"
#include "entry/foreign.h"
#include "entry/front.h"
#include "entry/init.h"
#include "entry/nodes.h"
#include "entry/route.h"
#include "entry/slow.h"
#include "policy/snapshot.h"
#include "pool/full.h"
#include "pool/away.h"
#include "pool/large.h"
#include "pool/mixed.h"
#include "pool/own.h"

/* jemalloc's, weak in the archives (pool/je.h). */
void cm_ddr_free_default(void *p);
void cm_cxl_free_default(void *p);

/* The pool whose jemalloc has the block, or NULL. */
static struct cm_pool *owner(const void *p)
{
	if (cm_early_owns(p) || cm_process.passed_through)
		return NULL;
	if (cm_process.state == CM_STATE_NO_WINDOW)
		return &cm_pool[CM_TIER_DDR];
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_window_has(t, p))
			return &cm_pool[t];
	return cm_mixed_has(p) || cm_own_has(p) ? &cm_pool[CM_TIER_DDR] : NULL;
}

/* Pages that the program moved away are not kept for the next block. */
static CM_COLD void let_go(void *p)
{
	struct cm_pool *pool = owner(p);

	if (pool && !pool->single)
		cm_away_let_go(p, pool->je->usable_size(p));
}

#ifdef CM_FRONT
/* Without asking jemalloc for the size: most blocks are small. */
static inline bool may_be_large(enum cm_tier tier, const void *p)
{
	return cm_front_class_of(tier == CM_TIER_CXL ? CM_FRONT_TSD(cm_cxl) :
						       CM_FRONT_TSD(cm_ddr),
				 p) >= CM_FRONT_NR;
}
#else
static inline bool may_be_large(enum cm_tier tier, const void *p)
{
	(void)tier, (void)p;
	return true;
}
#endif

/* For the next block of its size. */
static inline bool keep(enum cm_tier tier, void *p)
{
	size_t size;

	/* With policy=interleave malloc does not look there (entry/slow.c). */
	if (likely(!may_be_large(tier, p)) ||
	    unlikely(!cm_thread.settled[tier]) || cm_full_is(&cm_pool[tier]) ||
	    cm_policy_says(CM_WORD_TURNS))
		return false;
	size = tier == CM_TIER_CXL ? cm_cxl_malloc_usable_size(p) :
				     cm_ddr_malloc_usable_size(p);
	return cm_large_is(size) && cm_large_keep(tier, p, size);
}

/*
 * jemalloc's fast path could not free it: the thread's cache is full or the
 * block large, or it is another tier's or nobody's.
 */
void cm_ddr_free_default(void *p)
{
	if (cm_away_is_looked_for())
		let_go(p);
	if (likely(cm_window_has(CM_TIER_DDR, p))) {
		if (!keep(CM_TIER_DDR, p))
			cm_ddr_own_free_default(p);
	} else if (likely(cm_window_has(CM_TIER_CXL, p)))
		cm_cxl_free(p);
	else
		cm_slow_free(p);
}

void cm_cxl_free_default(void *p)
{
	if (cm_away_is_looked_for())
		let_go(p);
	if (likely(cm_window_has(CM_TIER_CXL, p))) {
		if (!keep(CM_TIER_CXL, p))
			cm_cxl_own_free_default(p);
	} else if (likely(cm_window_has(CM_TIER_DDR, p)))
		cm_ddr_free(p);
	else
		cm_slow_free(p);
}

static cm_free_fn *route_now(void)
{
	static cm_free_fn *const only[CM_NR_TIERS] = {
		[CM_TIER_DDR] = cm_ddr_free,
		[CM_TIER_CXL] = cm_cxl_free,
	};
	cm_free_fn *route = NULL;

	/* Blocks of the program's own pools must not get into a cache. */
	if (atomic_load(&cm_nr_own))
		return cm_free_by_address;
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (atomic_load(&cm_pool[t].nr_arenas))
			route = route ? cm_free_by_address : only[t];
	return route ? route : cm_free_by_address;
}

void cm_block_route(void)
{
	/* Another thread may have begun the other tier meanwhile. */
	while (atomic_load(&cm_fast.free) != route_now())
		atomic_store(&cm_fast.free, route_now());
}

void cm_slow_free(void *p)
{
	struct cm_pool *pool;
	int saved;

	if (!p || cm_early_owns(p))
		return;
	if (unlikely(atomic_load_explicit(&cm_process.life,
					  memory_order_acquire) !=
		     CM_LIFE_READY) &&
	    !cm_init())
		return;		/* not ours, and too early to find its owner */
	saved = errno;
	pool = owner(p);
	if (pool && cm_away_is_looked_for())
		let_go(p);
	if (pool && cm_own_has(p))
		cm_own_free(p);
	else if (pool)
		pool->je->dallocx(p, 0);
	else if (cm_process.passed_through)
		cm_next()->free(p);
	else
		cm_foreign_free(p);
	errno = saved;
}

size_t cm_slow_usable_size(void *p)
{
	struct cm_pool *pool;

	if (!p)
		return 0;
	if (cm_early_owns(p))
		return cm_early_size(p);
	pool = owner(p);
	if (pool)
		return pool->je->usable_size(p);
	return cm_process.passed_through ? cm_next()->usable_size(p) :
					   cm_foreign_size(p);
}

/* To another tier or another allocator: only after the copy is the old freed. */
static void *move(void *p, size_t size)
{
	size_t old = cm_slow_usable_size(p);
	void *q;

	/* A foreign block of unknown size cannot be copied. */
	if (!old && !cm_early_owns(p)) {
		errno = ENOMEM;
		return NULL;
	}
	q = cm_slow_alloc(size, 0, false);
	if (q) {
		memcpy(q, p, old < size ? old : size);
		cm_slow_free(p);
	}
	return q;
}

/* Grown to what lies on both tiers: from here on it does. */
static void *mix(struct cm_pool *pool, void *p, size_t size)
{
	struct cm_snapshot_ticket ticket;
	size_t old;
	void *q;

	if (size < CM_MIXED_MIN || !cm_policy_says(CM_WORD_TURNS) ||
	    cm_thread.wants)
		return NULL;
	old = pool->je->usable_size(p);
	if (old >= CM_MIXED_MIN)
		return NULL;
	q = cm_mixed_alloc(cm_snapshot_enter(&cm_thread, &ticket), size, 0);
	cm_snapshot_leave(&ticket);
	if (q) {
		memcpy(q, p, old);
		cm_slow_free(p);
	}
	return q;
}

/* As resize, but to pages that are its pool's; what was moved away is let go. */
static void *come_back(struct cm_pool *pool, void *p, size_t size)
{
	size_t old = pool->je->usable_size(p);
	uint8_t wants = cm_thread.wants;
	void *q;

	if (cm_mixed_has(p) || old < cm_away_min() || !cm_away_may_be(p, old))
		return NULL;
	cm_thread.wants = (uint8_t)(pool->tier + 1);
	q = cm_own_has(p) ? cm_own_alloc(cm_own_of(p), size, 0) :
			    cm_slow_alloc(size, 0, false);
	cm_thread.wants = wants;
	if (q) {
		memcpy(q, p, old < size ? old : size);
		cm_slow_free(p);
	}
	return q;
}

static void *resize(struct cm_pool *pool, void *p, size_t size)
{
	void *q = cm_away_is_looked_for() ? come_back(pool, p, size) : NULL;

	if (q)
		return q;
	if (cm_mixed_has(p))
		return cm_mixed_realloc(p, size);
	if (cm_own_has(p))
		return cm_own_realloc(p, size);
	q = mix(pool, p, size);
	return q ? q : cm_pool_realloc(pool, p, size);
}

/*
 * policy=size: a block that grows out of its class changes tiers, when it would
 * not stay where it is anyway; one that shrinks stays.
 */
static bool outgrows(const struct cm_pool *pool, void *p, size_t size)
{
	return cm_policy_says(CM_WORD_SIZE) && !cm_thread.wants &&
	       !cm_own_has(p) && !cm_route_is(pool->tier, size) &&
	       size > pool->je->usable_size(p);
}

void *cm_slow_realloc(void *p, size_t size)
{
	struct cm_pool *pool;
	int saved;
	void *q;

	if (unlikely(size > PTRDIFF_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	if (cm_process.passed_through && !cm_early_owns(p))
		return cm_next()->realloc(p, size);
	pool = owner(p);
	if (!pool)
		return move(p, size);
	/* What realloc tried before may have set it, and may yet be had. */
	if (cm_thread.refused[pool->tier])
		errno = cm_thread.errno_before;
	if (!pool->single) {
		cm_thread.nr_usual++;
		cm_nodes_watch();
		cm_full_flush(&cm_thread);
	}
	saved = errno;
	if (outgrows(pool, p, size)) {
		q = move(p, size);
		if (likely(q))
			return q;
		errno = saved;
	}
	q = resize(pool, p, size);
	if (likely(q))
		return q;
	if (pool->single)
		return errno = ENOMEM, NULL;
	/* Its tier has no room: elsewhere, if the policy knows a place. */
	q = cm_own_has(p) ? NULL : move(p, size);
	/* A smaller block is had as it is. */
	if (!q && size <= pool->je->usable_size(p)) {
		errno = saved;
		return p;
	}
	if (!q)
		errno = ENOMEM;
	return q;
}
