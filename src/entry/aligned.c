/* SPDX-License-Identifier: BSD-2-Clause */
/* aligned - POSIX, C11 and the old ways to ask for an alignment */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "entry/site.h"
#include "entry/slow.h"
#include "sys/sys.h"

static bool is_power_of_two(size_t n)
{
	return n && (n & (n - 1)) == 0;
}

/* POSIX: errno is kept, *out is only written on success. */
CM_EXPORT int posix_memalign(void **out, size_t alignment, size_t size)
{
	int saved = errno;
	void *p;

	if (alignment % sizeof(void *) || !is_power_of_two(alignment))
		return EINVAL;
	p = cm_aligned_alloc(size, alignment, CM_CALLER);
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

/* glibc: an alignment that is no power of two means the next one. */
CM_EXPORT void *memalign(size_t alignment, size_t size)
{
	if (unlikely(alignment > SIZE_MAX / 2 + 1)) {
		errno = EINVAL;
		return NULL;
	}
	if (unlikely(!is_power_of_two(alignment)))
		alignment = alignment <= 1 ?
				    1 :
				    (size_t)1 << (64 - __builtin_clzl(
							       alignment - 1));
	return cm_aligned_alloc(size, alignment, CM_CALLER);
}

/*
 * C17 allows what the implementation supports; glibc before 2.38 took any
 * alignment like memalign, from then on it wants a power of two. Programs
 * that run on either pass one.
 */
CM_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	if (unlikely(!is_power_of_two(alignment))) {
		errno = EINVAL;
		return NULL;
	}
	return cm_aligned_alloc(size, alignment, CM_CALLER);
}

CM_EXPORT void *valloc(size_t size)
{
	return cm_aligned_alloc(size, cm_sys_page_size(), CM_CALLER);
}

CM_EXPORT void *pvalloc(size_t size)
{
	size_t page = cm_sys_page_size();
	size_t rounded;

	if (unlikely(__builtin_add_overflow(size, page - 1, &rounded))) {
		errno = ENOMEM;
		return NULL;
	}
	rounded &= ~(page - 1);
	/* glibc: pvalloc(0) is a page. */
	return cm_aligned_alloc(rounded ? rounded : page, page, CM_CALLER);
}
