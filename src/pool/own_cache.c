/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_cache - small blocks of a program's own pool, without the arena's locks
 *
 * A few of jemalloc's explicit caches for each pool (tcache.create), which any
 * thread may use, one at a time: it takes one out of its slot, and puts it back.
 * A slot that is empty is in use, or has none yet. The child of fork may have
 * lost one that another thread had taken: its blocks end with the pool.
 *
 * Synchronization: slots are exchanged (acquire, release), so a cache has one
 * user. nr_caches is atomic.
 */
#include "pool/own.h"
#include "pool/thread.h"

#define ddr_pool (&cm_pool[CM_TIER_DDR])

/* Threads begin at different slots. */
static unsigned first_slot(void)
{
	return (unsigned)((uintptr_t)&cm_thread >> 12) % CM_OWN_CACHES;
}

static unsigned take(struct cm_own *own, unsigned slot)
{
	if (!atomic_load_explicit(&own->cache[slot], memory_order_relaxed))
		return 0;
	return atomic_exchange_explicit(&own->cache[slot], 0,
					memory_order_acquire);
}

static CM_COLD unsigned make(struct cm_own *own)
{
	unsigned id = 0;
	size_t size = sizeof(id);

	if (atomic_fetch_add(&own->nr_caches, 1) >= CM_OWN_CACHES ||
	    ddr_pool->je->mallctl("tcache.create", &id, &size, NULL, 0)) {
		atomic_fetch_sub(&own->nr_caches, 1);
		return 0;
	}
	return id + 1;
}

/* 0: none is to be had. */
unsigned cm_own_cache_take(struct cm_own *own)
{
	unsigned first = first_slot(), cache;

	for (unsigned i = 0; i < CM_OWN_CACHES; i++) {
		cache = take(own, (first + i) % CM_OWN_CACHES);
		if (cache)
			return cache;
	}
	return atomic_load_explicit(&own->nr_caches, memory_order_relaxed) <
			       CM_OWN_CACHES ?
		       make(own) :
		       0;
}

/* There are as many slots as caches: one is empty. */
void cm_own_cache_put(struct cm_own *own, unsigned cache)
{
	unsigned first = first_slot();

	for (unsigned i = 0; cache; i++) {
		_Atomic unsigned *slot =
			&own->cache[(first + i) % CM_OWN_CACHES];
		unsigned none = 0;

		if (!atomic_load_explicit(slot, memory_order_relaxed) &&
		    atomic_compare_exchange_strong_explicit(
			    slot, &none, cache, memory_order_release,
			    memory_order_relaxed))
			return;
	}
}

static void ctl(const char *name, unsigned cache)
{
	unsigned id = cache - 1;

	(void)ddr_pool->je->mallctl(name, NULL, NULL, &id, sizeof(id));
}

bool cm_own_cache_flush(struct cm_own *own)
{
	bool any = false;

	for (unsigned slot = 0; slot < CM_OWN_CACHES; slot++) {
		unsigned cache = take(own, slot);

		if (!cache)
			continue;
		ctl("tcache.flush", cache);
		cm_own_cache_put(own, cache);
		any = true;
	}
	return any;
}

/* Nobody uses the pool now. */
void cm_own_cache_end(struct cm_own *own)
{
	for (unsigned slot = 0; slot < CM_OWN_CACHES; slot++) {
		unsigned cache = take(own, slot);

		if (cache)
			ctl("tcache.destroy", cache);
	}
	atomic_store(&own->nr_caches, 0);
}
