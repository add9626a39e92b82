/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* The bytes of a block's pages, all of which are its own; 0: it shares one. */
static size_t own_pages(size_t size)
{
	size_t page = page_size();

	return size < page ? 0 : (size + page - 1) & -page;
}

/*
 * Pages that were moved would go with the block into its tier's heap, and be the
 * next one's: they are given back, and those that come instead are the tier's.
 */
static void give_back(const struct ec_block *block)
{
	size_t bytes = own_pages(block->size);
	int saved = errno;

	if (block->moved && madvise(block->base, bytes, MADV_DONTNEED) < 0)
		/* locked in memory: back to where they were */
		cxlm_migrate(block->base, bytes, cxlm_tier_of(block->base), 0);
	errno = saved;
	cxlm_free(block->held);
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
		give_back(&block);
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

/* As with EmuCXL a block of a page or more begins at a page, of its own. */
static int make(struct ec_block *block)
{
	size_t page = page_size(), pad = block->size < page ? 0 : page - 1;
	size_t bytes = pad ? own_pages(block->size) : block->size;

	if (block->size > PTRDIFF_MAX - 2 * page) {
		errno = ENOMEM;
		return -1;
	}
	block->held = zeroed(bytes + pad, block->node);
	block->base = (char *)(((uintptr_t)block->held + pad) & ~pad);
	return block->held ? 0 : -1;
}

EC_EXPORT void *emucxl_alloc(size_t size, int node)
{
	struct ec_block block = { .size = size, .node = node };

	if (!is_begun())
		return fail(ENODEV);
	if (!is_node(node) || size == 0)
		return fail(EINVAL);
	if (make(&block) < 0)
		return NULL;
	if (ec_block_add(&block) < 0) {
		cxlm_free(block.held);
		return fail(ENOMEM);
	}
	return block.base;
}

EC_EXPORT void emucxl_free(void *ptr, size_t size)
{
	struct ec_block block;

	(void)size;
	if (ptr && ec_block_take(ptr, &block))
		give_back(&block);
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
	int64_t moved;

	if (!ptr || !is_node(newnode) || !ec_block_find(ptr, &block) ||
	    block.base != ptr || own_pages(block.size) == 0) {
		errno = EINVAL;
		return -1;
	}
	moved = cxlm_migrate(ptr, own_pages(block.size), newnode, CXLM_STRICT);
	/* What has moved stays moved, even if not all has. */
	ec_block_set_moved(ptr, moved < 0 ? block.node : newnode);
	return moved < 0 ? -1 : 0;
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
