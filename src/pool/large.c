/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pool/large.h"

static struct cm_large caches[CM_NR_TIERS][CM_LARGE_THREADS];
static unsigned nr_caches[CM_NR_TIERS];		/* that had a thread */
static struct cm_large *unused[CM_NR_TIERS];	/* of those */

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
	*bytes = *taken = 0;
	for (unsigned i = 0; i < nr_caches[tier]; i++) {
		const struct cm_large *cache = &caches[tier][i];

		*bytes += atomic_load_explicit(&cache->bytes,
					       memory_order_relaxed);
		*taken += atomic_load_explicit(&cache->taken,
					       memory_order_relaxed);
	}
}
