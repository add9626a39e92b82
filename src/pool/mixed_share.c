/* SPDX-License-Identifier: BSD-2-Clause */
/* mixed_share - what patterns hold, and what of it is each tier's */
#include "base/nodeset.h"
#include "pool/mixed.h"
#include "pool/pool.h"

#define ddr_pool (&cm_pool[CM_TIER_DDR])

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit((_Atomic uint64_t *)value,
				    memory_order_relaxed);
}

static unsigned nr_now(void)
{
	return atomic_load_explicit(&cm_nr_mixed, memory_order_acquire);
}

static uint64_t committed(const struct cm_mixed *m)
{
	return load(&m->used[CM_TIER_DDR]) + load(&m->used[CM_TIER_CXL]);
}

uint64_t cm_mixed_held_free(const struct cm_mixed *m)
{
	uint64_t all = committed(m), active;

	if (!m->nr_active)
		return 0;
	active = __atomic_load_n(m->nr_active, __ATOMIC_RELAXED) *
		 ddr_pool->page;
	return all > active ? all - active : 0;
}

uint64_t cm_mixed_in_use(enum cm_tier tier)
{
	unsigned nr = nr_now();
	uint64_t sum = 0;

	for (unsigned i = 0; i < nr; i++) {
		const struct cm_mixed *m = &cm_mixed[i];
		uint64_t used = load(&m->used[tier]);
		uint64_t idle = cm_part_of(cm_mixed_part_of(m, tier),
					   cm_mixed_held_free(m));

		sum += used > idle ? used - idle : 0;
	}
	return sum;
}

void cm_mixed_each(const char *ctl)
{
	size_t mib[3], miblen = CM_ARRAY_SIZE(mib);
	unsigned nr = nr_now();

	if (!nr || ddr_pool->je->mallctlnametomib(ctl, mib, &miblen))
		return;
	for (unsigned i = 0; i < nr; i++) {
		mib[1] = cm_mixed[i].arena;
		(void)ddr_pool->je->mallctlbymib(mib, miblen, NULL, NULL, NULL,
						 0);
	}
}

enum cm_tier cm_mixed_tier_at(const void *p)
{
	const struct cm_mixed *m = cm_mixed_owner(p);
	uint64_t offset = (uintptr_t)p - cm_mixed_window().base;

	return m ? cm_chunk_tier(cm_chunk_at(m->chunks, offset).index,
				 m->weight) :
		   CM_TIER_DDR;
}

struct cm_part cm_mixed_part_of(const struct cm_mixed *m, enum cm_tier tier)
{
	uint64_t ddr = m->weight[CM_TIER_DDR], cxl = m->weight[CM_TIER_CXL];

	if (committed(m)) {
		ddr = load(&m->used[CM_TIER_DDR]);
		cxl = load(&m->used[CM_TIER_CXL]);
	}
	return (struct cm_part){ tier == CM_TIER_DDR ? ddr : cxl,
				 ddr + cxl ? ddr + cxl : 1 };
}

struct cm_part cm_mixed_part(const void *p, enum cm_tier tier, unsigned node)
{
	const struct cm_mixed *m = cm_mixed_owner(p);
	struct cm_place place[CM_NR_TIERS];
	enum cm_tier whose = CM_TIER_DDR;

	if (!m)
		return (struct cm_part){ tier == CM_TIER_DDR, 1 };
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_place_get(&cm_pool[t].place, &place[t]);
	if (!cm_place_is_bound(&place[CM_TIER_DDR]) &&
	    !cm_place_is_bound(&place[CM_TIER_CXL]))
		return cm_mixed_part_of(m, tier);
	/* On a node of neither it is misplaced, whoever has it. */
	if (m->kernel)
		whose = cm_nodeset_test(&place[CM_TIER_CXL].home, node) ?
				CM_TIER_CXL :
				CM_TIER_DDR;
	else
		whose = cm_mixed_tier_at(p);
	return (struct cm_part){ whose == tier, 1 };
}
