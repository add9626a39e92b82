/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nodeset.h"
#include "pool/mixed.h"
#include "pool/own.h"
#include "pool/piece.h"
#include "pool/pool.h"
#include "sys/file.h"

_Static_assert(sizeof(struct cm_place) % sizeof(unsigned long) == 0,
	       "copied by words");

/* Word by word to where it goes: stacks are small, a place is not. */
static void copy_out(struct cm_place_shared *shared, void *to, size_t size)
{
	for (size_t i = 0; i < size / sizeof(unsigned long); i++) {
		unsigned long word = atomic_load_explicit(&shared->word[i],
							  memory_order_relaxed);

		memcpy((char *)to + i * sizeof(word), &word, sizeof(word));
	}
}

void cm_place_get(struct cm_place_shared *shared, struct cm_place *place)
{
	unsigned seq;

	do {
		while ((seq = atomic_load_explicit(&shared->seq,
						   memory_order_acquire)) &
		       1)
			;	/* the writer only copies */
		copy_out(shared, place, sizeof(*place));
		atomic_thread_fence(memory_order_acquire);
	} while (atomic_load_explicit(&shared->seq, memory_order_relaxed) !=
		 seq);
	if (atomic_load_explicit(&shared->denied, memory_order_relaxed) &&
	    cm_place_is_bound(place))
		place->binding = CM_BINDING_DENIED;
}

bool cm_place_try(struct cm_place_shared *shared, struct cm_place_nodes *place)
{
	unsigned seq = atomic_load_explicit(&shared->seq, memory_order_acquire);

	copy_out(shared, place, sizeof(*place));
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&shared->denied, memory_order_relaxed) &&
	    (place->binding == CM_BINDING_STRICT ||
	     place->binding == CM_BINDING_PREFERRED))
		place->binding = CM_BINDING_DENIED;
	return !(seq & 1) &&
	       atomic_load_explicit(&shared->seq, memory_order_relaxed) == seq;
}

void cm_place_set(struct cm_place_shared *shared, const struct cm_place *place)
{
	atomic_fetch_add_explicit(&shared->seq, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < CM_PLACE_WORDS; i++) {
		unsigned long word;

		memcpy(&word, (const char *)place + i * sizeof(word),
		       sizeof(word));
		atomic_store_explicit(&shared->word[i], word,
				      memory_order_relaxed);
	}
	atomic_store_explicit(&shared->grouped, place->nr_groups > 1,
			      memory_order_relaxed);
	atomic_store(&shared->may_bind,
		     place->binding != CM_BINDING_NONE &&
			     place->binding != CM_BINDING_EMULATED);
	atomic_fetch_add_explicit(&shared->seq, 1, memory_order_release);
}

#define PREFERRED	(CM_MPOL_PREFERRED_MANY | CM_MPOL_F_STATIC_NODES)

static int try_to_bind(struct cm_pool *pool, int mode,
		       const struct cm_nodeset *nodes, uintptr_t at,
		       size_t size)
{
	int err = pool->sys->bind((void *)at, size, mode, nodes);

	/* Before 5.15 there is no PREFERRED_MANY: the first node must do. */
	if (err == -EINVAL && mode == PREFERRED)
		err = pool->sys->bind(
			(void *)at, size,
			CM_MPOL_PREFERRED | CM_MPOL_F_STATIC_NODES, nodes);
	return err;
}

static void bind_to(struct cm_pool *pool, int mode,
		    const struct cm_nodeset *nodes, uintptr_t at, size_t size)
{
	int err = try_to_bind(pool, mode, nodes, at, size);

	/* A kernel or seccomp filter that refuses will go on refusing. */
	if (err == -EPERM || err == -ENOSYS)
		atomic_store_explicit(&pool->place.denied, true,
				      memory_order_relaxed);
	else if (err)
		atomic_store_explicit(&pool->place.rebind_due, true,
				      memory_order_relaxed);
}

void cm_place_bind_node(struct cm_pool *pool, const struct cm_place *place,
			unsigned node, uintptr_t at, size_t size)
{
	struct cm_nodeset nodes;

	cm_nodeset_zero(&nodes);
	cm_nodeset_set(&nodes, node);
	bind_to(pool, place->mode, &nodes, at, size);
}

/* Piece by piece of the tier's window. */
static void bind_weighted(struct cm_pool *pool, const struct cm_place *place,
			  uintptr_t at, size_t size)
{
	const struct cm_chunks chunks = cm_piece_tier(pool->tier);
	uintptr_t base = cm_window_of(pool->tier).base, end = at + size;

	while (at < end) {
		struct cm_chunk piece = cm_chunk_at(chunks, at - base);
		uintptr_t to = base + piece.start + piece.size;

		if (to > end)
			to = end;
		cm_place_bind_node(pool, place,
				   cm_chunk_node(piece.index, &place->weights),
				   at, to - at);
		at = to;
	}
}

/* The group that has room; all nodes when none has for it alone. */
static void bind_grouped(struct cm_pool *pool, const struct cm_place *place,
			 uintptr_t at, size_t size)
{
	unsigned g = atomic_load_explicit(&pool->room.group,
					  memory_order_relaxed);
	const struct cm_nodeset *nodes = g < place->nr_groups ?
						 &place->group[g].nodes :
						 &place->nodes;

	if (cm_nodeset_empty(nodes))
		nodes = &place->nodes;
	bind_to(pool,
		nodes != &place->nodes && cm_nodeset_weight(nodes) > 1 ?
			CM_MPOL_INTERLEAVE | CM_MPOL_F_STATIC_NODES :
			place->mode,
		nodes, at, size);
}

static void bind(struct cm_pool *pool, const struct cm_place *place,
		 uintptr_t at, size_t size)
{
	/* Its own nodes are gone or drained: to those that remain. */
	if (place->binding == CM_BINDING_OFFLINE)
		bind_to(pool, place->mode, &place->reach, at, size);
	else if (place->weights.nr > 1 && cm_window_has(pool->tier, (void *)at))
		bind_weighted(pool, place, at, size);
	else if (place->nr_groups)
		bind_grouped(pool, place, at, size);
	else
		bind_to(pool, place->mode, &place->nodes, at, size);
}

/*
 * A strict tier without a node takes nothing new; a preferred one goes on with
 * the others, if any are known.
 */
static bool is_to_bind(const struct cm_place *place)
{
	return cm_place_is_bound(place) ||
	       (place->binding == CM_BINDING_OFFLINE &&
		!cm_place_is_strict(place) && !cm_nodeset_empty(&place->reach));
}

void cm_place_bind_as(struct cm_pool *pool, const struct cm_place *place,
		      uintptr_t at, size_t size)
{
	if (is_to_bind(place))
		bind(pool, place, at, size);
}

void cm_place_bind(struct cm_pool *pool, void *at, size_t size)
{
	struct cm_place place;
	unsigned seq;

	/*
	 * Whoever changes the place binds what is mapped by then; a range
	 * mapped before and bound after that would keep the old nodes.
	 */
	do {
		seq = atomic_load(&pool->place.seq);
		if (!atomic_load(&pool->place.may_bind))
			continue;
		cm_place_get(&pool->place, &place);
		cm_place_bind_as(pool, &place, (uintptr_t)at, size);
	} while (atomic_load(&pool->place.seq) != seq);
}

/* As is_to_bind has it. */
static bool is_to_bind_map(const struct cm_place_nodes *place)
{
	return place->binding == CM_BINDING_STRICT ||
	       place->binding == CM_BINDING_PREFERRED ||
	       (place->binding == CM_BINDING_OFFLINE &&
		place->mode == PREFERRED && !cm_nodeset_empty(&place->reach));
}

bool cm_place_bind_map(struct cm_pool *pool, void *at, size_t size,
		       unsigned how)
{
	struct cm_place_nodes place;
	const struct cm_nodeset *nodes;
	int err, mode;

	for (int i = 0; i < 8; i++) {
		unsigned seq = atomic_load(&pool->place.seq);

		if (!cm_place_try(&pool->place, &place))
			continue;
		if (!is_to_bind_map(&place))
			return false;
		nodes = place.binding == CM_BINDING_OFFLINE ? &place.reach :
							      &place.nodes;
		mode = how & CM_MAP_MAY_SPILL ? PREFERRED : place.mode;
		err = try_to_bind(pool, mode, nodes, (uintptr_t)at, size);
		if (err == 0 && how & CM_MAP_IS_FILLED)
			(void)cm_sys_bind_moving(at, size, mode, nodes);
		if (err == -EPERM || err == -ENOSYS)
			atomic_store_explicit(&pool->place.denied, true,
					      memory_order_relaxed);
		else if (err == -EINVAL)
			break;
		if (atomic_load(&pool->place.seq) == seq)
			return true;
	}
	/* Its nodes are excluded, or we interrupted who changes the place. */
	atomic_store_explicit(&pool->place.rebind_due, true,
			      memory_order_relaxed);
	return true;
}

struct rebind {
	struct cm_pool *pool;
	struct cm_place place;
	struct cm_window window;
};

/* proc(5): "7f00-7f80 rw-p ..." */
static int rebind_line(char *line, void *arg)
{
	struct rebind *r = arg;
	char *s;
	uintptr_t start = strtoul(line, &s, 16);
	uintptr_t end = *s == '-' ? strtoul(s + 1, NULL, 16) : 0;

	if (start - r->window.base < r->window.size && end > start &&
	    end - r->window.base <= r->window.size)
		bind(r->pool, &r->place, start, end - start);
	else if (cm_mixed_has((void *)start) && end > start &&
		 cm_mixed_has((void *)(end - 1)))
		cm_mixed_rebind(start, end);
	else if (cm_own_has((void *)start) && end > start &&
		 cm_own_has((void *)(end - 1)))
		cm_own_rebind(start, end);
	return 0;
}

void cm_place_rebind(struct cm_pool *pool)
{
	/* Too large for a small stack; whoever changes the place is alone. */
	static struct rebind r;
	char text[512];

	r.pool = pool;
	r.window = cm_window_of(pool->tier);
	atomic_store_explicit(&pool->place.rebind_due, false,
			      memory_order_relaxed);
	cm_place_get(&pool->place, &r.place);
	if (is_to_bind(&r.place))
		(void)cm_file_lines("/proc/self/maps", text, sizeof(text),
				    rebind_line, &r);
}
