/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc - the two calls that matter, and nothing else
 *
 * malloc jumps to the fast path of the tier that is next: jemalloc's own, which
 * tail-calls back into entry/slow.c when the thread's cache cannot serve.
 * free: the tier is the block's address.
 */
#include <stdlib.h>

#include "base/state.h"
#include "entry/slow.h"
#include "pool/je.h"

/* Until the library has started, and when every tier is full. */
struct cm_fast cm_fast = { .malloc = cm_slow_malloc };

CM_EXPORT void *malloc(size_t size)
{
	return atomic_load_explicit(&cm_fast.malloc,
				    memory_order_relaxed)(size);
}

CM_EXPORT void free(void *p)
{
	uintptr_t at = (uintptr_t)p - cm_fast.base;

	if (likely(at < cm_fast.end[CM_TIER_DDR]))
		cm_ddr_free(p);
	else if (likely(at < cm_fast.end[CM_TIER_CXL]))
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
