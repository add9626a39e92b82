/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc - the two calls that matter, and nothing else
 *
 * malloc: one load and one compare choose the tier, then jemalloc's own fast
 * path is tail-called; when it misses it tail-calls back into entry/slow.c.
 * free: the tier is the block's address.
 */
#include <stdlib.h>

#include "base/state.h"
#include "entry/slow.h"
#include "pool/je.h"

CM_EXPORT void *malloc(size_t size)
{
	unsigned route = atomic_load_explicit(&cm_fast.route,
					      memory_order_relaxed);

	if (likely(route == CM_ROUTE_DDR))
		return cm_ddr_malloc(size);
	if (likely(route == CM_ROUTE_CXL))
		return cm_cxl_malloc(size);
	return cm_slow_malloc(size);
}

CM_EXPORT void free(void *p)
{
	if (likely(cm_window_has(CM_TIER_DDR, p)))
		cm_ddr_free(p);
	else if (likely(cm_window_has(CM_TIER_CXL, p)))
		cm_cxl_free(p);
	else
		cm_slow_free(p);
}

CM_EXPORT void cfree(void *p);
CM_EXPORT void free_sized(void *p, size_t size);
CM_EXPORT void free_aligned_sized(void *p, size_t alignment, size_t size);

/* glibc dropped it in 2.26; old binaries still ask for it. */
void cfree(void *p)
{
	free(p);
}

/* C23 7.24.3.4 and 7.24.3.5: the sizes are hints we do not need. */
void free_sized(void *p, size_t size)
{
	(void)size;
	free(p);
}

void free_aligned_sized(void *p, size_t alignment, size_t size)
{
	(void)alignment, (void)size;
	free(p);
}
