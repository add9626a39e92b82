/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena - a pool's jemalloc arenas, and which thread uses which
 *
 * Arenas are made when a thread first needs one, with the pool's hooks from
 * birth and their metadata outside of the pool (metadata_use_hooks false):
 * setting hooks on jemalloc's automatic arenas would initialise all of them
 * and charge their metadata to the tier. Automatic arenas are limited to
 * arena 0 (narenas:1), which serves jemalloc's own needs.
 */
#include "base/lock.h"
#include "pool/arena.h"

/* The argument of experimental.arenas_create_ext. */
struct arena_config {
	struct cm_extent_hooks *hooks;
	bool metadata_use_hooks;
};

/*
 * Guards arena[] and max_arenas of all pools. Held while an instance makes an
 * arena, so also while it starts: fork takes it first, and thus never finds
 * an instance half started.
 */
static pthread_mutex_t cm_arena_lock = CM_LOCK_INIT;

void (*cm_arena_on_attach)(struct cm_thread *thread);

/* What an instance maps when it starts is less than this. */
#define START_SIZE	(12 * MIB)

/*
 * Under cm_arena_lock. An instance that fails to start (RLIMIT_AS) lets no
 * thread but the one that tried ever start it: others would spin in it for
 * good. So whether there is room is tried first, and if it fails all the same
 * the others go without this tier.
 */
static bool may_start(struct cm_pool *pool)
{
	if (pool->start_failed_by)
		return pool->start_failed_by == &cm_thread;
	return cm_sys_can_map(START_SIZE);
}

void cm_arena_hold(void)
{
	cm_lock(&cm_arena_lock);
}

void cm_arena_release(void)
{
	cm_unlock(&cm_arena_lock);
}

bool cm_arena_make(const struct cm_je *je, struct cm_extent_hooks *hooks,
		   unsigned *index)
{
	struct arena_config config = { hooks, false };
	size_t size = sizeof(*index);

	return je->mallctl("experimental.arenas_create_ext", index, &size,
			   &config, sizeof(config)) == 0;
}

/* NULL: the controls do not know this arena (yet). */
static const size_t *ask_active(const struct cm_je *je, unsigned arena)
{
	const size_t *nr_active = NULL;
	size_t mib[4], miblen = CM_ARRAY_SIZE(mib), size = sizeof(nr_active);

	if (je->mallctlnametomib("experimental.arenas.0.pactivep", mib,
				 &miblen))
		return NULL;
	mib[2] = arena;
	if (je->mallctlbymib(mib, miblen, &nr_active, &size, NULL, 0))
		return NULL;
	return nr_active;
}

/*
 * jemalloc's controls know an arena only from the next epoch on, which merges
 * and keeps the statistics of all: 30 KiB an arena. They know arena 0 from the
 * start, and its count lies where that of each does.
 */
const size_t *cm_arena_active(const struct cm_je *je, unsigned arena)
{
	const size_t *first = ask_active(je, 0);
	size_t size = sizeof(uint64_t);
	uint64_t epoch = 1;

	if (first && je->arenas)
		return (const size_t *)((const char *)first -
					(const char *)atomic_load(
						&je->arenas[0]) +
					(const char *)atomic_load(
						&je->arenas[arena]));
	(void)je->mallctl("epoch", &epoch, &size, &epoch, sizeof(epoch));
	return ask_active(je, arena);
}

void cm_arena_start(struct cm_pool *pool)
{
	cm_lock(&cm_arena_lock);
	if (!atomic_load_explicit(&pool->nr_arenas, memory_order_relaxed) &&
	    may_start(pool))
		pool->start_failed_by = cm_je_start(pool->je) ? NULL :
								&cm_thread;
	cm_unlock(&cm_arena_lock);
}

/* Their numbers: a name takes ten times as long, and each thread asks. */
static struct mib {
	size_t of[2], len;
} thread_arena[CM_NR_TIERS], thread_allocated[CM_NR_TIERS],
	thread_freed[CM_NR_TIERS];

static bool find_mib(const struct cm_je *je, const char *name, struct mib *mib)
{
	mib->len = CM_ARRAY_SIZE(mib->of);
	return je->mallctlnametomib(name, mib->of, &mib->len) == 0;
}

static bool start(struct cm_pool *pool)
{
	enum cm_tier t = pool->tier;

	if (!cm_je_start(pool->je) ||
	    !find_mib(pool->je, "thread.arena", &thread_arena[t]) ||
	    !find_mib(pool->je, "thread.allocatedp", &thread_allocated[t]) ||
	    !find_mib(pool->je, "thread.deallocatedp", &thread_freed[t]))
		return false;
	cm_je_keep_pages(pool->je, 0);
	return true;
}

/* Under cm_arena_lock. Returns the new slot, or -1. */
static int create(struct cm_pool *pool)
{
	unsigned slot = atomic_load_explicit(&pool->nr_arenas,
					     memory_order_relaxed);
	struct cm_arena *arena = &pool->arena[slot];

	if (slot == pool->max_arenas || (slot == 0 && !may_start(pool)))
		return -1;
	if (slot == 0 && !start(pool)) {
		pool->start_failed_by = &cm_thread;
		return -1;
	}
	pool->start_failed_by = NULL;
	if (!cm_arena_make(pool->je, &pool->hooks, &arena->index))
		return -1;
	cm_je_keep_pages(pool->je, arena->index);
	if (slot == 0)
		pool->page = cm_je_read(pool->je, "arenas.page");
	/* Publishes the slot to readers, who take no lock. */
	atomic_store_explicit(&pool->nr_arenas, slot + 1, memory_order_release);
	return (int)slot;
}

/* Not when an arena is made, but the first time somebody asks. */
void cm_arena_learn(struct cm_pool *pool)
{
	unsigned nr;

	cm_lock(&cm_arena_lock);
	nr = atomic_load_explicit(&pool->nr_arenas, memory_order_relaxed);
	for (unsigned i = 0; i < nr; i++)
		if (!atomic_load_explicit(&pool->arena[i].nr_active,
					  memory_order_relaxed))
			atomic_store_explicit(
				&pool->arena[i].nr_active,
				cm_arena_active(pool->je, pool->arena[i].index),
				memory_order_release);
	cm_unlock(&cm_arena_lock);
}

/* Under cm_arena_lock: an idle arena, else a new one, else the least used. */
static int choose(struct cm_pool *pool)
{
	unsigned nr = atomic_load_explicit(&pool->nr_arenas,
					   memory_order_relaxed);
	unsigned best = 0;
	int slot;

	for (unsigned i = 0; i < nr; i++)
		if (pool->arena[i].nr_threads < pool->arena[best].nr_threads)
			best = i;
	if (nr && pool->arena[best].nr_threads == 0)
		return (int)best;
	slot = create(pool);
	return slot >= 0 ? slot : nr ? (int)best : -1;
}

/*
 * Tell jemalloc, and have its counts. A thread that exits must not have an arena
 * (thread_end in pool/je.h), and names it each time (pool/pool.c).
 */
static bool bind(const struct cm_pool *pool, unsigned slot,
		 struct cm_thread *thread)
{
	const struct cm_je *je = pool->je;
	enum cm_tier t = pool->tier;
	unsigned index = pool->arena[slot].index;
	size_t size = sizeof(thread->freed[t]);

	return (thread->exiting ||
		!je->mallctlbymib(thread_arena[t].of, thread_arena[t].len, NULL,
				  NULL, &index, sizeof(index))) &&
	       !je->mallctlbymib(thread_allocated[t].of,
				 thread_allocated[t].len, &thread->allocated[t],
				 &size, NULL, 0) &&
	       !je->mallctlbymib(thread_freed[t].of, thread_freed[t].len,
				 &thread->freed[t], &size, NULL, 0);
}

bool cm_arena_attach(struct cm_pool *pool, struct cm_thread *thread)
{
	int slot;

	cm_lock(&cm_arena_lock);
	slot = choose(pool);
	if (slot >= 0)
		pool->arena[slot].nr_threads++;
	cm_unlock(&cm_arena_lock);
	if (slot < 0) {
		/* No arena to be had: the others serve, for a while. */
		cm_room_close(pool);
		return false;
	}
	if (!bind(pool, (unsigned)slot, thread)) {
		cm_lock(&cm_arena_lock);
		pool->arena[slot].nr_threads--;
		cm_unlock(&cm_arena_lock);
		return false;
	}
	thread->arena[pool->tier] = (unsigned)slot;
	thread->attached[pool->tier] = true;
	thread->settled[pool->tier] = !thread->exiting;
	if (cm_arena_on_attach)
		cm_arena_on_attach(thread);
	return true;
}

/* The last time; what it had cached lies free in arena 0 from then on. */
static _Atomic uint64_t left_ms;

bool cm_arena_left_since(uint64_t ms)
{
	uint64_t left = atomic_load_explicit(&left_ms, memory_order_relaxed);

	return left && left >= ms;
}

void cm_arena_leave(struct cm_thread *thread)
{
	atomic_store_explicit(&left_ms, cm_room_now_ms(), memory_order_relaxed);
	cm_lock(&cm_arena_lock);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_pool *pool = &cm_pool[t];

		if (thread->attached[t])
			pool->arena[thread->arena[t]].nr_threads--;
		/* A later destructor may attach again, and come here again. */
		thread->attached[t] = thread->settled[t] = false;
	}
	thread->exiting = true;
	cm_unlock(&cm_arena_lock);
}

void cm_arena_fork_prepare(void)
{
	cm_lock(&cm_arena_lock);
}

void cm_arena_fork_parent(void)
{
	cm_unlock(&cm_arena_lock);
}

void cm_arena_fork_child(const struct cm_thread *thread)
{
	cm_lock_reset(&cm_arena_lock);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_pool *pool = &cm_pool[t];
		unsigned nr = atomic_load_explicit(&pool->nr_arenas,
						   memory_order_relaxed);

		for (unsigned i = 0; i < nr; i++) {
			pool->arena[i].nr_threads = thread->attached[t] &&
						    thread->arena[t] == i;
			cm_je_keep_pages(pool->je, pool->arena[i].index);
		}
		if (nr)
			cm_je_keep_pages(pool->je, 0);
	}
}
