/* SPDX-License-Identifier: BSD-2-Clause */
/* own_share - what the program's own pools hold, and what of it is each tier's */
#include "base/nodeset.h"
#include "pool/arena.h"
#include "pool/own.h"

#define ddr_pool (&cm_pool[CM_TIER_DDR])

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit((_Atomic uint64_t *)value,
				    memory_order_relaxed);
}

static unsigned nr_now(void)
{
	return atomic_load_explicit(&cm_nr_own, memory_order_acquire);
}

static bool is_live(const struct cm_own *own)
{
	return atomic_load_explicit((_Atomic int *)&own->state,
				    memory_order_acquire) == CM_OWN_LIVE;
}

/* Under cm_arena_lock. */
static uint64_t active(const struct cm_own *own)
{
	uint64_t used = load(&own->pool.used), pages;

	if (!is_live(own))
		return 0;
	if (!own->nr_active)
		return used;
	pages = __atomic_load_n(own->nr_active, __ATOMIC_RELAXED);
	return pages * ddr_pool->page < used ? pages * ddr_pool->page : used;
}

uint64_t cm_own_active(struct cm_own *own)
{
	uint64_t bytes;

	cm_arena_hold();
	bytes = active(own);
	cm_arena_release();
	return bytes;
}

static struct cm_part part_of(const struct cm_own *own, enum cm_tier tier)
{
	uint64_t used = load(&own->pool.used);

	return (struct cm_part){ load(&own->used[tier]), used ? used : 1 };
}

uint64_t cm_own_in_use(enum cm_tier tier)
{
	unsigned nr = nr_now();
	uint64_t sum = 0;

	if (!nr)
		return 0;
	cm_arena_hold();
	for (unsigned i = 0; i < nr; i++)
		sum += cm_part_of(part_of(&cm_own[i], tier),
				  active(&cm_own[i]));
	cm_arena_release();
	return sum;
}

void cm_own_blocks(enum cm_tier tier, struct cm_own_blocks *blocks)
{
	unsigned nr = nr_now();

	*blocks = (struct cm_own_blocks){ 0 };
	if (!nr)
		return;
	cm_arena_hold();
	for (unsigned i = 0; i < nr; i++) {
		const struct cm_own *own = &cm_own[i];
		struct cm_part part = part_of(own, tier);

		if (!is_live(own) || !part.part)
			continue;
#define STAT(name)                                                  \
	cm_part_of(part, \
		   cm_je_read_at(ddr_pool->je, "stats.arenas.0.small." name, \
				 own->arena) + \
			   cm_je_read_at(ddr_pool->je, \
					 "stats.arenas.0.large." name, \
					 own->arena))
		blocks->in_use += STAT("allocated");
		blocks->made += STAT("nmalloc");
		blocks->freed += STAT("ndalloc");
#undef STAT
	}
	cm_arena_release();
}

/* Both tiers on the same nodes: ranges of several pools are one mapping. */
static struct cm_part part_of_all(enum cm_tier tier)
{
	struct cm_part all = { 0, 0 };

	for (unsigned i = 0; i < nr_now(); i++) {
		all.part += load(&cm_own[i].used[tier]);
		all.all += load(&cm_own[i].pool.used);
	}
	if (!all.all)
		all.all = 1;
	return all;
}

struct cm_part cm_own_part(const void *p, enum cm_tier tier, unsigned node)
{
	const struct cm_own *own = cm_own_of(p);
	struct cm_place cxl;
	enum cm_tier whose;

	cm_place_get(&cm_pool[CM_TIER_CXL].place, &cxl);
	if (cxl.binding == CM_BINDING_EMULATED)
		return part_of_all(tier);
	if (own && !own->both)
		whose = own->attr.tier;
	else
		whose = cm_nodeset_test(&cxl.home, node) ? CM_TIER_CXL :
							   CM_TIER_DDR;
	return (struct cm_part){ whose == tier, 1 };
}
