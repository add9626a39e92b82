/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "base/nodeset.h"
#include "pool/arena.h"
#include "pool/full.h"
#include "pool/mixed.h"
#include "pool/piece.h"
#include "pool/pool.h"
#include "pool/thread.h"
#include "topology/weights.h"

#define ddr_pool (&cm_pool[CM_TIER_DDR])

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit((_Atomic uint64_t *)value,
				    memory_order_relaxed);
}

static unsigned nr_now(void)
{
	return atomic_load_explicit(&cm_nr_mixed, memory_order_acquire);
}

static unsigned common_factor(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static void wanted(struct cm_mixed *m, const struct cm_policy_snapshot *policy)
{
	const unsigned *weight = policy->weight;
	unsigned by = common_factor(weight[CM_TIER_DDR], weight[CM_TIER_CXL]);

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		m->weight[t] = weight[t] / by;
	m->nodes = policy->nodes;
}

static struct cm_mixed *find(const struct cm_mixed *like)
{
	unsigned nr = nr_now();

	for (unsigned i = 0; i < nr; i++)
		if (!memcmp(cm_mixed[i].weight, like->weight,
			    sizeof(like->weight)) &&
		    !memcmp(&cm_mixed[i].nodes, &like->nodes,
			    sizeof(like->nodes)))
			return &cm_mixed[i];
	return NULL;
}

/* A kernel before 6.9 knows no such policy: tried at the window's end. */
static bool kernel_can(const struct cm_place *place)
{
	const struct cm_window window = cm_mixed_window();
	const struct cm_sys_ops *sys = ddr_pool->sys;
	uintptr_t at = window.base + window.size - CM_MIXED_MIN;
	bool can;

	if (sys->map_at((void *)at, CM_MIXED_MIN))
		return false;
	can = cm_mixed_bind_kernel(place, at, CM_MIXED_MIN) == 0;
	(void)sys->unmap((void *)at, CM_MIXED_MIN);
	return can;
}

static bool kernel_does(const struct cm_mixed *m,
			const struct cm_policy_snapshot *policy)
{
	struct cm_nodeset nodes[CM_NR_TIERS], both;
	struct cm_place place[CM_NR_TIERS];

	if (policy->strict)
		return false;
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_place_get(&cm_pool[t].place, &place[t]);
		if (!cm_place_is_bound(&place[t]) || place[t].nr_groups)
			return false;
		nodes[t] = place[t].nodes;
	}
	/* Both tiers on one node: it would have one share. */
	both = nodes[CM_TIER_DDR];
	cm_nodeset_and(&both, &nodes[CM_TIER_CXL]);
	if (!cm_nodeset_empty(&both))
		return false;
	return cm_weights_are_kernels("/sys", nodes, m->weight, &m->nodes) &&
	       kernel_can(place);
}

/* Under cm_arena_lock. */
static struct cm_mixed *make(const struct cm_mixed *like,
			     const struct cm_policy_snapshot *policy)
{
	unsigned nr = nr_now();
	struct cm_mixed *m = &cm_mixed[nr];

	if (nr == CM_MAX_MIXED)
		return NULL;
	*m = *like;
	m->hooks = cm_mixed_hooks;
	m->kernel = kernel_does(m, policy);
	m->chunks = m->kernel ? CM_CHUNK_PAGES(12) :
				cm_piece_mixed(m->nodes.nr > 0);
	atomic_store(&m->next, cm_mixed_window().base);
	if (!cm_arena_make(ddr_pool->je, &m->hooks, &m->arena))
		return NULL;
	m->nr_active = cm_arena_active(ddr_pool->je, m->arena);
	atomic_store_explicit(&cm_nr_mixed, nr + 1, memory_order_release);
	return m;
}

static uint64_t distance(const struct cm_mixed *a, const struct cm_mixed *b)
{
	uint64_t ddr_a = a->weight[CM_TIER_DDR], ddr_b = b->weight[CM_TIER_DDR];
	uint64_t all_a = ddr_a + a->weight[CM_TIER_CXL];
	uint64_t all_b = ddr_b + b->weight[CM_TIER_CXL];
	uint64_t x = (ddr_a << 32) / all_a, y = (ddr_b << 32) / all_b;

	return x > y ? x - y : y - x;
}

/*
 * The table is full: weights that somebody keeps publishing (policy=bandwidth)
 * have made most of them, and lie close to each other.
 */
static struct cm_mixed *nearest(const struct cm_mixed *like)
{
	struct cm_mixed *best = NULL;

	for (unsigned i = 0; i < CM_MAX_MIXED; i++)
		if (cm_mixed[i].nodes.nr == like->nodes.nr &&
		    (!best ||
		     distance(&cm_mixed[i], like) < distance(best, like)))
			best = &cm_mixed[i];
	return best;
}

static struct cm_mixed *pattern_of(const struct cm_policy_snapshot *policy)
{
	struct cm_mixed like = { .arena = 0 }, *m;

	wanted(&like, policy);
	m = find(&like);
	if (likely(m))
		return m;
	if (nr_now() == CM_MAX_MIXED)
		return nearest(&like);
	cm_arena_hold();
	m = find(&like);
	if (!m)
		m = make(&like, policy);
	cm_arena_release();
	return m;
}

/* About the bytes of a block that are a tier's. */
static uint64_t part_of(const struct cm_mixed *m, enum cm_tier tier,
			size_t size)
{
	unsigned all = m->weight[CM_TIER_DDR] + m->weight[CM_TIER_CXL];

	return size / all * m->weight[tier] +
	       size % all * m->weight[tier] / all;
}

static bool exceeds(struct cm_pool *pool, uint64_t bytes)
{
	uint64_t allowance = load(&pool->allowance);

	return bytes > allowance || load(&pool->used) > allowance - bytes;
}

/*
 * A refusal inside of jemalloc is dear, and a tier that is full stays so for
 * a while: what cannot fit does not get that far.
 */
static bool may_fit(const struct cm_mixed *m, size_t size)
{
	bool held = cm_mixed_held_free(m) >= size;

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_pool *pool = &cm_pool[t];

		if (cm_full_is(pool) && !cm_pool_refresh(pool, true))
			return false;
		if (!held && exceeds(pool, part_of(m, t, size)))
			return false;
	}
	return true;
}

/* Purge the tiers that have no room, if that gives them some. */
static bool reclaim(const struct cm_mixed *m, size_t size)
{
	bool done = false;

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_pool *pool = &cm_pool[t];
		uint64_t bytes = part_of(m, t, size);

		if (!cm_thread.refused[t] && !exceeds(pool, bytes))
			continue;
		if (!cm_full_reclaim(pool, bytes, false))
			return false;
		atomic_store_explicit(&pool->full, false, memory_order_relaxed);
		done = true;
	}
	return done;
}

static void refuse_nothing(struct cm_thread *thread)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		thread->refused[t] = false;
}

static int flags_of(const struct cm_mixed *m)
{
	return CM_JE_TCACHE_NONE | CM_JE_ARENA(m->arena);
}

/*
 * jemalloc counts it as the DDR instance's: small blocks keep their ratio only
 * if it does not count in entry/turns.c, where it is both tiers' anyway.
 */
static void *untold(struct cm_thread *thread, const struct cm_mixed *m,
		    void *old, size_t size, int flags)
{
	const uint64_t *allocated = thread->allocated[CM_TIER_DDR];
	uint64_t before = allocated ? *allocated : 0;
	void *p = old ? ddr_pool->je->rallocx(old, size, flags | flags_of(m)) :
			ddr_pool->je->mallocx(size, flags | flags_of(m));

	if (allocated)
		thread->added[CM_TIER_DDR] += *allocated - before;
	return p;
}

static void *alloc(struct cm_thread *thread, const struct cm_mixed *m,
		   size_t size, int flags)
{
	for (int tries = 0;; tries++) {
		void *p = NULL;

		refuse_nothing(thread);
		if (may_fit(m, size))
			p = untold(thread, m, NULL, size, flags);
		if (p && unlikely(!cm_mixed_has(p))) {
			ddr_pool->je->dallocx(p, CM_JE_TCACHE_NONE);
			return NULL;
		}
		if (p || tries || !reclaim(m, size))
			return p;
	}
}

void *cm_mixed_alloc(const struct cm_policy_snapshot *policy, size_t size,
		     int flags)
{
	struct cm_thread *thread = &cm_thread;
	const struct cm_mixed *m;
	int saved = errno;
	void *p;

	if ((policy->id != CM_POLICY_INTERLEAVE &&
	     policy->id != CM_POLICY_BANDWIDTH) ||
	    policy->nr_order < 2 || !policy->weight[CM_TIER_DDR] ||
	    !policy->weight[CM_TIER_CXL] || !cm_mixed_window().size ||
	    thread->exiting)
		return NULL;
	if (unlikely(!thread->attached[CM_TIER_DDR]) &&
	    !cm_arena_attach(ddr_pool, thread))
		return NULL;
	m = pattern_of(policy);
	p = m ? alloc(thread, m, size, flags) : NULL;
	refuse_nothing(thread);
	errno = saved;
	return p;
}

void *cm_mixed_realloc(void *p, size_t size)
{
	const struct cm_mixed *m = cm_mixed_owner(p);
	int saved = errno;
	void *q;

	if (size < CM_MIXED_MIN || !m)
		return NULL;
	refuse_nothing(&cm_thread);
	q = untold(&cm_thread, m, p, size, 0);
	refuse_nothing(&cm_thread);
	errno = saved;
	return q;
}
