/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own - pools that the program makes: nodes, a limit and a policy of their own
 *
 * Each is an arena of the DDR instance with hooks of its own (own_hooks.c),
 * reached by mallocx alone, in a fourth window of addresses. The window is cut
 * into segments, each of one pool, so an address tells its pool. No thread's own
 * cache may hold such a block: jemalloc would hand it out to the next malloc.
 * They have caches of the pool's (own_cache.c).
 * So with such pools free compares addresses (cm_block_route), and finds their
 * blocks in no tier's window.
 *
 * What is committed counts towards the pool's own limit and, by the nodes it is
 * for, towards a tier's or both, whose limits hold.
 *
 * Synchronization
 *   cm_own[]     a slot is made and ended under cm_arena_lock (cm_arena_hold);
 *                its constant part is written before state is LIVE (release)
 *   state        atomic; who uses a pool that another thread destroys has lost
 *   owner[]      own_hooks.c: compare and swap, a segment at a time
 *   next         hooks, compare and swap
 *   used         hooks, atomic add
 *   nr_active    jemalloc's, gone with the arena: read under cm_arena_lock
 *   arena        purged and decayed by others under cm_arena_lock
 */
#ifndef CM_POOL_OWN_H
#define CM_POOL_OWN_H

#include "pool/mixed.h"
#include "pool/pool.h"

#define CM_MAX_OWN		255
#define CM_OWN_NAME_MAX		32	/* with the NUL */
#define CM_OWN_CACHES		8
#define CM_OWN_MAX_NODES	64	/* of a pool that lies on both tiers */

enum cm_own_policy {
	CM_OWN_BIND,
	CM_OWN_PREFERRED,
	CM_OWN_INTERLEAVE,
};

enum cm_own_state {
	CM_OWN_NONE,
	CM_OWN_LIVE,
	CM_OWN_ENDING,
};

struct cm_own_attr {
	enum cm_own_policy policy;
	bool follows;			/* tier's nodes, whichever those are */
	enum cm_tier tier;
	struct cm_nodeset nodes;	/* else these */
	uint64_t limit;
	bool shared;			/* found again, never ended */
	char name[CM_OWN_NAME_MAX];
};

struct cm_own {
	/* First: its hooks are those of own_hooks.c, its limit, used and peak
	 * the pool's; its place that of nodes it is bound to strictly. */
	struct cm_pool pool;
	_Atomic int state;
	struct cm_own_attr attr;	/* both: tier is the first node's */
	bool both;			/* nodes of both tiers */
	unsigned nr_nodes;		/* both: page i is on node i % nr_nodes */
	uint64_t is_cxl;		/* a bit for each of these */
	unsigned arena;			/* jemalloc's, in the DDR instance */
	const size_t *nr_active;
	_Atomic uintptr_t next;
	_Atomic uint64_t used[CM_NR_TIERS];
	_Atomic unsigned cache[CM_OWN_CACHES];	/* own_cache.c: id + 1 */
	_Atomic unsigned nr_caches;
};

extern struct cm_own cm_own[CM_MAX_OWN] CM_HIDDEN;
extern _Atomic unsigned cm_nr_own CM_HIDDEN;	/* slots used so far */

/*
 * Make one, or find a shared one that is the same. 0 or -errno, as
 * cxlm_pool_create says.
 */
int cm_own_make(const struct cm_own_attr *attr, struct cm_own **own);

/* The end of its blocks; of itself too, or it stays and is empty. */
int cm_own_end(struct cm_own *own, bool itself);

/* NULL: there is no room. flags are mallocx's alignment and CM_JE_ZERO. */
void *cm_own_alloc(struct cm_own *own, size_t size, int flags);

/* A block of the window's. */
void cm_own_free(void *p);

/* NULL leaves the block as it was. */
void *cm_own_realloc(void *p, size_t size);

/* The pool of an address in the window, or NULL. */
struct cm_own *cm_own_of(const void *p);

/* The tier of the page at an address of it. */
enum cm_tier cm_own_tier_at(const struct cm_own *own, const void *p);

/* Bytes of pages that hold blocks, of one pool; a tier's part of all. */
uint64_t cm_own_active(struct cm_own *own);
uint64_t cm_own_in_use(enum cm_tier tier);

/* A tier's blocks, for a report: bytes, and how often; jemalloc's statistics. */
struct cm_own_blocks {
	uint64_t in_use, made, freed;
};

void cm_own_blocks(enum cm_tier tier, struct cm_own_blocks *blocks);

/* As cm_mixed_part: of the pages of the kernel's mapping that begins at p. */
struct cm_part cm_own_part(const void *p, enum cm_tier tier, unsigned node);

/* "arena.0.purge" or "arena.0.decay" of all of them. */
void cm_own_each(const char *ctl);

/* own_cache.c: jemalloc's caches, one at a time; 0: none */
unsigned cm_own_cache_take(struct cm_own *own);
void cm_own_cache_put(struct cm_own *own, unsigned cache);
bool cm_own_cache_flush(struct cm_own *own);	/* was there one? */
void cm_own_cache_end(struct cm_own *own);

/* own_hooks.c */
extern const struct cm_extent_hooks cm_own_hooks;

bool cm_own_bind(struct cm_own *own, uintptr_t at, size_t size);
void cm_own_rebind(uintptr_t start, uintptr_t end);
void cm_own_no_huge_pages(void);
void cm_own_forget(struct cm_own *own);	/* its segments and charges */

/* Can the kernel bind so here? 0 or -errno. */
int cm_own_try_to_bind(struct cm_own *own);

#endif
