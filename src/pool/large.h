/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * large - a thread's own cache of large blocks, in front of jemalloc's
 *
 * jemalloc 5.3.1 caches nothing beyond 32 KiB, whatever tcache_max says: its
 * limit is compiled in. A malloc and free of 40,000 bytes goes through its arena
 * then, and what is below through a general path. So the blocks a thread freed
 * last wait here for its next malloc: at most CM_LARGE_HELD bytes a tier, of 16
 * KiB to 1 MiB, CM_LARGE_SLOTS of each of four classes a doubling.
 *
 * Larger ones, to 4 MiB, have two places a tier for all threads: the last that was
 * freed of up to 2 MiB, and of more. They go back when a look (250 ms) finds the same
 * block as the one before, and as the others do.
 *
 * To jemalloc they are in use. What counts bytes is told (CM_LARGE of
 * pool/report.c; the thread's counts of bytes allocated and freed, which are
 * jemalloc's own, move as they would by its cache). They go back when the tier
 * is full or asks for caches, when the thread ends, and when they were not
 * wanted for a while. A tier that is full gets its blocks back at once.
 *
 * Synchronization: a thread uses its own alone; bytes and taken are atomic
 * (relaxed) for who sums them up. The places for all are exchanged. Which are whose is under cm_arena_lock.
 */
#ifndef CM_POOL_LARGE_H
#define CM_POOL_LARGE_H

#include "pool/full.h"
#include "pool/pool.h"
#include "pool/thread.h"

#define CM_LARGE_MIN	(16 * KIB)
#define CM_LARGE_MAX	(1 * MIB)
#define CM_LARGE_HELD	(5 * MIB / 4)
#define CM_LARGE_SHARED	(4 * MIB)	/* the largest of those for all */
#define CM_LARGE_SLOTS	4
#define CM_LARGE_CLASSES 25	/* 16 KiB, then four a doubling */

/* The first size that jemalloc gives CM_LARGE_MIN bytes; any other is fine. */
#define CM_LARGE_FIRST	(CM_LARGE_MIN / 8 * 7 + 1)

/*
 * jemalloc's sizes from CM_LARGE_MIN on are multiples of this, and the windows lie
 * where Linux maps unasked, below 2^47 or 2^48: what is above says how many.
 */
#define CM_LARGE_UNIT	(4 * KIB)
#define CM_LARGE_SHIFT	48

/*
 * Not in thread-local storage, which small stacks have to hold. Threads beyond the
 * first so many go without.
 */
#define CM_LARGE_THREADS 1024

struct cm_large {
	_Atomic uint64_t bytes;
	_Atomic uint64_t taken;			/* blocks that served again */
	uint32_t misses;
	uint8_t nr[CM_LARGE_CLASSES];
	uint8_t unwanted[CM_LARGE_CLASSES];	/* least nr since the last look */
	uint64_t block[CM_LARGE_CLASSES][CM_LARGE_SLOTS];
	struct cm_large *next;			/* free ones */
} __attribute__((aligned(64)));

/* Is it for this cache? Also when size is 0 or huge. */
static inline bool cm_large_is(size_t size)
{
	return size - CM_LARGE_FIRST <= CM_LARGE_MAX - CM_LARGE_FIRST;
}

/* Of a size that is for it: 0 up to CM_LARGE_MIN, then four a doubling. */
static inline unsigned cm_large_class(size_t size)
{
	unsigned lg = 63 ^ (unsigned)__builtin_clzl(size - 1);

	/* Of the three highest bits the first is set: 4 to 7. */
	return lg * 4 + (unsigned)((size - 1) >> (lg - 2)) - (14 * 4 + 3);
}

static inline size_t cm_large_size(uint64_t block)
{
	return (size_t)(block >> CM_LARGE_SHIFT) * CM_LARGE_UNIT;
}

static inline void *cm_large_at(uint64_t block)
{
	return (void *)(uintptr_t)(block &
				   ((UINT64_C(1) << CM_LARGE_SHIFT) - 1));
}

static inline void cm_large_add(_Atomic uint64_t *value, uint64_t more)
{
	atomic_store_explicit(
		value, atomic_load_explicit(value, memory_order_relaxed) + more,
		memory_order_relaxed);
}

/*
 * The last that came of the class cm_large_is(size) is of, or NULL. Where there
 * is a block the thread is settled in the tier.
 */
static inline void *cm_large_take(struct cm_thread *thread, enum cm_tier tier,
				  size_t size)
{
	struct cm_large *cache = thread->large[tier];
	unsigned class, nr;
	uint64_t block;

	if (unlikely(!cache))
		return NULL;
	class = cm_large_class(size);
	nr = cache->nr[class];
	if (!nr)
		return NULL;
	block = cache->block[class][nr - 1];
	if (unlikely(cm_large_size(block) < size))
		return NULL;
	cache->nr[class] = (uint8_t)--nr;
	if (nr < cache->unwanted[class])
		cache->unwanted[class] = (uint8_t)nr;
	cm_large_add(&cache->bytes, -(uint64_t)cm_large_size(block));
	cm_large_add(&cache->taken, 1);
	*thread->allocated[tier] += cm_large_size(block);
	return cm_large_at(block);
}

/* Any of the class. */
void *cm_large_search(struct cm_thread *thread, enum cm_tier tier, size_t size);

static inline bool cm_large_is_shared(size_t size)
{
	return size - CM_LARGE_MAX - 1 < CM_LARGE_SHARED - CM_LARGE_MAX;
}

/* From the places for all, of cm_large_is_shared(size). */
void *cm_large_take_shared(struct cm_thread *thread, enum cm_tier tier,
			   size_t size);
bool cm_large_keep_shared(struct cm_thread *thread, enum cm_tier tier, void *p,
			  size_t size);

/* What nobody wanted since it was called last goes back; any thread may. */
void cm_large_age(enum cm_tier tier);
bool cm_large_flush_shared(enum cm_tier tier);

/* decay_ms=0: what is free is to go back at once. Set at start. */
extern bool cm_large_shares CM_HIDDEN;

/* Before a block's size is asked for. */
static inline bool cm_large_may_keep(const struct cm_thread *thread,
				     enum cm_tier tier)
{
	return thread->large[tier] && likely(!cm_full_is(&cm_pool[tier]));
}

/* False: it is jemalloc's to free. size: its usable size. */
static inline bool cm_large_keep(struct cm_thread *thread, enum cm_tier tier,
				 void *p, size_t size)
{
	struct cm_large *cache = thread->large[tier];
	unsigned class, nr;

	if (size - CM_LARGE_MIN > CM_LARGE_MAX - CM_LARGE_MIN)
		return cm_large_is_shared(size) &&
		       cm_large_keep_shared(thread, tier, p, size);
	class = cm_large_class(size);
	nr = cache->nr[class];
	if (nr == CM_LARGE_SLOTS ||
	    atomic_load_explicit(&cache->bytes, memory_order_relaxed) + size >
		    CM_LARGE_HELD)
		return false;
	cache->block[class][nr] = (uintptr_t)p |
				  (uint64_t)(size / CM_LARGE_UNIT)
					  << CM_LARGE_SHIFT;
	cache->nr[class] = (uint8_t)(nr + 1);
	cm_large_add(&cache->bytes, size);
	*thread->freed[tier] += size;
	return true;
}

CM_COLD void cm_large_look(struct cm_thread *thread, enum cm_tier tier);

/*
 * Where the thread's caches had nothing: what was not wanted since the last look
 * goes back.
 */
static inline void cm_large_missed(struct cm_thread *thread, enum cm_tier tier)
{
	struct cm_large *cache = thread->large[tier];

	if (cache &&
	    atomic_load_explicit(&cache->bytes, memory_order_relaxed) &&
	    unlikely(++cache->misses % 64 == 0))
		cm_large_look(thread, tier);
}

/* All the thread has back to jemalloc; false: there was nothing. */
bool cm_large_flush(struct cm_thread *thread, enum cm_tier tier);

/* All under cm_arena_lock. A thread attaches to the tier. */
void cm_large_enter(struct cm_thread *thread, enum cm_tier tier);
/* It leaves, and has flushed it. */
void cm_large_leave(struct cm_thread *thread, enum cm_tier tier);
void cm_large_fork_child(const struct cm_thread *thread);

/* What all threads hold of a tier, how many blocks served again. */
void cm_large_sum(enum cm_tier tier, uint64_t *bytes, uint64_t *taken);

#endif
