/* SPDX-License-Identifier: BSD-2-Clause */
#include "smdk/smdk.h"

#include <errno.h>
#include <string.h>

/* A block of the type; alignment 0: malloc's. */
static void *alloc(smdk_memtype_t type, size_t alignment, size_t size,
		   int flags)
{
	if (alignment == 0)
		return cxlm_malloc((int)type, size, flags);
	return cxlm_aligned_alloc((int)type, alignment, size, flags);
}

/*
 * CXLM_STRICT is refused in two cases: in a process that is not tiered
 * (CXLMALLOC_DISABLE=1), where all memory is of no type and serves both; and
 * where the operator leaves the type out, which the program has to be told.
 */
static void *alloc_strict(smdk_memtype_t type, size_t alignment, size_t size)
{
	void *p = alloc(type, alignment, size, CXLM_STRICT);

	if (p || errno != ENOTSUP)
		return p;
	p = alloc(type, alignment, size, 0);
	if (p && cxlm_tier_of(p) >= 0) {
		cxlm_free(p);
		p = NULL;
		errno = ENOTSUP;
	}
	return p;
}

static void *invalid(void)
{
	errno = EINVAL;
	return NULL;
}

SM_EXPORT void *s_malloc(smdk_memtype_t type, size_t size)
{
	return sm_is_type(type) ? alloc_strict(type, 0, size) : invalid();
}

SM_EXPORT void *s_calloc(smdk_memtype_t type, size_t num, size_t size)
{
	size_t bytes;
	void *p;

	if (!sm_is_type(type))
		return invalid();
	p = cxlm_calloc((int)type, num, size, CXLM_STRICT);
	if (p || errno != ENOTSUP)
		return p;
	if (__builtin_mul_overflow(num, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	p = alloc_strict(type, 0, bytes);
	return p ? memset(p, 0, bytes) : NULL;
}

SM_EXPORT void *s_realloc(smdk_memtype_t type, void *ptr, size_t size)
{
	size_t held;
	void *p;

	if (!sm_is_type(type))
		return invalid();
	if (!ptr)
		return alloc_strict(type, 0, size);
	if (size == 0) {
		cxlm_free(ptr);
		return NULL;
	}
	p = cxlm_realloc_to(ptr, (int)type, size, CXLM_STRICT);
	if (p || errno != ENOTSUP)
		return p;
	p = alloc_strict(type, 0, size);
	if (p) {
		held = cxlm_usable_size(ptr);
		memcpy(p, ptr, held < size ? held : size);
		cxlm_free(ptr);
	}
	return p;
}

SM_EXPORT int s_posix_memalign(smdk_memtype_t type, void **memptr,
			       size_t alignment, size_t size)
{
	int kept = errno, error;
	void *p;

	if (!sm_is_type(type) || !memptr || alignment % sizeof(void *) != 0 ||
	    alignment == 0 || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	p = alloc_strict(type, alignment, size);
	error = p ? 0 : errno == EINVAL ? EINVAL : ENOMEM;
	errno = kept;
	if (p)
		*memptr = p;
	return error;
}

SM_EXPORT void s_free(void *ptr)
{
	cxlm_free(ptr);
}

SM_EXPORT void s_free_type(smdk_memtype_t type, void *ptr)
{
	if (sm_is_type(type))
		cxlm_free(ptr);
}

SM_EXPORT void s_free_node(smdk_memtype_t type, void *mem, size_t size)
{
	(void)type;
	(void)size;
	cxlm_free(mem);
}

/*
 * Whether nodes are of the type is seen by what they gave. An emulated type's are
 * the other's: there it is the type that counts, on the only nodes there are.
 */
SM_EXPORT void *s_malloc_node(smdk_memtype_t type, size_t size, char *node)
{
	struct sm_nodes nodes;
	void *p;

	if (!sm_is_type(type) || sm_parse_nodes(node, &nodes) < 0)
		return invalid();
	p = cxlm_malloc_nodes(nodes.bits, SM_NODES_MAX, size, CXLM_STRICT);
	if (p && cxlm_tier_of(p) == (int)type)
		return p;
	if (!p && errno != ENOTSUP)
		return NULL;
	cxlm_free(p);
	if (!sm_are_of_type(&nodes, type))
		return invalid();
	return alloc_strict(type, 0, size);
}
