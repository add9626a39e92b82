/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place - the nodes a pool's memory is on, which may change while it is used
 *
 * Hooks bind every new range as the place says at that moment; when it
 * changes (a node appears, goes, is drained, comes back into the cpuset) the
 * ranges that exist are bound anew. No page moves by that: what was touched
 * stays where it is until the kernel or a drain moves it, and comes back to
 * the new nodes when it is purged or swapped.
 *
 * Synchronization
 *   seq, word[]  a sequence lock: written by one thread at a time
 *                (entry/nodes.c; fork waits for it to be done), read
 *                by hooks, which retry
 *   grouped, may_bind  as word[], for hooks that have no time to read all
 *   denied       hooks, atomic: mbind was refused once and is not tried again
 *   rebind_due   hooks set it when the kernel could not bind (a cpuset
 *                excludes the nodes); entry/nodes.c tries again
 */
#ifndef CM_POOL_PLACE_H
#define CM_POOL_PLACE_H

#include <stdatomic.h>

#include "base/report.h"
#include "base/settings.h"
#include "sys/sys.h"

struct cm_pool;

struct cm_place {
	int binding;			/* enum cm_binding */
	int mode;			/* CM_MPOL_*, flags included */
	struct cm_nodeset nodes;	/* bound to these */
	struct cm_nodeset reach;	/* where its pages may come to lie */
	struct cm_nodeset home;		/* elsewhere they count as misplaced */
	struct cm_node_weights weights;	/* two or more: pieces by these */
	unsigned nr_groups;		/* 0: nodes are taken one by one */
	struct cm_group group[CM_MAX_GROUPS];	/* see room.group */
};

#define CM_PLACE_WORDS	(sizeof(struct cm_place) / sizeof(unsigned long))

struct cm_place_shared {
	_Atomic unsigned seq;
	_Atomic unsigned long word[CM_PLACE_WORDS];
	_Atomic bool denied;
	_Atomic bool grouped;	/* the place has more than one group */
	_Atomic bool may_bind;	/* its nodes matter: not ordinary memory */
	_Atomic bool rebind_due;
};

/* The beginning of a struct cm_place. */
struct cm_place_nodes {
	int binding, mode;
	struct cm_nodeset nodes, reach;
};

_Static_assert(offsetof(struct cm_place_nodes, reach) ==
		       offsetof(struct cm_place, reach),
	       "its beginning");

/* As it is now; binding is CM_BINDING_DENIED once mbind was refused. */
void cm_place_get(struct cm_place_shared *shared, struct cm_place *place);

/*
 * The part that a map needs, for signal handlers: little, and false when it is
 * being changed, maybe by whom the signal interrupted.
 */
bool cm_place_try(struct cm_place_shared *shared, struct cm_place_nodes *place);

/* One writer at a time. */
void cm_place_set(struct cm_place_shared *shared, const struct cm_place *place);

/* Bind a range as the place says. For hooks: no lock, no allocation. */
void cm_place_bind(struct cm_pool *pool, void *at, size_t size);

/* The same by a place that the caller has read. */
void cm_place_bind_as(struct cm_pool *pool, const struct cm_place *place,
		      uintptr_t at, size_t size);

/* A range to one node of the place, whatever its weights and groups. */
void cm_place_bind_node(struct cm_pool *pool, const struct cm_place *place,
			unsigned node, uintptr_t at, size_t size);
/*
 * Bind a map of the program's, which may be gone already: what the kernel says
 * of it counts only where it says something of the nodes. For signal handlers
 * too. False: this pool binds nothing.
 */
#define CM_MAP_MAY_SPILL	1u	/* to other nodes, whatever the mode */
#define CM_MAP_IS_FILLED	2u	/* its pages are there: move them */

bool cm_place_bind_map(struct cm_pool *pool, void *at, size_t size,
		       unsigned how);

/* Bind every range the pool has. Reads /proc/self/maps. */
void cm_place_rebind(struct cm_pool *pool);

static inline bool cm_place_is_strict(const struct cm_place *place)
{
	return (place->mode & ~CM_MPOL_F_STATIC_NODES) == CM_MPOL_BIND;
}

static inline bool cm_place_is_bound(const struct cm_place *place)
{
	return place->binding == CM_BINDING_STRICT ||
	       place->binding == CM_BINDING_PREFERRED;
}

#endif
