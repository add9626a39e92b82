/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool/large.h"

#include <stdatomic.h>

#include "pool/pool.h"

/*
 * jemalloc's sizes here are multiples of this, and windows lie where Linux maps
 * unasked, below 2^47 (2^48 on aarch64): the bits above say how many.
 */
#define UNIT	(4 * KIB)
#define SHIFT	48

bool cm_large_keeps;

static struct tier {
	_Atomic uint64_t place[CM_LARGE_PLACES];
	_Atomic uint64_t seen[CM_LARGE_PLACES];	/* when aged last */
	_Atomic uint64_t taken;
} tiers[CM_NR_TIERS];

static unsigned place_of(size_t size)
{
	return 63 - (unsigned)__builtin_clzl(size - 1) - 18;
}

static size_t size_of(uint64_t block)
{
	return (size_t)(block >> SHIFT) * UNIT;
}

static void *at(uint64_t block)
{
	return (void *)(uintptr_t)(block & ((UINT64_C(1) << SHIFT) - 1));
}

static void give_back(enum cm_tier tier, uint64_t block)
{
	if (block)
		cm_pool[tier].je->dallocx(at(block), 0);
}

void *cm_large_take(enum cm_tier tier, size_t size)
{
	_Atomic uint64_t *place = &tiers[tier].place[place_of(size)];
	uint64_t block, none = 0;

	if (!atomic_load_explicit(place, memory_order_relaxed))
		return NULL;
	block = atomic_exchange_explicit(place, 0, memory_order_acquire);
	if (!block)
		return NULL;
	if (size_of(block) >= size && size_of(block) - size <= size / 4) {
		atomic_fetch_add_explicit(&tiers[tier].taken, 1,
					  memory_order_relaxed);
		return at(block);
	}
	if (!atomic_compare_exchange_strong_explicit(place, &none, block,
						     memory_order_release,
						     memory_order_relaxed))
		give_back(tier, block);
	return NULL;
}

bool cm_large_keep(enum cm_tier tier, void *p, size_t size)
{
	uint64_t block = (uintptr_t)p | (uint64_t)(size / UNIT) << SHIFT;

	if (!cm_large_keeps || size % UNIT)
		return false;
	give_back(tier,
		  atomic_exchange_explicit(&tiers[tier].place[place_of(size)],
					   block, memory_order_acq_rel));
	return true;
}

bool cm_large_flush(enum cm_tier tier)
{
	bool any = false;

	for (unsigned i = 0; i < CM_LARGE_PLACES; i++) {
		uint64_t block;

		/* Two full tiers ask with each refusal. */
		if (!atomic_load_explicit(&tiers[tier].place[i],
					  memory_order_relaxed))
			continue;
		block = atomic_exchange_explicit(&tiers[tier].place[i], 0,
						 memory_order_acquire);
		give_back(tier, block);
		any |= block != 0;
	}
	return any;
}

void cm_large_age(enum cm_tier tier)
{
	for (unsigned i = 0; i < CM_LARGE_PLACES; i++) {
		uint64_t block = atomic_load_explicit(&tiers[tier].place[i],
						      memory_order_relaxed);

		/* The same again counts as unwanted: it costs one miss. */
		if (block &&
		    block == atomic_load_explicit(&tiers[tier].seen[i],
						  memory_order_relaxed)) {
			block = atomic_exchange_explicit(
				&tiers[tier].place[i], 0, memory_order_acquire);
			give_back(tier, block);
			block = 0;
		}
		atomic_store_explicit(&tiers[tier].seen[i], block,
				      memory_order_relaxed);
	}
}

uint64_t cm_large_held(enum cm_tier tier, uint64_t *taken)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < CM_LARGE_PLACES; i++)
		bytes += size_of(atomic_load_explicit(&tiers[tier].place[i],
						      memory_order_relaxed));
	*taken = atomic_load_explicit(&tiers[tier].taken, memory_order_relaxed);
	return bytes;
}
