/* SPDX-License-Identifier: BSD-2-Clause */
/* realloc - calloc and the ways to resize; glibc's answers where C leaves it */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "entry/front.h"
#include "entry/site.h"
#include "entry/slow.h"
#include "entry/usual.h"
#include "policy/policy.h"
#include "pool/mixed.h"
#include "pool/pool.h"

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

#define ASKS_POLICY	(CM_WORD_SIZE | CM_WORD_GROWTH | CM_WORD_AWAY)

#ifdef CM_FRONT
/* A block of the thread's cache, to which p goes. NULL: not done. */
static CM_NOINLINE void *exchange(intptr_t tsd, void *p, size_t size,
				  uint64_t old, uint64_t sc)
{
	size_t bytes = cm_front.bytes[old];
	void *q;

	if (unlikely(cm_policy_says(ASKS_POLICY)) ||
	    (size > CM_JE_FAST_MAX &&
	     size > atomic_load_explicit(&cm_fast.max, memory_order_relaxed)) ||
	    unlikely(!cm_front_take(tsd, sc, cm_front.counted[sc], &q)))
		return NULL;
	memcpy(q, p, bytes < size ? bytes : size);
	if (unlikely(!cm_front_put(tsd, p)))
		free(p);
	return q;
}

/*
 * p itself where its class is the size's, else another of its tier.
 *
 * Not from whole pages to whole pages: most such blocks can grow and shrink where
 * they are (cm_pool_resize), which costs less than to copy them. In the cache
 * they would also keep their neighbours from it.
 */
static inline __attribute__((always_inline)) void *
by_front(enum cm_tier tier, void *p, size_t size)
{
	intptr_t tsd = tier == CM_TIER_DDR ? CM_FRONT_TSD(cm_ddr) :
					     CM_FRONT_TSD(cm_cxl);
	uint64_t old = cm_front_class_of(tsd, p), sc;

	if (unlikely(old >= atomic_load_explicit(&cm_fast.nr_classes,
						 memory_order_relaxed)) ||
	    unlikely(size > CM_FRONT_MAX))
		return NULL;
	sc = likely(size <= CM_JE_FAST_MAX) ? cm_front.sc[(size + 7) / 8] :
					      cm_front_class(size);
	if (sc == old)
		return p;
	if (sc >= CM_JE_NR_SMALL && old >= CM_JE_NR_SMALL)
		return NULL;
	return exchange(tsd, p, size, old, sc);
}
#else
static inline void *by_front(enum cm_tier tier, void *p, size_t size)
{
	(void)tier, (void)p, (void)size;
	return NULL;
}
#endif

static inline void *by_jemalloc(enum cm_tier tier, void *p, size_t size)
{
	if (size > CM_JE_SLAB_MAX)
		return cm_pool_resize(&cm_pool[tier], p, size);
	return tier == CM_TIER_DDR ? cm_ddr_realloc(p, size) :
				     cm_cxl_realloc(p, size);
}

/* In its own tier, where nothing is out of the ordinary. */
static CM_NOINLINE void *usual(enum cm_tier tier, void *p, size_t size)
{
	if (unlikely(cm_policy_says(ASKS_POLICY)) || unlikely(!cm_usual(tier)))
		return NULL;
	return by_jemalloc(tier, p, size);
}

static inline __attribute__((always_inline)) void *by_tier(enum cm_tier tier,
							   void *p, size_t size)
{
	void *q = by_front(tier, p, size);

	return likely(q) ? q : usual(tier, p, size);
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
	if (at < cm_fast.end[CM_TIER_DDR])
		q = by_tier(CM_TIER_DDR, p, size);
	else if (at < cm_fast.end[CM_TIER_CXL])
		q = by_tier(CM_TIER_CXL, p, size);
	return likely(q) ? q : slow(p, size, CM_CALLER);
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
