/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "base/nodeset.h"
#include "pool/pool.h"
#include "pool/thread.h"
#include "sys/file.h"
#include "topology/node.h"

#define RETRY_MS	100
#define GRANT_MS	100

uint64_t cm_room_now_ms(void)
{
	struct timespec now;

	/* The vdso's, without a system call; a few ms coarse is fine. */
	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now))
		return 0;
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Of each node; read once, and again when the nodes change. */
static CM_SPARSE _Atomic uint64_t reserve[CM_MAX_NODES];
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

/* What a system call can tell that needs no file: all nodes in one sum. */
static uint64_t free_anywhere(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		return 0;
	return (uint64_t)info.freeram * info.mem_unit;
}

/*
 * Memory that can be had on the nodes. UINT64_MAX where nothing can be known:
 * no sysfs (a chroot).
 */
static uint64_t free_on(const struct cm_nodeset *nodes, bool last_resort)
{
	struct cm_node_memory m;
	uint64_t sum = 0;
	unsigned node;
	bool known = false;

	cm_nodeset_for_each(node, nodes) {
		uint64_t have, keep;
		int err = cm_node_memory_read("/sys", node, &m);

		if (err == -EMFILE || err == -ENFILE)
			return free_anywhere();
		if (err)
			continue;
		known = true;
		have = m.free + m.droppable + (last_resort ? m.active_file : 0);
		keep = headroom(node, m.total);
		sum += have > keep ? have - keep : 0;
	}
	return known ? sum : UINT64_MAX;
}

static int anonymous_line(char *line, void *arg)
{
	if (!strncmp(line, "RssAnon:", 8) || !strncmp(line, "VmSwap:", 7))
		*(uint64_t *)arg += strtoul(strchr(line, ':') + 1, NULL, 10) *
				    KIB;
	return 0;
}

/*
 * Committed by this pool, not touched yet: memory somebody was promised. The
 * kernel counts the whole process, with stacks and the program's own maps; so
 * of what is untouched in all pools at least, no more than this one's used.
 */
static CM_NOINLINE uint64_t untouched(struct cm_pool *pool)
{
	uint64_t all = 0, touched = 0, mine;
	char text[256];

	if (cm_file_lines("/proc/self/status", text, sizeof(text),
			  anonymous_line, &touched))
		return 0;
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		all += atomic_load_explicit(&cm_pool[t].used,
					    memory_order_relaxed);
	mine = atomic_load_explicit(&pool->used, memory_order_relaxed);
	all = all > touched ? all - touched : 0;
	return all < mine ? all : mine;
}

static int swap_line(char *line, void *arg)
{
	static const char name[] = "SwapFree:";

	if (!strncmp(line, name, sizeof(name) - 1))
		*(uint64_t *)arg = strtoul(line + sizeof(name) - 1, NULL, 10) *
				   KIB;
	return 0;
}

/* Each node has its share of what is committed: the tightest decides. */
static uint64_t free_by_weights(const struct cm_node_weights *weights,
				bool last_resort)
{
	uint64_t all = 0, least = UINT64_MAX;
	struct cm_nodeset node;

	for (unsigned i = 0; i < weights->nr; i++)
		all += weights->of[i].weight;
	for (unsigned i = 0; i < weights->nr; i++) {
		uint64_t have;

		cm_nodeset_zero(&node);
		cm_nodeset_set(&node, weights->of[i].node);
		have = free_on(&node, last_resort);
		if (have == UINT64_MAX)
			continue;
		have = have / weights->of[i].weight * all;
		if (have < least)
			least = have;
	}
	return least;
}

/*
 * The first group with room for all promises takes what comes; none: all
 * nodes together. Returns what it has left.
 */
static uint64_t choose_group(struct cm_pool *pool, const struct cm_place *place,
			     uint64_t promised)
{
	uint64_t have = UINT64_MAX;
	unsigned g;

	for (g = 0; g < place->nr_groups; g++) {
		if (cm_nodeset_empty(&place->group[g].nodes))
			continue;
		have = free_on(&place->group[g].nodes, false);
		if (have >= promised)
			break;
	}
	atomic_store_explicit(&pool->room.group, g, memory_order_relaxed);
	return g < place->nr_groups && have != UINT64_MAX ? have - promised :
							    UINT64_MAX;
}

/* Not inlined, as the others: what malloc has on its stack here adds up. */
static CM_NOINLINE uint64_t free_swap(void)
{
	char text[256];
	uint64_t swap = 0;

	(void)cm_file_lines("/proc/meminfo", text, sizeof(text), swap_line,
			    &swap);
	return swap;
}

static bool is_elastic(const struct cm_pool *pool)
{
	return atomic_load_explicit(&pool->elastic, memory_order_relaxed);
}

/* A strict block of cxlm_malloc's, in a tier that else may go beyond its nodes. */
static bool is_narrow(const struct cm_pool *pool)
{
	return cm_thread.only && is_elastic(pool);
}

/* What is left when every promise, `bytes` among them, is kept; -1: not. */
static int64_t left_over(struct cm_pool *pool, const struct cm_place *place,
			 uint64_t bytes)
{
	/* The last resort may push pages out; the others go elsewhere. */
	bool last = is_elastic(pool) && !cm_thread.only;
	uint64_t have, promised;

	if (!atomic_load(&reserve_known) &&
	    cm_node_reserve_read("/proc/zoneinfo", reserve) == 0)
		atomic_store(&reserve_known, true);
	have = place->weights.nr > 1 && cm_place_is_strict(place) ?
		       free_by_weights(&place->weights, last) :
		       free_on(is_narrow(pool) ? &place->nodes : &place->reach,
			       last);
	if (have == UINT64_MAX)
		return INT64_MAX;
	if (last)
		have += free_swap();
	/* Other memory of the process may hide that these are not touched. */
	promised = untouched(pool);
	if (promised < bytes)
		promised = bytes;
	if (have < promised)
		return -1;
	have -= promised;
	if (place->nr_groups) {
		uint64_t group = choose_group(pool, place, promised);

		/* It is soon looked at again when it has little left. */
		if (group < have)
			have = group;
	}
	return (int64_t)have;
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

void cm_room_close(struct cm_pool *pool)
{
	atomic_store_explicit(&pool->room.retry_ms, cm_room_now_ms() + RETRY_MS,
			      memory_order_relaxed);
	atomic_store_explicit(&pool->full, true, memory_order_relaxed);
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
	uint64_t now, share;
	unsigned seq;
	int64_t left;

	/* Anywhere: the kernel decides, as for all. */
	if (!atomic_load(&pool->place.may_bind))
		return true;
	now = cm_room_now_ms();
	/*
	 * A grant is old news after a while: others use the nodes too. It may be
	 * of more nodes than those that cxlm_malloc's strict blocks are for.
	 */
	if (!is_narrow(pool) &&
	    now < atomic_load_explicit(&room->granted_until_ms,
				       memory_order_relaxed) &&
	    likely(take_granted(room, bytes)))
		return true;
	seq = atomic_load(&pool->place.seq);
	cm_place_get(&pool->place, &place);
	if (place.binding == CM_BINDING_OFFLINE) {
		/* on_full=spill: the last tier takes it, on any node. */
		if (is_elastic(pool) && !cm_thread.only &&
		    !cm_place_is_strict(&place))
			return true;
		atomic_store_explicit(&room->retry_ms, now + RETRY_MS,
				      memory_order_relaxed);
		return false;
	}
	if (!cm_place_is_bound(&place))
		return true;
	if (cm_room_is_out(pool))
		return false;
	left = left_over(pool, &place, bytes);
	if (left < 0) {
		/* One big block that does not fit says nothing of others. */
		if (bytes < 4 * MIB && !is_narrow(pool))
			atomic_store_explicit(&room->retry_ms, now + RETRY_MS,
					      memory_order_relaxed);
		return false;
	}
	if (is_narrow(pool))
		return true;
	share = (uint64_t)left / 8;
	atomic_store_explicit(&room->granted,
			      share > 256 * MIB ? 256 * MIB : share,
			      memory_order_relaxed);
	atomic_store_explicit(&room->granted_until_ms, now + GRANT_MS,
			      memory_order_relaxed);
	/* What was seen of other nodes is not for these. */
	if (atomic_load(&pool->place.seq) != seq)
		atomic_store(&room->granted, 0);
	atomic_store_explicit(&room->retry_ms, 0, memory_order_relaxed);
	return true;
}
