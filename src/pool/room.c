/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/nodeset.h"
#include "pool/pool.h"
#include "sys/file.h"
#include "topology/node.h"

#define RETRY_MS	100

uint64_t cm_room_now_ms(void)
{
	struct timespec now;

	/* The vdso's, without a system call; a few ms coarse is fine. */
	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now))
		return 0;
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Of each node; read once, and again when the nodes change. */
static _Atomic uint64_t reserve[CM_MAX_NODES];
static _Atomic bool reserve_known;

void cm_room_forget(struct cm_pool *pool)
{
	atomic_store(&reserve_known, false);
	atomic_store(&pool->room.granted, 0);
	atomic_store(&pool->room.retry_ms, 0);
}

/*
 * Stays free: what the kernel keeps for itself, and a part for page tables and
 * other processes, who may be faster than we look.
 */
static uint64_t headroom(unsigned node, uint64_t total)
{
	uint64_t part = total / 64;

	if (part < 8 * MIB)
		part = 8 * MIB;
	if (part > 512 * MIB)
		part = 512 * MIB;
	return part +
	       atomic_load_explicit(&reserve[node], memory_order_relaxed);
}

/* UINT64_MAX where nothing can be known: no sysfs (a chroot). */
static uint64_t free_on(const struct cm_nodeset *nodes)
{
	struct cm_node_memory m;
	uint64_t sum = 0;
	unsigned node;
	bool known = false;

	cm_nodeset_for_each(node, nodes) {
		uint64_t have, keep;

		if (cm_node_memory_read("/sys", node, &m))
			continue;
		known = true;
		have = m.free + m.droppable;
		keep = headroom(node, m.total);
		sum += have > keep ? have - keep : 0;
	}
	return known ? sum : UINT64_MAX;
}

/*
 * Committed by our pools, not touched yet: memory somebody was promised. The
 * kernel's count of this process's anonymous pages also holds stacks and the
 * program's own maps, so this is a lower bound.
 */
static uint64_t untouched(void)
{
	char text[128], *s = text;
	uint64_t used = 0, resident, shared, anonymous;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		used += atomic_load_explicit(&cm_pool[t].used,
					     memory_order_relaxed);
	/* proc(5) statm, in pages: size resident shared ... */
	if (cm_file_read("/proc/self/statm", text, sizeof(text)) <= 0)
		return 0;
	(void)strtoul(s, &s, 10);
	resident = strtoul(s, &s, 10);
	shared = strtoul(s, &s, 10);
	anonymous = (resident > shared ? resident - shared : 0) *
		    cm_sys_page_size();
	return used > anonymous ? used - anonymous : 0;
}

static int swap_line(char *line, void *arg)
{
	static const char name[] = "SwapFree:";

	if (!strncmp(line, name, sizeof(name) - 1))
		*(uint64_t *)arg = strtoul(line + sizeof(name) - 1, NULL, 10) *
				   KIB;
	return 0;
}

static uint64_t available(struct cm_pool *pool)
{
	struct cm_place place;
	uint64_t have, promised = untouched(), swap = 0;

	if (!atomic_load(&reserve_known) &&
	    cm_node_reserve_read("/proc/zoneinfo", reserve) == 0)
		atomic_store(&reserve_known, true);
	cm_place_get(&pool->place, &place);
	have = free_on(&place.reach);
	if (have == UINT64_MAX)
		return have;
	/* The last resort may also push pages out; the others go elsewhere. */
	if (atomic_load_explicit(&pool->elastic, memory_order_relaxed))
		(void)cm_file_lines("/proc/meminfo", swap_line, &swap);
	have += swap;
	return have > promised ? have - promised : 0;
}

static bool take_granted(struct cm_room *room, uint64_t bytes)
{
	uint64_t granted = atomic_load_explicit(&room->granted,
						memory_order_relaxed);

	while (granted >= bytes)
		if (atomic_compare_exchange_weak_explicit(
			    &room->granted, &granted, granted - bytes,
			    memory_order_relaxed, memory_order_relaxed))
			return true;
	return false;
}

bool cm_room_is_out(struct cm_pool *pool)
{
	uint64_t retry = atomic_load_explicit(&pool->room.retry_ms,
					      memory_order_relaxed);

	return retry && cm_room_now_ms() < retry;
}

bool cm_room_take(struct cm_pool *pool, uint64_t bytes)
{
	struct cm_room *room = &pool->room;
	struct cm_place place;
	uint64_t have, share;

	if (likely(take_granted(room, bytes)))
		return true;
	cm_place_get(&pool->place, &place);
	if (place.binding == CM_BINDING_OFFLINE) {
		atomic_store_explicit(&room->retry_ms,
				      cm_room_now_ms() + RETRY_MS,
				      memory_order_relaxed);
		return false;
	}
	if (!cm_place_is_bound(&place))
		return true;	/* anywhere: the kernel decides, as for all */
	if (cm_room_is_out(pool))
		return false;
	have = available(pool);
	if (have < bytes) {
		/* One big block that does not fit says nothing of others. */
		if (have < 4 * MIB)
			atomic_store_explicit(&room->retry_ms,
					      cm_room_now_ms() + RETRY_MS,
					      memory_order_relaxed);
		return false;
	}
	share = (have - bytes) / 8;
	atomic_store_explicit(&room->granted,
			      share > 256 * MIB ? 256 * MIB : share,
			      memory_order_relaxed);
	atomic_store_explicit(&room->retry_ms, 0, memory_order_relaxed);
	return true;
}
