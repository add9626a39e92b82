/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/map.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/snapshot.h"
#include "policy/turns.h"
#include "pool/pool.h"
#include "pool/thread.h"
#include "sys/file.h"

struct cm_map_rules cm_map_rules;

/* policy=interleave: bytes of maps so far. Atomic, relaxed. */
static _Atomic uint64_t taken[CM_NR_TIERS];

int cm_map_init(const struct cm_settings *settings)
{
	size_t page = cm_sys_page_size();

	cm_map_rules.policy = settings->mmap_policy;
	cm_map_rules.above = (settings->mmap_min - 1) & ~(page - 1);
	return cm_range_init(page);
}

uint64_t cm_map_mapped(enum cm_tier tier)
{
	return cm_range_usable((enum cm_range_place)(tier + 1));
}

static uint64_t load(_Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

/*
 * Prefer the tier's nodes, though its heap is bound to them strictly: the heap
 * asks for room page by page and can go elsewhere, a map is filled long after
 * it was made. Unless the operator wants no way out.
 */
static bool may_spill(const struct cm_policy_snapshot *policy)
{
	return !policy->strict && policy->on_full == CM_ON_FULL_SPILL;
}

/*
 * Within the limit; and what may not spill and is to be used, not reserved,
 * within what the nodes have. Looked at without taking it: of two maps at a
 * time both may see the same room.
 */
static bool has_room(const struct cm_policy_snapshot *policy, enum cm_tier tier,
		     uint64_t size, bool used)
{
	struct cm_pool *pool = &cm_pool[tier];
	uint64_t limit = load(&pool->limit);
	uint64_t have = load(&pool->used) + cm_map_mapped(tier);
	struct cm_place_nodes place;

	if (limit != CM_NO_LIMIT && (have > limit || size > limit - have))
		return false;
	if (may_spill(policy) || !cm_place_try(&pool->place, &place))
		return true;
	if (place.binding == CM_BINDING_OFFLINE)
		return false;
	return place.binding != CM_BINDING_STRICT || !used ||
	       cm_room_take(pool, size);
}

/* The first that has room of the order, this one ahead; else its last. */
static enum cm_tier by_order(const struct cm_policy_snapshot *policy,
			     enum cm_tier first, uint64_t size, bool used)
{
	enum cm_tier order[CM_NR_TIERS];
	unsigned nr = cm_policy_order(policy, first, order);

	for (unsigned i = 0; i < nr; i++)
		if (has_room(policy, order[i], size, used))
			return order[i];
	return policy->order[policy->nr_order - 1];
}

/*
 * Whole maps in turn. Neighbours on two tiers are two mappings of the kernel's
 * where they would be one, and a process may have vm.max_map_count of them: so
 * the turn only changes when its tier is ahead by a thousandth of all. No more
 * than TURN_MAX, though: `all` counts what was unmapped long ago.
 */
#define TURN_MAX	(64 * MIB)

static enum cm_tier by_turns(const struct cm_policy_snapshot *policy)
{
	static _Atomic uint64_t weights;
	static _Atomic int turn;
	const unsigned *w = policy->weight;
	uint64_t now = (uint64_t)w[CM_TIER_DDR] << 32 | w[CM_TIER_CXL];
	uint64_t sum[CM_NR_TIERS], due, have;
	enum cm_tier next, last;

	/* Others from here: what was taken by the old is no debt. */
	if (atomic_exchange_explicit(&weights, now, memory_order_relaxed) !=
	    now)
		for (unsigned t = 0; t < CM_NR_TIERS; t++)
			atomic_store_explicit(&taken[t], 0,
					      memory_order_relaxed);
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		sum[t] = load(&taken[t]);
	next = cm_turns_next(w, sum);
	last = (enum cm_tier)atomic_load_explicit(&turn, memory_order_relaxed);
	have = sum[CM_TIER_DDR] + sum[CM_TIER_CXL];
	due = (uint64_t)((unsigned __int128)have * w[next] /
			 (w[CM_TIER_DDR] + w[CM_TIER_CXL]));
	if (next != last && due - sum[next] < have / 1024 &&
	    due - sum[next] < TURN_MAX)
		return last;
	atomic_store_explicit(&turn, (int)next, memory_order_relaxed);
	return next;
}

static enum cm_tier as_malloc(const struct cm_policy_snapshot *policy,
			      uint64_t size, bool used)
{
	enum cm_tier tier = policy->order[0];

	if (policy->id == CM_POLICY_SIZE)
		tier = cm_policy_by_size(&policy->sizes, size);
	else if (policy->id == CM_POLICY_INTERLEAVE ||
		 policy->id == CM_POLICY_BANDWIDTH)
		tier = by_turns(policy);
	tier = by_order(policy, tier, size, used);
	atomic_fetch_add_explicit(&taken[tier], size, memory_order_relaxed);
	return tier;
}

enum cm_range_place cm_map_choose(uint64_t size, bool used)
{
	enum cm_tier tier = CM_TIER_DDR;
	struct cm_snapshot_ticket ticket;

	switch (cm_map_rules.policy) {
	case CM_MMAP_MALLOC:
		tier = as_malloc(cm_snapshot_enter(&cm_thread, &ticket), size,
				 used);
		cm_snapshot_leave(&ticket);
		break;
	case CM_MMAP_DDR:
		break;
	case CM_MMAP_CXL:
		tier = CM_TIER_CXL;
		break;
	case CM_MMAP_OFF:
		return CM_RANGE_NONE;
	}
	return (enum cm_range_place)(tier + 1);
}

bool cm_map_bind(uintptr_t at, size_t size, enum cm_range_place place,
		 unsigned how)
{
	struct cm_snapshot_ticket ticket;

	if (may_spill(cm_snapshot_enter(&cm_thread, &ticket)))
		how |= CM_MAP_MAY_SPILL;
	cm_snapshot_leave(&ticket);
	return cm_place_bind_map(&cm_pool[place - 1], (void *)at, size, how);
}

/* A map the program put into a window of the heap's is the pool's to report. */
static bool in_windows(uintptr_t at, size_t size)
{
	size_t end = cm_fast.end[CM_NR_TIERS - 1];

	return at < cm_fast.base + end && at + size > cm_fast.base;
}

bool cm_map_place(uintptr_t at, size_t size, enum cm_range_place place,
		  bool usable, unsigned how)
{
	/* First known, then bound: who changes the nodes binds what is known. */
	return !in_windows(at, size) && cm_range_add(at, size, place, usable) &&
	       cm_map_bind(at, size, place, how);
}

/* --- what the kernel has ----------------------------------------------------- */

struct line {
	uintptr_t at, end;
	bool usable;
	bool anonymous;		/* and private */
};

/* proc(5): "7f00-7f80 rw-p 00000000 00:00 0    [heap]" */
static bool parse(const char *text, struct line *line)
{
	char *s;

	line->at = strtoul(text, &s, 16);
	if (*s != '-')
		return false;
	line->end = strtoul(s + 1, &s, 16);
	if (*s != ' ')
		return false;
	line->usable = s[1] == 'r' || s[2] == 'w' || s[3] == 'x';
	line->anonymous = s[4] == 'p';
	(void)strtoul(s + 5, &s, 16);			/* offset */
	(void)strtoul(s, &s, 16);			/* device */
	if (*s == ':')
		(void)strtoul(s + 1, &s, 16);
	line->anonymous &= strtoul(s, NULL, 10) == 0;	/* inode */
	return true;
}

struct rebind {
	enum cm_range_place place;
};

static int rebind_line(char *text, void *arg)
{
	const struct rebind *r = arg;
	struct cm_range_run run;
	struct line line;
	size_t rounded;

	if (!parse(text, &line) || !line.anonymous ||
	    !cm_range_fits(line.at, line.end - line.at, &rounded))
		return 0;
	while (cm_range_next(line.at, line.end, &run)) {
		if (run.place == r->place &&
		    !cm_sys_is_bound_otherwise((void *)run.at))
			(void)cm_map_bind(run.at, run.size, run.place, 0);
		line.at = run.at + run.size;
	}
	return 0;
}

void cm_map_rebind(struct cm_pool *pool)
{
	struct rebind r = { (enum cm_range_place)(pool->tier + 1) };
	char text[512];

	(void)cm_file_lines("/proc/self/maps", text, sizeof(text), rebind_line,
			    &r);
}

struct resync {
	uintptr_t at, end;
};

static int resync_line(char *text, void *arg)
{
	struct resync *r = arg;
	struct line line;

	if (!parse(text, &line) || line.end <= r->at)
		return 0;
	if (line.at >= r->end)
		return 1;
	if (line.at > r->at)
		cm_range_forget(r->at, line.at - r->at);
	else
		line.at = r->at;
	if (line.end > r->end)
		line.end = r->end;
	cm_range_protect(line.at, line.end - line.at, line.usable);
	r->at = line.end;
	return r->at == r->end;
}

void cm_map_resync(uintptr_t at, size_t size)
{
	struct resync r = { at, at + size };
	char text[512];

	if (cm_file_lines("/proc/self/maps", text, sizeof(text), resync_line,
			  &r) < 0)
		return;
	if (r.at < r.end)
		cm_range_forget(r.at, r.end - r.at);
}
