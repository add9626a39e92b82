/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - pools that a program makes: nodes, a limit, a policy, an end
 *
 * A pool's blocks lie in pages of its own. Its limit counts committed bytes, in
 * pages, as a tier's does; what a pool uses also counts towards the tier (or
 * tiers) its nodes are of, whose limits hold. Blocks are freed by cxlm_free
 * (under libcxlmalloc.so free does it too), or all at once with their pool.
 * A block costs some hundred instructions more than one of a tier.
 */
#ifndef CXLMALLOC_POOL_H
#define CXLMALLOC_POOL_H

#include "../cxlmalloc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cxlm_pool cxlm_pool;

enum cxlm_pool_policy {
	CXLM_POOL_BIND,		/* on the nodes or not at all */
	CXLM_POOL_PREFERRED,	/* on others when they are full */
	CXLM_POOL_INTERLEAVE	/* page by page on all of them in turn */
};

struct cxlm_pool_attr {
	size_t size;		/* in: sizeof(struct cxlm_pool_attr) */
	int tier;		/* the tier whose nodes it has, and follows when
				 * they change; CXLM_TIER_POLICY: nodes */
	int policy;		/* enum cxlm_pool_policy */
	const unsigned long *nodes;	/* as mbind(2) takes them */
	unsigned long maxnode;
	uint64_t limit;		/* bytes; 0 or CXLM_NO_LIMIT: none of its own */
	const char *name;	/* for reports, up to 31 bytes; or NULL */
};

struct cxlm_pool_stat {
	size_t size;		/* in: sizeof(struct cxlm_pool_stat) */
	uint64_t used;		/* bytes committed now */
	uint64_t limit;		/* or CXLM_NO_LIMIT */
	uint64_t peak;		/* the highest used so far */
	uint64_t in_use;	/* bytes in pages that hold blocks, or small ones
				 * kept free for the next */
	int tier;		/* whose nodes; -1: of several */
	int policy;
	char name[32];
};

/*
 * cxlm_pool_create - a new pool
 *
 * attr     what is not set (0, NULL) has the default: DDR's nodes, bound
 * returns  the pool, or NULL with errno:
 *          EINVAL   attr is NULL, its size too small; not a tier, not a policy;
 *                   no nodes, unknown ones or without memory; nodes of both
 *                   tiers without CXLM_POOL_INTERLEAVE; a name that is too long
 *          EPERM    the process may not use the nodes, no tier has them, or mbind
 *                   is refused
 *          ENOTSUP  the process is not tiered, or its order= leaves the tier out
 *          ENOSPC   255 there are (cxlm_node_pool's among them)
 *          ENOMEM   no memory for its tables
 * A tier that is emulated (one node) has pools as well: of its budget, bound to
 * nothing.
 */
cxlm_pool *cxlm_pool_create(const struct cxlm_pool_attr *attr);

/*
 * cxlm_pool_destroy - the end of a pool and of all its blocks
 *
 * No thread may use the pool or a block of it, now or later: its addresses are
 * unmapped. Its memory is the kernel's again when the call returns.
 * returns  0, or -1 with errno EINVAL: not a pool, or one of cxlm_node_pool
 */
int cxlm_pool_destroy(cxlm_pool *pool);

/*
 * cxlm_pool_reset - the end of all its blocks; the pool stays, and is empty
 *
 * As cxlm_pool_destroy; free pages go back to the kernel.
 * returns  0, or -1 with errno EINVAL: not a pool
 */
int cxlm_pool_reset(cxlm_pool *pool);

/*
 * cxlm_pool_malloc, cxlm_pool_calloc, cxlm_pool_aligned_alloc - a block of a pool
 *
 * As their namesakes in alloc.h.
 * returns  the block, or NULL with errno:
 *          ENOMEM   the pool's limit, its tier's, or the nodes have no room; the
 *                   size is beyond PTRDIFF_MAX
 *          EINVAL   not a pool; an alignment that is no power of two
 */
void *cxlm_pool_malloc(cxlm_pool *pool, size_t size);
void *cxlm_pool_calloc(cxlm_pool *pool, size_t nr, size_t size);
void *cxlm_pool_aligned_alloc(cxlm_pool *pool, size_t alignment, size_t size);

/* cxlm_pool_of - the pool an address is of; NULL: of none */
cxlm_pool *cxlm_pool_of(const void *p);

/*
 * cxlm_pool_stat - what a pool holds
 *
 * stat     stat->size set by the caller
 * returns  0, or -1 with errno EINVAL: not a pool, stat is NULL or too small
 */
int cxlm_pool_stat(cxlm_pool *pool, struct cxlm_pool_stat *stat);

/*
 * cxlm_pool_set_limit - another limit; 0 or CXLM_NO_LIMIT: none
 *
 * One below what is used stops the pool from growing; nothing is moved or freed.
 * returns  0, or -1 with errno EINVAL: not a pool
 */
int cxlm_pool_set_limit(cxlm_pool *pool, uint64_t limit);

/*
 * cxlm_node_pool - the process's own pool of these nodes, shared by all who ask
 *
 * nodes, maxnode   as cxlm_malloc_nodes
 * flags    0 or CXLM_STRICT
 * returns  the pool, made by the first call and never destroyed; or NULL with
 *          errno as cxlm_malloc_nodes
 */
cxlm_pool *cxlm_node_pool(const unsigned long *nodes, unsigned long maxnode,
			  int flags);

#ifdef __cplusplus
}
#endif

#endif
