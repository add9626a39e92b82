/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cxlmalloc.h"
#include "emucxl.h"
#include "emucxl/block.h"

/* A node's number is its tier's. */
_Static_assert(LOCAL_MEMORY == (int)CXLM_TIER_DDR &&
		       REMOTE_MEMORY == (int)CXLM_TIER_CXL,
	       "nodes are tiers");

EC_EXPORT const char *dev_file = "/dev/emucxl";

static int count;		/* emucxl_init less emucxl_exit; atomic */
static bool told;		/* atomic */

static void *fail(int error)
{
	errno = error;
	return NULL;
}

static bool is_node(int node)
{
	return node >= 0 && node < EC_NODES;
}

EC_EXPORT int emucxl_emulated(void)
{
	struct cxlm_tier_info info = { .size = sizeof(info) };

	if (cxlm_tier_info(CXLM_TIER_CXL, &info) < 0)
		return 1;
	return strcmp(info.binding, "strict") != 0 &&
	       strcmp(info.binding, "preferred") != 0;
}

static void tell_emulated(void)
{
	const char *wish = secure_getenv("EMUCXL_EMULATION");

	if ((wish && strcmp(wish, "quiet") == 0) || emucxl_emulated() == 0)
		return;
	fprintf(stderr, "emucxl: no CXL memory here: node 1 is emulated, in "
			"ordinary memory\n");
	if (wish && strcmp(wish, "fail") == 0)
		exit(EXIT_FAILURE);
}

EC_EXPORT void emucxl_init(void)
{
	__atomic_add_fetch(&count, 1, __ATOMIC_ACQ_REL);
	if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
		tell_emulated();
}

EC_EXPORT void emucxl_exit(void)
{
	struct ec_block block;
	int now = __atomic_load_n(&count, __ATOMIC_RELAXED);

	do {
		if (now == 0)
			return;
	} while (!__atomic_compare_exchange_n(&count, &now, now - 1, false,
					      __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	while (now == 1 && ec_block_take_any(&block))
		cxlm_free(block.base);
}

static bool is_begun(void)
{
	return __atomic_load_n(&count, __ATOMIC_RELAXED) > 0;
}

/*
 * A process that is not tiered (CXLMALLOC_DISABLE=1) has no tier to be strict
 * about: its nodes are names, as with emulation. One whose operator left a tier
 * out has none of it.
 */
static void *zeroed(size_t size, int node)
{
	void *p = cxlm_calloc(node, 1, size, CXLM_STRICT);

	if (p || errno != ENOTSUP)
		return p;
	p = cxlm_calloc(node, 1, size, 0);
	if (p && cxlm_tier_of(p) >= 0) {
		cxlm_free(p);
		return fail(ENOTSUP);
	}
	return p;
}

EC_EXPORT void *emucxl_alloc(size_t size, int node)
{
	void *p;

	if (!is_begun())
		return fail(ENODEV);
	if (!is_node(node) || size == 0)
		return fail(EINVAL);
	p = zeroed(size, node);
	if (p && ec_block_add(p, size, node) < 0) {
		cxlm_free(p);
		return fail(ENOMEM);
	}
	return p;
}

EC_EXPORT void emucxl_free(void *ptr, size_t size)
{
	struct ec_block block;

	(void)size;
	if (ptr && ec_block_take(ptr, &block))
		cxlm_free(ptr);
}

static void *replace(void *ptr, int node, size_t old, size_t size)
{
	struct ec_block block;
	char *p;

	if (!ptr || !ec_block_find(ptr, &block) || block.base != ptr)
		return fail(EINVAL);
	p = emucxl_alloc(size, node);
	if (!p)
		return NULL;
	if (old > block.size)
		old = block.size;
	memcpy(p, ptr, old < size ? old : size);
	emucxl_free(ptr, block.size);
	return p;
}

EC_EXPORT void *emucxl_resize(void *ptr, int node, size_t oldsize,
			      size_t newsize)
{
	return replace(ptr, node, oldsize, newsize);
}

EC_EXPORT void *emucxl_migrate(void *ptr, int newnode, size_t size)
{
	return replace(ptr, newnode, size, size);
}

EC_EXPORT int emucxl_migrate_in_place(void *ptr, int newnode)
{
	struct ec_block block;

	if (!ptr || !is_node(newnode) || !ec_block_find(ptr, &block) ||
	    block.base != ptr || block.size < (size_t)2 * PAGE_SIZE) {
		errno = EINVAL;
		return -1;
	}
	if (cxlm_migrate(ptr, block.size, newnode, CXLM_STRICT) < 0)
		return -1;
	ec_block_set_node(ptr, newnode);
	return 0;
}

EC_EXPORT bool emucxl_is_local(void *ptr)
{
	return emucxl_get_numa_node(ptr) == LOCAL_MEMORY;
}

EC_EXPORT int emucxl_get_numa_node(void *ptr)
{
	struct ec_block block;

	return ptr && ec_block_find(ptr, &block) ? block.node : -1;
}

EC_EXPORT size_t emucxl_get_size(void *ptr)
{
	struct ec_block block;

	return ptr && ec_block_find(ptr, &block) ? block.size : 0;
}

EC_EXPORT size_t emucxl_stats(int numa_node)
{
	return is_node(numa_node) ? ec_block_bytes(numa_node) : 0;
}

EC_EXPORT int emucxl_get_real_node(const void *ptr)
{
	struct ec_block block;

	if (!ptr || !ec_block_find(ptr, &block)) {
		errno = EINVAL;
		return -1;
	}
	return cxlm_node_of(ptr);
}
