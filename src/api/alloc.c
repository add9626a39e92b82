/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc - cxlmalloc/alloc.h: blocks of a tier, and what happens to them */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "entry/site.h"
#include "entry/slow.h"
#include "pool/mixed.h"

/*
 * A tier that is not to be had leaves the block to the policy, unless the
 * caller wants it there or nowhere.
 */
void *cm_api_alloc(int tier, size_t alignment, size_t size, bool zero,
		   int flags, const void *site)
{
	if (unlikely(tier < CXLM_TIER_POLICY || tier >= CM_NR_TIERS ||
		     flags & ~CXLM_STRICT ||
		     (tier == CXLM_TIER_POLICY && flags)))
		return cm_api_null(EINVAL);
	if (unlikely(size > PTRDIFF_MAX || alignment > PTRDIFF_MAX))
		return cm_api_null(ENOMEM);
	if (likely(tier >= 0 && cm_api_uses(tier)))
		return cm_site_alloc_as((enum cm_tier)tier, flags & CXLM_STRICT,
					size, alignment, zero);
	if (flags & CXLM_STRICT)
		return cm_api_null(ENOTSUP);
	if (cm_site_matters())
		return cm_site_alloc(size, alignment, zero, site);
	if (zero)
		return cm_slow_alloc(size, alignment, true);
	return alignment ? cm_aligned_alloc(size, alignment, site) :
			   malloc(size);
}

CM_EXPORT void *cxlm_malloc(int tier, size_t size, int flags)
{
	return cm_api_alloc(tier, 0, size, false, flags, CM_CALLER);
}

CM_EXPORT void *cxlm_calloc(int tier, size_t nr, size_t size, int flags)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(nr, size, &bytes)))
		return cm_api_null(ENOMEM);
	return cm_api_alloc(tier, 0, bytes, true, flags, CM_CALLER);
}

CM_EXPORT void *cxlm_aligned_alloc(int tier, size_t alignment, size_t size,
				   int flags)
{
	if (unlikely(!alignment || alignment & (alignment - 1)))
		return cm_api_null(EINVAL);
	return cm_api_alloc(tier, alignment, size, false, flags, CM_CALLER);
}

static bool is_on(const void *p, int tier)
{
	return cm_window_has((enum cm_tier)tier, p);
}

CM_EXPORT void *cxlm_realloc(void *p, size_t size)
{
	if (unlikely(!p))
		return cm_api_alloc(CXLM_TIER_POLICY, 0, size, false, 0,
				    CM_CALLER);
	/* realloc leaves to the policy what it has by size or on both tiers. */
	if (size &&
	    unlikely(size >= CM_MIXED_MIN || cm_policy_says(CM_WORD_SIZE)))
		for (int t = 0; t < CM_NR_TIERS; t++)
			if (is_on(p, t) && cm_api_uses(t))
				return cm_site_realloc_as((enum cm_tier)t,
							  false, p, size);
	return realloc(p, size);
}

/* Its bytes that are in both, to a new block; then the old one is freed. */
static void *copied(void *p, int tier, size_t size, int flags, const void *site)
{
	size_t old = cm_slow_usable_size(p);
	void *q;

	/* Another allocator's, of which nothing is known. */
	if (!old)
		return cm_api_null(ENOMEM);
	q = cm_api_alloc(tier, 0, size, false, flags, site);
	if (!q)
		return NULL;
	memcpy(q, p, old < size ? old : size);
	free(p);
	return q;
}

CM_EXPORT void *cxlm_realloc_to(void *p, int tier, size_t size, int flags)
{
	if (unlikely(tier < CXLM_TIER_POLICY || tier >= CM_NR_TIERS ||
		     flags & ~CXLM_STRICT ||
		     (tier == CXLM_TIER_POLICY && flags)))
		return cm_api_null(EINVAL);
	if (!p)
		return cm_api_alloc(tier, 0, size, false, flags, CM_CALLER);
	if (!size) {
		free(p);
		return NULL;
	}
	if (tier == CXLM_TIER_POLICY)
		return realloc(p, size);
	if (flags & CXLM_STRICT && !cm_api_uses(tier))
		return cm_api_null(ENOTSUP);
	if (cm_api_uses(tier) && is_on(p, tier))
		return cm_site_realloc_as((enum cm_tier)tier,
					  flags & CXLM_STRICT, p, size);
	return copied(p, tier, size, flags, CM_CALLER);
}

CM_EXPORT void *cxlm_move(void *p, int tier, int flags)
{
	if (unlikely(!cm_api_is_tier(tier) || flags & ~CXLM_STRICT || !p))
		return cm_api_null(EINVAL);
	if (cm_api_uses(tier) && is_on(p, tier))
		return p;
	return copied(p, tier, cm_slow_usable_size(p), flags, CM_CALLER);
}

CM_EXPORT void cxlm_free(void *p)
{
	free(p);
}

CM_EXPORT size_t cxlm_usable_size(const void *p)
{
	return cm_slow_usable_size((void *)p);
}
