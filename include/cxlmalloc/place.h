/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place - where pages are, as the kernel says, and putting them elsewhere
 *
 * Ranges may be any memory of the process, not only of this library; their ends
 * are rounded: questions to the pages they touch, changes to the pages that lie
 * in them whole. A tier that is emulated has the same nodes as the other: its
 * pages count as where they should be, and nothing moves.
 */
#ifndef CXLMALLOC_PLACE_H
#define CXLMALLOC_PLACE_H

#include "../cxlmalloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * cxlm_node_of - the node that has the page at an address
 *
 * returns  the node, or -1 with errno:
 *          ENOENT  no page is there: never touched or only read, or swapped out
 *          EFAULT  nothing is mapped there
 *          EPERM   the kernel does not say (seccomp refuses move_pages)
 *          ENOSYS  the kernel has no NUMA
 */
int cxlm_node_of(const void *p);

/*
 * cxlm_resident - how much of a range is on which node
 *
 * bytes    bytes[i] is set to the bytes on node i, for i below nr; may be NULL
 * returns  the bytes that have pages, on any node; or -1 with errno as
 *          cxlm_node_of but for ENOENT, and EINVAL: len wraps round
 */
int64_t cxlm_resident(const void *p, size_t len, uint64_t *bytes, unsigned nr);

/*
 * cxlm_migrate - move the pages of a range to a tier's nodes; addresses stay
 *
 * tier     CXLM_TIER_DDR or CXLM_TIER_CXL
 * flags    0, or CXLM_STRICT: all of it, or an error; what moved stays moved
 * returns  bytes of the range's pages that are on the tier's nodes now; or -1
 *          with errno:
 *          EINVAL   not a tier, an unknown flag, len wraps round
 *          ENOMEM   with CXLM_STRICT: not all could be moved (no room there, or
 *                   pages are pinned)
 *          EFAULT   nothing is mapped there
 *          EPERM    move_pages is refused (seccomp), or the nodes (cpuset)
 *          ENODEV   the tier has no node now, or the process is not tiered
 * Pages that do not exist are not made; a huge page that the range ends in is
 * split. What is moved still counts as used by the tier its address is of (and as
 * misplaced there), and pages that come back from swap follow the address;
 * cxlm_move makes a change for good. Freeing a block of 16 KiB or more (aarch64:
 * 256 KiB) gives moved pages back to the kernel, and realloc copies it to pages
 * of its tier; smaller blocks share their pages with others.
 */
int64_t cxlm_migrate(void *p, size_t len, int tier, int flags);

/* cxlm_migrate_node - the same to one node; EINVAL also: there is no such node */
int64_t cxlm_migrate_node(void *p, size_t len, int node, int flags);

/*
 * cxlm_move - move a block to another tier, and to another address
 *
 * returns  the block's new address, its contents copied and the old one freed;
 *          p itself if it is there already (a pool's block is not: it leaves
 *          the pool); or NULL with errno as cxlm_malloc, and p is as it was.
 *          With flags 0 it may end up elsewhere, like cxlm_malloc.
 */
void *cxlm_move(void *p, int tier, int flags);

/*
 * cxlm_populate - have all pages of a range now rather than at first touch
 *
 * The pages keep their contents; new ones are zero.
 * returns  0, or -1 with errno:
 *          EINVAL   len wraps round
 *          ENOMEM   not all is mapped, or there is no memory
 *          EFAULT   a page may not be written to, or has failed
 *          ENOSYS   the kernel is older than 5.14
 */
int cxlm_populate(void *p, size_t len);

enum cxlm_advice {
	CXLM_HOT,	/* used often from now on: to DDR, as far as it has room */
	CXLM_COLD,	/* seldom: to CXL; first to go under memory pressure */
	CXLM_WILLNEED	/* soon: back from swap, in the background */
};

/*
 * cxlm_advise - what is known of a range's use
 *
 * Advice is taken as far as it can be: that pages could not be moved is no error.
 * returns  0, or -1 with errno:
 *          EINVAL  no such advice, len wraps round
 *          ENOMEM  not all is mapped
 */
int cxlm_advise(void *p, size_t len, int advice);

#ifdef __cplusplus
}
#endif

#endif
