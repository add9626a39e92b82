/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * site - who called, where that decides the tier
 *
 * With rules, thread overrides or a profile malloc's route is cm_site_malloc,
 * which finds malloc's return address: malloc jumps there. Entry points that do
 * more than jump test cm_site_matters() and hand their own return address over.
 * Without any of them that test is all there is.
 *
 * What a return address means is found once (its module, perhaps its symbol,
 * the first rule that matches) and kept in a table of words, see entry/site.c.
 *
 * Synchronization: the table's words are atomic, each complete in itself. A
 * thread's own override is its own. Nothing here takes a lock or allocates, and
 * no lock of the loader is taken.
 */
#ifndef CM_ENTRY_SITE_H
#define CM_ENTRY_SITE_H

#include <stdlib.h>

#include "base/compiler.h"
#include "base/state.h"
#include "entry/slow.h"

/* In the exported function itself: the code its caller goes on with. */
#define CM_CALLER	__builtin_return_address(0)

static inline bool cm_site_matters(void)
{
	return atomic_load_explicit(&cm_fast.sites, memory_order_relaxed);
}

/* Once the library has started: if there are rules, callers matter. */
void cm_site_begin(void);

/* At a look: threads read their names again. */
void cm_site_look(void);

/*
 * Around a dlclose: what addresses meant is found anew, as long as it goes on
 * each time.
 */
void cm_site_closing(void);
void cm_site_closed(void);
void cm_site_fork_child(void);

/* malloc's route; only malloc may jump here. */
void *cm_site_malloc(size_t size);

/* Any allocation, by who called for it. alignment: 0 for malloc's. */
void *cm_site_alloc(size_t size, size_t alignment, bool zero, const void *site);

/*
 * Of a tier that the policy uses, whoever calls; only: of no other when it is
 * full.
 */
void *cm_site_alloc_as(enum cm_tier tier, bool only, size_t size,
		       size_t alignment, bool zero);
void *cm_site_realloc_as(enum cm_tier tier, bool only, void *p, size_t size);

/*
 * A block stays in its tier while that has room; a rule for who resizes it keeps
 * sizes and turns out of it.
 */
void *cm_site_realloc(void *p, size_t size, const void *site);

/* malloc for an entry point that is not malloc. */
static inline void *cm_site_malloc_for(size_t size, const void *site)
{
	if (unlikely(cm_site_matters()))
		return cm_site_alloc(size, 0, false, site);
	return malloc(size);
}

/*
 * jemalloc's small size classes lie at multiples of themselves in slabs that
 * begin with a page, and the class of a multiple of the alignment is one too
 * (its sz_sa2u relies on it). So small blocks have malloc's fast path, once
 * that leads to jemalloc.
 */
static inline size_t cm_aligned_size(size_t size, size_t alignment)
{
	size_t rounded = ((size ? size : 1) + alignment - 1) & -alignment;

	return alignment <= CM_JE_FAST_MAX && rounded <= CM_JE_SLAB_MAX &&
			       size <= rounded ?
		       rounded :
		       0;
}

static inline void *cm_aligned_alloc(size_t size, size_t alignment,
				     const void *site)
{
	size_t rounded = cm_aligned_size(size, alignment);
	cm_malloc_fn *route = atomic_load_explicit(&cm_fast.malloc,
						   memory_order_relaxed);

	if (unlikely(cm_site_matters()))
		return cm_site_alloc(size, alignment, false, site);
	if (likely(rounded && route != cm_slow_malloc))
		return malloc(rounded);
	return cm_slow_alloc(size, alignment, false);
}

/*
 * The tier of this thread's allocations that no rule for their caller decides:
 * tier, or -1 for the policy's choice. inherit: threads it makes begin with it.
 * False: the process has no such tier in use.
 */
bool cm_site_set_thread(int tier, bool inherit);

/*
 * The same from here on until cm_site_pop, ahead of the other; 0 or -errno:
 * -ENOTSUP: as above; -ENOSPC: too deep; -EINVAL: no scope to end.
 */
#define CM_SITE_SCOPES	32

int cm_site_push(int tier);
int cm_site_pop(void);

/* What a thread leaves to those it makes; all 0: nothing. Tiers + 1. */
struct cm_heritage {
	uint8_t own;		/* by cxlm_thread_tier, inherited further */
	uint8_t inherited;	/* by thread.inherit */
};

struct cm_heritage cm_site_bequeath(void);
void cm_site_inherit(struct cm_heritage heritage);

#endif
