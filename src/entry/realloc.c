/* SPDX-License-Identifier: BSD-2-Clause */
/* realloc - calloc and the ways to resize; glibc's answers where C leaves it */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "entry/site.h"
#include "entry/slow.h"
#include "entry/usual.h"
#include "policy/policy.h"
#include "pool/mixed.h"

CM_EXPORT void *calloc(size_t nr, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(nr, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	if (unlikely(cm_site_matters()))
		return cm_site_alloc(bytes, 0, true, CM_CALLER);
	/*
	 * Small blocks come from pages that were used before: jemalloc would
	 * clear them too. What is larger may be fresh, and zero already.
	 */
	if (bytes <= CM_JE_FAST_MAX) {
		void *p = malloc(bytes);

		return likely(p) ? memset(p, 0, bytes) : NULL;
	}
	return cm_slow_alloc(bytes, 0, true);
}

static inline void *slow(void *p, size_t size, const void *site)
{
	if (unlikely(cm_site_matters()))
		return cm_site_realloc(p, size, site);
	return cm_slow_realloc(p, size);
}

CM_EXPORT void *realloc(void *p, size_t size)
{
	uintptr_t at = (uintptr_t)p - cm_fast.base;
	void *q = NULL;

	if (unlikely(!p))
		return cm_site_matters() ?
			       cm_site_alloc(size, 0, false, CM_CALLER) :
			       malloc(size);
	if (unlikely(size == 0)) {	/* glibc: free, and NULL */
		free(p);
		return NULL;
	}
	if (unlikely(size >= CM_MIXED_MIN))
		return slow(p, size, CM_CALLER);
	if (unlikely(cm_policy_says(CM_WORD_SIZE | CM_WORD_GROWTH |
				    CM_WORD_AWAY)))
		return slow(p, size, CM_CALLER);
	/* In its own tier, where nothing is out of the ordinary. */
	if (at < cm_fast.end[CM_TIER_DDR]) {
		if (likely(cm_usual(CM_TIER_DDR)))
			q = cm_ddr_realloc(p, size);
		if (likely(q))
			return q;
	} else if (at < cm_fast.end[CM_TIER_CXL]) {
		if (likely(cm_usual(CM_TIER_CXL)))
			q = cm_cxl_realloc(p, size);
		if (likely(q))
			return q;
	}
	return slow(p, size, CM_CALLER);
}

CM_EXPORT void *reallocarray(void *p, size_t nr, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(nr, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	if (unlikely(!p && cm_site_matters()))
		return cm_site_alloc(bytes, 0, false, CM_CALLER);
	return realloc(p, bytes);
}

CM_EXPORT size_t malloc_usable_size(void *p)
{
	return cm_slow_usable_size(p);
}
