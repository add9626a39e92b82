/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/line.h"
#include "base/nodeset.h"
#include "entry/background.h"
#include "entry/channel.h"
#include "entry/init.h"
#include "entry/live.h"
#include "entry/nodes.h"
#include "entry/site.h"
#include "map/map.h"
#include "pool/arena.h"
#include "pool/large.h"
#include "pool/pool.h"
#include "sys/event.h"
#include "sys/sys.h"
#include "topology/cgroup.h"
#include "topology/drain.h"
#include "topology/topo.h"

#define WATCH_MS	250
#define REBIND_MS	2000
#define CLAIM_TRIES	200

_Atomic uint64_t cm_nodes_next_look_ms = UINT64_MAX;

struct view {
	struct cm_nodeset memory, allowed, drained;
};

/*
 * What the last look saw, and when failed bindings are tried again. Used by
 * whoever holds `looking`, and at start.
 */
static struct view seen;
static uint64_t rebind_again_ms;
static _Atomic bool looking;

/* What cannot be told now (no file descriptor left) is as it was. */
static void view_now(struct view *view)
{
	if (cm_topo_memory_nodes(&view->memory, "/sys"))
		view->memory = seen.memory;
	if (cm_sys_mems_allowed(&view->allowed))
		view->allowed = seen.allowed;
	if (cm_drain_read(&view->drained))
		view->drained = seen.drained;
}

/* Nodes with memory that this process may use; empty: not known. */
static void usable(struct cm_nodeset *memory)
{
	*memory = seen.memory;
	if (!cm_nodeset_empty(&seen.allowed))
		cm_nodeset_and(memory, &seen.allowed);
	cm_nodeset_andnot(memory, &seen.drained);
}

static const char *tier_name(enum cm_tier tier)
{
	return tier == CM_TIER_DDR ? "ddr" : "cxl";
}

/* Nodes an operator named that are not there: said once, at start. */
static void say_missing(enum cm_tier tier, const struct cm_nodeset *wanted,
			const struct cm_nodeset *memory)
{
	struct cm_nodeset bad = *wanted, good = *wanted;
	char text[CM_LINE_QUOTE_MAX], known[CM_LINE_QUOTE_MAX];

	cm_nodeset_andnot(&bad, memory);
	if (cm_nodeset_empty(memory) || cm_nodeset_empty(&bad))
		return;
	(void)cm_nodeset_format(&bad, text, sizeof(text));
	(void)cm_nodeset_format(memory, known, sizeof(known));
	cm_nodeset_and(&good, memory);
	cm_line_say("%s.nodes=%s: not a node with memory this process may "
		    "use (those are %s), %s",
		    tier_name(tier), text, known,
		    cm_nodeset_empty(&good) ? "using auto" :
					      "used when it appears");
}

static bool is_strict(const struct cm_settings *settings, enum cm_tier tier)
{
	if (settings->placement != CM_PLACEMENT_AUTO)
		return settings->placement == CM_PLACEMENT_STRICT;
	return !(settings->on_full == CM_ON_FULL_SPILL &&
		 settings->order[settings->nr_order - 1] == tier);
}

/*
 * The nodes a tier should be on: named, or found. before: where it was, for
 * nodes that are gone but whose pages we still hold. Empty: ordinary memory.
 */
static void wanted_nodes(struct cm_nodeset *wanted, enum cm_tier tier,
			 const struct cm_settings *settings,
			 const struct cm_topo *topo,
			 const struct cm_nodeset *memory,
			 const struct cm_place *before)
{
	const struct cm_tier_settings *asked = &settings->tier[tier];
	struct cm_nodeset here;

	cm_nodeset_zero(wanted);
	if (asked->nodes_from == CM_NODES_EMULATED)
		return;
	if (asked->nodes_from == CM_NODES_LIST) {
		*wanted = asked->nodes;
		/* SMDK leaves DDR nodes out of exmem_partition_range. */
		if (settings->smdk && tier == CM_TIER_CXL)
			cm_nodeset_andnot(wanted, &topo->tier[CM_TIER_DDR]);
		here = *wanted;
		cm_nodeset_and(&here, memory);
		if (!cm_nodeset_empty(&here) || cm_nodeset_empty(memory) ||
		    cm_nodeset_equal(wanted, &before->home))
			return;
	}
	/* Nodes it may not use from the start are none of its own. */
	*wanted = topo->tier[tier];
	if (!cm_nodeset_empty(memory))
		cm_nodeset_and(wanted, memory);
	if (cm_nodeset_empty(wanted) && before->binding != CM_BINDING_NONE &&
	    before->binding != CM_BINDING_EMULATED)
		*wanted = before->home;		/* all of them went away */
}

/* Nodes with weights: the others of the tier have no part. */
static void choose_weights(struct cm_place *place,
			   const struct cm_settings *settings)
{
	const struct cm_node_weights *all = &settings->node_weight;
	struct cm_nodeset with;

	cm_nodeset_zero(&with);
	if (settings->policy != CM_POLICY_INTERLEAVE)
		return;
	for (unsigned i = 0; i < all->nr; i++) {
		if (!cm_nodeset_test(&place->nodes, all->of[i].node))
			continue;
		cm_nodeset_set(&with, all->of[i].node);
		place->weights.of[place->weights.nr++] = all->of[i];
	}
	if (!place->weights.nr)
		return;
	place->nodes = with;
	if (cm_place_is_strict(place))
		place->reach = with;
}

/* Nodes of no group are behind all that have one. */
static void choose_groups(struct cm_place *place,
			  const struct cm_group_settings *groups)
{
	struct cm_group *last = &place->group[groups->nr];

	if (groups->from == CM_GROUPS_NOOP)
		return;
	strcpy(last->name, groups->from == CM_GROUPS_NODE ? "node" : "rest");
	last->nodes = place->nodes;
	for (unsigned i = 0; i < groups->nr; i++) {
		place->group[i] = groups->of[i];
		cm_nodeset_and(&place->group[i].nodes, &place->nodes);
		cm_nodeset_andnot(&last->nodes, &groups->of[i].nodes);
	}
	place->nr_groups = groups->nr + !cm_nodeset_empty(&last->nodes);
}

/*
 * All policies carry MPOL_F_STATIC_NODES: without it the kernel remaps them
 * when cpuset.mems changes, and does not map them back.
 */
static void choose(struct cm_place *place, enum cm_tier tier,
		   const struct cm_settings *settings,
		   const struct cm_topo *topo, const struct cm_nodeset *memory,
		   const struct cm_place *before)
{
	bool strict = is_strict(settings, tier);
	bool named = settings->tier[tier].nodes_from == CM_NODES_LIST;

	memset(place, 0, sizeof(*place));
	wanted_nodes(&place->home, tier, settings, topo, memory, before);
	place->nodes = place->home;
	if (!cm_nodeset_empty(memory))
		cm_nodeset_and(&place->nodes, memory);
	place->mode = CM_MPOL_F_STATIC_NODES |
		      (strict ? CM_MPOL_BIND : CM_MPOL_PREFERRED_MANY);
	place->reach = strict ? place->nodes : *memory;
	if (cm_nodeset_empty(&place->home) ||
	    (!named && cm_nodeset_weight(memory) < 2 &&
	     !cm_place_is_bound(before) &&
	     before->binding != CM_BINDING_OFFLINE)) {
		/* One node, or none of its own: nothing to bind to. */
		place->binding = tier == CM_TIER_CXL ? CM_BINDING_EMULATED :
						       CM_BINDING_NONE;
		place->nodes = *memory;
	} else if (cm_nodeset_empty(&place->nodes)) {
		place->binding = CM_BINDING_OFFLINE;
	} else {
		place->binding = strict ? CM_BINDING_STRICT :
					  CM_BINDING_PREFERRED;
		choose_weights(place, settings);
		choose_groups(place, &settings->tier[tier].groups);
	}
}

static void update(const struct cm_settings *settings, bool at_start)
{
	/* Too large for a small stack; whoever looks is alone. */
	static struct cm_place before, now;
	static struct cm_topo topo;
	struct view last = seen;
	struct cm_nodeset memory;

	view_now(&seen);
	if (!at_start && memcmp(&last, &seen, sizeof(last)))
		cm_event_tell(CM_EVENT_NODES);
	usable(&memory);
	cm_topo_read(&topo, "/sys");
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_place_get(&cm_pool[t].place, &before);
		if (before.binding == CM_BINDING_DENIED)
			continue;
		if (at_start && settings->tier[t].nodes_from == CM_NODES_LIST)
			say_missing(t, &settings->tier[t].nodes, &memory);
		choose(&now, t, settings, &topo, &memory, &before);
		if (!memcmp(&now, &before, sizeof(now)) &&
		    !atomic_load(&cm_pool[t].place.rebind_due))
			continue;
		cm_place_set(&cm_pool[t].place, &now);
		cm_room_forget(&cm_pool[t]);
		if (at_start)
			continue;
		cm_place_rebind(&cm_pool[t]);
		cm_map_rebind(&cm_pool[t]);
		/* What it holds free is on the old nodes: let go of it. */
		cm_pool_purge(&cm_pool[t]);
	}
}

void cm_nodes_init(const struct cm_settings *settings)
{
	update(settings, true);
	atomic_store(&cm_nodes_next_look_ms, cm_room_now_ms() + WATCH_MS);
}

static bool changed(uint64_t now_ms)
{
	struct view view;
	bool due = false;

	view_now(&view);
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		due |= atomic_load(&cm_pool[t].place.rebind_due);
	/* What the kernel refused a moment ago it will refuse again. */
	if (due && now_ms < rebind_again_ms)
		due = false;
	if (due)
		rebind_again_ms = now_ms + REBIND_MS;
	return due || memcmp(&view, &seen, sizeof(view));
}

/* 0, or -errno: the share cannot be told now. */
static int limit_now(const struct cm_tier_settings *asked, uint64_t *limit)
{
	uint64_t memory;
	int err;

	*limit = asked->limit;
	if (!asked->limit_percent)
		return 0;
	err = cm_cgroup_memory("/proc", &memory);
	if (err || memory == CM_NO_LIMIT)
		return err;
	*limit = memory / 100 * asked->limit_percent +
		 memory % 100 * asked->limit_percent / 100;
	return 0;
}

uint64_t cm_nodes_limit(const struct cm_settings *settings, enum cm_tier tier)
{
	uint64_t limit;

	if (limit_now(&settings->tier[tier], &limit))
		cm_line_say("%s.limit=%u%%: the process's memory cannot be "
			    "read, no limit until it can be",
			    tier_name(tier),
			    settings->tier[tier].limit_percent);
	return limit;
}

static void follow_cgroup(struct cm_pool *pool,
			  const struct cm_settings *settings)
{
	uint64_t now, before = atomic_load(&pool->limit);

	if (!settings->tier[pool->tier].limit_percent ||
	    limit_now(&settings->tier[pool->tier], &now) || now == before)
		return;
	atomic_store(&pool->limit, now);
	cm_event_tell(CM_EVENT_LIMIT);
	/* A round of on_full=interleave has its own: it ends by itself. */
	(void)atomic_compare_exchange_strong(&pool->allowance, &before, now);
	cm_pool_raise_peaks(pool);
}

/* Beyond its limit, what it holds free goes, decayed or not. */
static void keep_limit(struct cm_pool *pool)
{
	uint64_t used = atomic_load(&pool->used);

	if (used > atomic_load(&pool->allowance) &&
	    used > cm_pool_in_use(pool) + cm_pool_margin(pool))
		cm_pool_purge(pool);
}

/*
 * jemalloc does it by itself only for arenas whose threads allocate. Little is
 * not worth the way; what threads had that ended is in no count of the pool's.
 */
static void give_back(struct cm_pool *pool, const struct cm_settings *settings,
		      uint64_t now_ms)
{
	uint64_t decay_ms = (uint64_t)settings->decay_ms + 2 * WATCH_MS;

	if (settings->decay_ms <= 0)
		return;
	cm_large_age(pool->tier);
	if (atomic_load(&pool->used) > cm_pool_in_use(pool) + MIB ||
	    cm_arena_left_since(now_ms > decay_ms ? now_ms - decay_ms : 0))
		cm_pool_decay(pool);
}

/* Whoever does holds `looking`. asked: the settings are others. */
static void follow(uint64_t now_ms, bool asked)
{
	bool now_changed = changed(now_ms);

	if (asked || now_changed)
		update(&cm_process.settings, false);
	cm_live_follow(now_changed);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		follow_cgroup(&cm_pool[t], &cm_process.settings);
		keep_limit(&cm_pool[t]);
		give_back(&cm_pool[t], &cm_process.settings, now_ms);
	}
	cm_channel_publish();
}

/* Raw: libc's is a cancellation point, and sets errno. */
static void pause_briefly(unsigned nr)
{
	const struct timespec little = { .tv_nsec = 20000 };
	int saved = errno;

	if (nr < CLAIM_TRIES / 2)
		(void)sched_yield();
	else
		(void)syscall(SYS_nanosleep, &little, NULL);
	errno = saved;
}

bool cm_nodes_claim(void)
{
	for (unsigned i = 0; i < CLAIM_TRIES; i++) {
		if (!atomic_exchange_explicit(&looking, true,
					      memory_order_acquire))
			return true;
		pause_briefly(i);
	}
	return false;
}

void cm_nodes_yield(bool asked)
{
	if (asked)
		follow(cm_room_now_ms(), true);
	atomic_store_explicit(&looking, false, memory_order_release);
}

void cm_nodes_look(uint64_t now_ms)
{
	if (atomic_exchange_explicit(&looking, true, memory_order_acquire))
		return;
	cm_channel_begin();
	follow(now_ms, cm_live_answer());
	atomic_store_explicit(&cm_nodes_next_look_ms, now_ms + WATCH_MS,
			      memory_order_relaxed);
	cm_site_look();
	atomic_store_explicit(&looking, false, memory_order_release);
	cm_background_start();
}

void cm_nodes_refresh(void)
{
	if (atomic_exchange_explicit(&looking, true, memory_order_acquire))
		return;
	if (changed(cm_room_now_ms()))
		update(&cm_process.settings, false);
	atomic_store_explicit(&looking, false, memory_order_release);
}

void cm_nodes_fork_prepare(void)
{
	while (atomic_exchange_explicit(&looking, true, memory_order_acquire))
		(void)sched_yield();
}

void cm_nodes_fork_done(void)
{
	atomic_store_explicit(&looking, false, memory_order_release);
}
