/* SPDX-License-Identifier: BSD-2-Clause */
/* api - cxlmalloc.h */
#include <errno.h>
#include <string.h>

#include "cxlmalloc.h"
#include "base/state.h"
#include "entry/init.h"
#include "entry/site.h"
#include "map/map.h"
#include "pool/mixed.h"
#include "pool/own.h"
#include "pool/pool.h"

_Static_assert((int)CXLM_TIER_DDR == (int)CM_TIER_DDR &&
		       (int)CXLM_TIER_CXL == (int)CM_TIER_CXL,
	       "one numbering");

CM_EXPORT const char *cxlm_version(void)
{
	return PACKAGE_VERSION " (jemalloc " CM_JEMALLOC_VERSION ")";
}

CM_EXPORT int cxlm_tier_of(const void *p)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_process.state == CM_STATE_TIERED && cm_window_has(t, p))
			return (int)t;
	if (cm_process.state == CM_STATE_TIERED && cm_mixed_has(p))
		return (int)cm_mixed_tier_at(p);
	if (cm_process.state == CM_STATE_TIERED && cm_own_has(p)) {
		const struct cm_own *own = cm_own_of(p);

		return own ? (int)cm_own_tier_at(own, p) : -1;
	}
	return -1;
}

CM_EXPORT int cxlm_tier_stat(int tier, struct cxlm_tier_stat *stat)
{
	struct cxlm_tier_stat now = { .size = sizeof(now) };
	const struct cm_pool *pool;

	if (tier < 0 || tier >= CM_NR_TIERS || !stat ||
	    stat->size < offsetof(struct cxlm_tier_stat, over_peak) +
				 sizeof(stat->over_peak)) {
		errno = EINVAL;
		return -1;
	}
	(void)cm_init();
	pool = &cm_pool[tier];
	now.used = atomic_load(&pool->used);
	now.limit = atomic_load(&pool->limit);
	now.peak = atomic_load(&pool->peak);
	now.over = now.used > now.limit ? now.used - now.limit : 0;
	now.over_peak = atomic_load(&pool->over_peak);
	now.mapped = cm_map_mapped((enum cm_tier)tier);
	now.size = stat->size;
	memcpy(stat, &now, stat->size < sizeof(now) ? stat->size : sizeof(now));
	return 0;
}

CM_EXPORT int cxlm_thread_tier(int tier, int flags)
{
	if (tier < CXLM_TIER_POLICY || tier >= CM_NR_TIERS ||
	    flags & ~CXLM_INHERIT) {
		errno = EINVAL;
		return -1;
	}
	if (!cm_init() || !cm_site_set_thread(tier, flags & CXLM_INHERIT)) {
		errno = ENOTSUP;
		return -1;
	}
	return 0;
}
