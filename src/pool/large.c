/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pool/large.h"

static struct cm_large caches[CM_NR_TIERS][CM_LARGE_THREADS];
static unsigned nr_caches[CM_NR_TIERS];		/* that had a thread */
static struct cm_large *unused[CM_NR_TIERS];	/* of those */

#define PLACES	2

bool cm_large_shares;

static _Atomic uint64_t shared[CM_NR_TIERS][PLACES];
static _Atomic uint64_t seen[CM_NR_TIERS][PLACES];	/* at the last look */
static _Atomic uint64_t taken_shared[CM_NR_TIERS];

/* Not all blocks of a class are of one size: jemalloc rounds up to pages. */
void *cm_large_search(struct cm_thread *thread, enum cm_tier tier, size_t size)
{
	struct cm_large *cache = thread->large[tier];
	unsigned class = cm_large_class(size),
		 nr = cache ? cache->nr[class] : 0;
	uint64_t *block;

	if (!nr)
		return NULL;
	block = cache->block[class];
	for (unsigned i = nr; i-- > 0;)
		if (cm_large_size(block[i]) >= size) {
			uint64_t found = block[i];

			block[i] = block[nr - 1];
			block[nr - 1] = found;
			return cm_large_take(thread, tier, size);
		}
	return NULL;
}

/* jemalloc counts the bytes as freed, for which they were already. */
static void give_back(struct cm_thread *thread, enum cm_tier tier,
		      uint64_t block)
{
	if (thread->freed[tier])
		*thread->freed[tier] -= cm_large_size(block);
	cm_pool[tier].je->dallocx(cm_large_at(block), 0);
}

/* The oldest nr of a class. */
static void give_back_oldest(struct cm_thread *thread, enum cm_tier tier,
			     unsigned class, unsigned nr)
{
	struct cm_large *cache = thread->large[tier];
	uint64_t *block = cache->block[class], gone[CM_LARGE_SLOTS];

	memcpy(gone, block, nr * sizeof(*gone));
	memmove(block, block + nr, (cache->nr[class] - nr) * sizeof(*block));
	cache->nr[class] = (uint8_t)(cache->nr[class] - nr);
	for (unsigned i = 0; i < nr; i++) {
		cm_large_add(&cache->bytes, -(uint64_t)cm_large_size(gone[i]));
		give_back(thread, tier, gone[i]);
	}
}

void cm_large_look(struct cm_thread *thread, enum cm_tier tier)
{
	struct cm_large *cache = thread->large[tier];

	for (unsigned c = 0; c < CM_LARGE_CLASSES; c++) {
		if (cache->unwanted[c])
			give_back_oldest(thread, tier, c, cache->unwanted[c]);
		cache->unwanted[c] = cache->nr[c];
	}
}

bool cm_large_flush(struct cm_thread *thread, enum cm_tier tier)
{
	struct cm_large *cache = thread->large[tier];

	if (!cache ||
	    !atomic_load_explicit(&cache->bytes, memory_order_relaxed))
		return false;
	for (unsigned c = 0; c < CM_LARGE_CLASSES; c++) {
		cache->unwanted[c] = 0;
		give_back_oldest(thread, tier, c, cache->nr[c]);
	}
	return true;
}

static unsigned place_of(size_t size)
{
	return size > 2 * CM_LARGE_MAX;
}

/* Not much too large either: it counts in full. */
void *cm_large_take_shared(struct cm_thread *thread, enum cm_tier tier,
			   size_t size)
{
	_Atomic uint64_t *place = &shared[tier][place_of(size)];
	uint64_t block, none = 0;

	if (!thread->large[tier] ||
	    !atomic_load_explicit(place, memory_order_relaxed))
		return NULL;
	block = atomic_exchange_explicit(place, 0, memory_order_acquire);
	if (!block)
		return NULL;
	if (cm_large_size(block) >= size &&
	    cm_large_size(block) - size <= size / 4) {
		atomic_fetch_add_explicit(&taken_shared[tier], 1,
					  memory_order_relaxed);
		*thread->allocated[tier] += cm_large_size(block);
		return cm_large_at(block);
	}
	if (!atomic_compare_exchange_strong_explicit(place, &none, block,
						     memory_order_release,
						     memory_order_relaxed))
		give_back(thread, tier, block);
	return NULL;
}

bool cm_large_keep_shared(struct cm_thread *thread, enum cm_tier tier, void *p,
			  size_t size)
{
	uint64_t block = (uintptr_t)p | (uint64_t)(size / CM_LARGE_UNIT)
						<< CM_LARGE_SHIFT;

	if (!cm_large_shares)
		return false;
	*thread->freed[tier] += size;
	block = atomic_exchange_explicit(&shared[tier][place_of(size)], block,
					 memory_order_acq_rel);
	if (block)
		give_back(thread, tier, block);
	return true;
}

static bool empty(enum cm_tier tier, unsigned i)
{
	uint64_t block = atomic_exchange_explicit(&shared[tier][i], 0,
						  memory_order_acquire);

	if (block)
		give_back(&cm_thread, tier, block);
	return block;
}

bool cm_large_flush_shared(enum cm_tier tier)
{
	bool any = false;

	for (unsigned i = 0; i < PLACES; i++)
		any |= empty(tier, i);
	return any;
}

void cm_large_age(enum cm_tier tier)
{
	for (unsigned i = 0; i < PLACES; i++) {
		uint64_t block = atomic_load_explicit(&shared[tier][i],
						      memory_order_relaxed);

		if (block &&
		    block == atomic_load_explicit(&seen[tier][i],
						  memory_order_relaxed))
			block = !empty(tier, i);
		atomic_store_explicit(&seen[tier][i], block,
				      memory_order_relaxed);
	}
}

void cm_large_enter(struct cm_thread *thread, enum cm_tier tier)
{
	struct cm_large *cache = unused[tier];

	if (thread->exiting)
		return;
	if (cache)
		unused[tier] = cache->next;
	else if (nr_caches[tier] < CM_LARGE_THREADS)
		cache = &caches[tier][nr_caches[tier]++];
	thread->large[tier] = cache;
}

void cm_large_leave(struct cm_thread *thread, enum cm_tier tier)
{
	struct cm_large *cache = thread->large[tier];

	if (!cache)
		return;
	thread->large[tier] = NULL;
	cache->next = unused[tier];
	unused[tier] = cache;
}

/* What threads had that are not in the child is lost, as with jemalloc's. */
void cm_large_fork_child(const struct cm_thread *thread)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		unused[t] = NULL;
		for (unsigned i = 0; i < nr_caches[t]; i++) {
			struct cm_large *cache = &caches[t][i];

			if (cache == thread->large[t])
				continue;
			atomic_store(&cache->bytes, 0);
			memset(cache->nr, 0, sizeof(cache->nr));
			memset(cache->unwanted, 0, sizeof(cache->unwanted));
			cache->next = unused[t];
			unused[t] = cache;
		}
	}
}

void cm_large_sum(enum cm_tier tier, uint64_t *bytes, uint64_t *taken)
{
	*bytes = 0;
	*taken = atomic_load_explicit(&taken_shared[tier],
				      memory_order_relaxed);
	for (unsigned i = 0; i < PLACES; i++)
		*bytes += cm_large_size(atomic_load_explicit(
			&shared[tier][i], memory_order_relaxed));
	for (unsigned i = 0; i < nr_caches[tier]; i++) {
		const struct cm_large *cache = &caches[tier][i];

		*bytes += atomic_load_explicit(&cache->bytes,
					       memory_order_relaxed);
		*taken += atomic_load_explicit(&cache->taken,
					       memory_order_relaxed);
	}
}
