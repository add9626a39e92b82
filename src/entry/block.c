/* SPDX-License-Identifier: BSD-2-Clause */
/* block - what happens to a block there is: its owner, free, size, resizing */
#include <errno.h>
#include <string.h>

#include "entry/early.h"
#include "entry/foreign.h"
#include "entry/init.h"
#include "entry/slow.h"
#include "pool/full.h"

/* The pool a block came from, or NULL. */
static struct cm_pool *owner(const void *p)
{
	if (cm_early_owns(p) || cm_process.passed_through)
		return NULL;
	if (cm_process.state == CM_STATE_NO_WINDOW)
		return &cm_pool[CM_TIER_DDR];
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_window_has(t, p))
			return &cm_pool[t];
	return NULL;
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
	if (pool)
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

void *cm_slow_realloc(void *p, size_t size)
{
	struct cm_pool *pool;
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
	q = cm_pool_realloc(pool, p, size);
	if (likely(q))
		return q;
	/* Its tier has no room: elsewhere, if the policy knows a place. */
	return pool->single ? (errno = ENOMEM, NULL) : move(p, size);
}
