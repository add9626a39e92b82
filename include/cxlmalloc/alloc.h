/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc - blocks on a tier or on nodes
 *
 * A tier is CXLM_TIER_DDR, CXLM_TIER_CXL or CXLM_TIER_POLICY. What the operator
 * has set holds: limits, order, nodes, on_full (cxlmalloc.conf(5)). Pages come
 * when they are touched, as with malloc.
 *
 * flags of all functions here:
 *   0            the tier is preferred: when it has no room the policy's order
 *                goes on, as for malloc
 *   CXLM_STRICT  there or nowhere: beyond the limit or what its nodes have free it
 *                is refused, also where on_full lets malloc go on
 *
 * errno of all functions that return a block, which is NULL then:
 *   ENOMEM   no room: by the limit, in the nodes, of addresses; or the size is
 *            beyond PTRDIFF_MAX, or a product overflows
 *   EINVAL   not a tier, an unknown flag, an alignment that is no power of two;
 *            CXLM_STRICT with CXLM_TIER_POLICY, or no block to move
 *   ENOTSUP  with CXLM_STRICT: the process is not tiered, or its order= leaves
 *            that tier out; for nodes: see there
 *
 * A size of 0 gives a block of the smallest size, to be freed like others.
 */
#ifndef CXLMALLOC_ALLOC_H
#define CXLMALLOC_ALLOC_H

#include "../cxlmalloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CXLM_STRICT	2

/* cxlm_malloc - size bytes of a tier; aligned as malloc's are */
void *cxlm_malloc(int tier, size_t size, int flags);

/* cxlm_calloc - nr times size bytes of a tier, all zero */
void *cxlm_calloc(int tier, size_t nr, size_t size, int flags);

/* cxlm_aligned_alloc - as cxlm_malloc, at a multiple of alignment, a power of two */
void *cxlm_aligned_alloc(int tier, size_t alignment, size_t size, int flags);

/*
 * cxlm_realloc - another size, where the block is: its tier, its nodes, its pool
 *
 * p        any block that cxlm_free takes; NULL: cxlm_malloc(CXLM_TIER_POLICY)
 * size     0: p is freed, and NULL returned without an error, as glibc does
 * returns  the block, perhaps at another address; or NULL with errno, and p is
 *          as it was. A tier without room is left for another as with realloc;
 *          a pool is not.
 * Under libcxlmem alone a block of malloc's becomes one of libcxlmem's: from then
 * on it is cxlm_free's.
 */
void *cxlm_realloc(void *p, size_t size);

/*
 * cxlm_realloc_to - another size and another tier
 *
 * As cxlm_realloc, but the result is on the tier: a block that is there keeps
 * its address if it can, any other (also a pool's) is copied and freed. With
 * flags 0 and no room there the block may end up on another tier.
 */
void *cxlm_realloc_to(void *p, int tier, size_t size, int flags);

/*
 * cxlm_free - give back any block of this header, of a pool, or of malloc's
 *
 * p may be NULL. errno is kept. From any thread, whoever allocated it.
 */
void cxlm_free(void *p);

/*
 * cxlm_usable_size - bytes that may be used of a block, at least those asked for
 *
 * returns  0 for NULL
 */
size_t cxlm_usable_size(const void *p);

/*
 * cxlm_malloc_node - size bytes on one NUMA node
 *
 * node     as the kernel numbers it. Its tier (cxlm_node_info) is charged, and
 *          that tier's limit holds.
 * flags    CXLM_STRICT: pages are on the node or not at all; 0: on others when
 *          it is full
 * errno also:
 *          EINVAL   there is no such node, or it has no memory
 *          EPERM    the process may not use it (cpuset), no tier has it, or mbind
 *                   is refused (seccomp)
 *          ENOTSUP  the process is not tiered, or its order= leaves the node's
 *                   tier out
 *          ENOSPC   too many sets of nodes and pools (255)
 * The block is of the process's own pool of that node, see cxlm_node_pool: such
 * blocks have no thread's cache as small ones of a tier do, and cost more.
 */
void *cxlm_malloc_node(int node, size_t size, int flags);

/*
 * cxlm_malloc_nodes - the same on a set of nodes
 *
 * nodes    a bit for each node, as mbind(2) takes it: maxnode bits in longs.
 *          All have to be of one tier.
 * errno    also EINVAL: none, or nodes of several tiers
 * flags 0 lets pages go to other nodes when those are full. Which of the set is
 * taken first is the kernel's choice: the nearest to the CPU that touches a page.
 */
void *cxlm_malloc_nodes(const unsigned long *nodes, unsigned long maxnode,
			size_t size, int flags);

#ifdef __cplusplus
}
#endif

#endif
