/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/nodeset.h"
#include "pool/arena.h"
#include "pool/large.h"
#include "pool/mixed.h"
#include "pool/own.h"
#include "pool/report.h"
#include "sys/file.h"

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit((_Atomic uint64_t *)value,
				    memory_order_relaxed);
}

/* proc(5): "7f00 bind:1 anon=3 dirty=3 N0=1 N1=2 kernelpagesize_kB=4" */
static void count_line(const char *line,
		       void (*count)(void *arg, uintptr_t start, unsigned node,
				     uint64_t bytes),
		       void *arg)
{
	const char *s = strstr(line, "kernelpagesize_kB=");
	uint64_t page_size = s ? strtoul(s + 18, NULL, 10) * KIB : 0;
	uintptr_t start = strtoul(line, NULL, 16);

	for (s = line; (s = strstr(s, " N"));) {
		char *end;
		unsigned long node = strtoul(s + 2, &end, 10);

		if (end > s + 2 && *end == '=' && node < CM_MAX_NODES) {
			uint64_t pages = strtoul(end + 1, &end, 10);

			count(arg, start, (unsigned)node, pages * page_size);
		}
		s = end;
	}
}

/* Of what may lie on both tiers, the tier's part. */
static uint64_t part_at(uintptr_t start, enum cm_tier tier, unsigned node,
			uint64_t bytes)
{
	const void *p = (const void *)start;

	if (cm_mixed_has(p))
		return cm_part_of(cm_mixed_part(p, tier, node), bytes);
	if (cm_own_has(p))
		return cm_part_of(cm_own_part(p, tier, node), bytes);
	return bytes;
}

static bool is_of_both(uintptr_t start)
{
	return cm_mixed_has((void *)start) || cm_own_has((void *)start);
}

static void count_node(void *arg, uintptr_t start, unsigned node,
		       uint64_t bytes)
{
	struct cm_residency *r = arg;

	r->out->resident[node] += part_at(start, r->out->tier, node, bytes);
}

int cm_residency_line(char *line, void *residency)
{
	struct cm_residency *r = residency;
	uintptr_t start = strtoul(line, NULL, 16);

	if (is_of_both(start) || start - r->window.base < r->window.size)
		count_line(line, count_node, r);
	return 0;
}

struct on_node {
	unsigned node;
	uint64_t *bytes;
};

static void count_tiers(void *arg, uintptr_t start, unsigned node,
			uint64_t bytes)
{
	const struct on_node *on = arg;

	for (unsigned t = 0; t < CM_NR_TIERS && node == on->node; t++)
		if (cm_window_has(t, (void *)start) || is_of_both(start))
			on->bytes[t] += part_at(start, t, node, bytes);
}

static int on_node_line(char *line, void *arg)
{
	count_line(line, count_tiers, arg);
	return 0;
}

int cm_pool_resident_on(unsigned node, uint64_t bytes[CM_NR_TIERS])
{
	struct on_node on = { node, bytes };
	char text[8192];	/* a line names every node */

	memset(bytes, 0, CM_NR_TIERS * sizeof(bytes[0]));
	return cm_file_lines("/proc/self/numa_maps", text, sizeof(text),
			     on_node_line, &on);
}

static void residency(const struct cm_pool *pool, const struct cm_place *place,
		      struct cm_report_tier *out)
{
	struct cm_residency r = { cm_window_of(pool->tier), out };
	char text[8192];	/* a line names every node */

	out->resident_known = r.window.size &&
			      cm_file_lines("/proc/self/numa_maps", text,
					    sizeof(text), cm_residency_line,
					    &r) == 0;
	if (!out->resident_known ||
	    (place->binding != CM_BINDING_OFFLINE && !cm_place_is_bound(place)))
		return;
	for (unsigned node = 0; node < CM_MAX_NODES; node++)
		if (!cm_nodeset_test(&place->home, node))
			out->misplaced += out->resident[node];
}

/*
 * A large block that a thread's cache did not have jemalloc counts as requested
 * twice: by the cache, and by the arena, which counts each it makes.
 */
static uint64_t counted_twice(const struct cm_je *je, unsigned arena)
{
	uint64_t nr = cm_je_read(je, "arenas.nhbins");
	uint64_t nr_small = cm_je_read(je, "arenas.nbins");
	uint64_t twice = 0;

#define STAT(name) \
	cm_je_read_at2(je, "stats.arenas.0.lextents.0." name, arena, i)
	for (unsigned i = 0; i + nr_small < nr; i++) {
		uint64_t made = STAT("nmalloc");

		if (STAT("nrequests") >= 2 * made)
			twice += made;
	}
#undef STAT
	return twice;
}

/* Blocks that lie on both tiers: a tier's part of them, in number too. */
static void mixed_blocks(enum cm_tier tier, struct cm_report_tier *out,
			 uint64_t *live)
{
	const struct cm_je *je = cm_pool[CM_TIER_DDR].je;
	unsigned nr = atomic_load_explicit(&cm_nr_mixed, memory_order_acquire);

	for (unsigned i = 0; i < nr; i++) {
		const struct cm_mixed *m = &cm_mixed[i];
		struct cm_part part = cm_mixed_part_of(m, tier);
		uint64_t made, freed;

#define STAT(name) cm_je_read_at(je, "stats.arenas.0.large." name, m->arena)
		out->in_use += cm_part_of(part, STAT("allocated"));
		made = cm_part_of(part, STAT("nrequests"));
		freed = cm_part_of(part, STAT("ndalloc"));
#undef STAT
		out->nr_allocs += made;
		*live += made - freed;
	}
}

static void blocks(const struct cm_pool *pool, struct cm_report_tier *out)
{
	uint64_t live = 0, cached, taken;
	struct cm_own_blocks own;

	cached = cm_large_held(pool->tier, &taken);
	out->nr_allocs += taken;
	for (unsigned i = 0; i < out->nr_arenas; i++) {
#define STAT(name) \
	cm_je_read_at(pool->je, "stats.arenas.0." name, pool->arena[i].index)
		out->in_use += STAT("small.allocated") +
			       STAT("large.allocated");
		cached += STAT("tcache_bytes");
		out->nr_allocs += STAT("small.nrequests") +
				  STAT("large.nrequests") -
				  counted_twice(pool->je, pool->arena[i].index);
		live += STAT("small.nmalloc") + STAT("large.nmalloc") -
			STAT("small.ndalloc") - STAT("large.ndalloc");
#undef STAT
	}
	mixed_blocks(pool->tier, out, &live);
	cm_own_blocks(pool->tier, &own);
	out->in_use += own.in_use;
	out->nr_allocs += own.made;
	live += own.made - own.freed;
	out->in_use = out->in_use > cached ? out->in_use - cached : 0;
	/* Blocks waiting in thread caches count as not freed yet. */
	out->nr_frees = out->nr_allocs > live ? out->nr_allocs - live : 0;
}

/* An instance nobody used is not started just to be asked. */
static bool is_unused(struct cm_pool *pool)
{
	return pool->single ? pool->tier != CM_TIER_DDR :
			      !atomic_load_explicit(&pool->nr_arenas,
						    memory_order_acquire);
}

/* jemalloc's statistics are as of the last epoch, less this thread's cache. */
static void refresh_statistics(const struct cm_pool *pool)
{
	uint64_t epoch = 1;
	size_t size = sizeof(epoch);

	(void)pool->je->mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	(void)pool->je->mallctl("epoch", &epoch, &size, &epoch, sizeof(epoch));
}

void cm_pool_totals(struct cm_pool *pool, uint64_t *used, uint64_t *in_use)
{
	struct cm_report_tier tier = { .tier = pool->tier };

	*used = *in_use = 0;
	if (is_unused(pool)) {
		*used = load(&pool->used);
		if (*used)
			blocks(pool, &tier);
		*in_use = tier.in_use;
		return;
	}
	refresh_statistics(pool);
	if (pool->single) {
		*used = cm_je_read(pool->je, "stats.active");
		*in_use = cm_je_read(pool->je, "stats.allocated");
		return;
	}
	tier.nr_arenas = atomic_load_explicit(&pool->nr_arenas,
					      memory_order_acquire);
	blocks(pool, &tier);
	*used = load(&pool->used);
	*in_use = tier.in_use;
}

static void finish(struct cm_report_tier *out)
{
	if (out->limit != CM_NO_LIMIT && out->used > out->limit)
		out->over = out->used - out->limit;
	out->cached = out->used > out->in_use ? out->used - out->in_use : 0;
}

void cm_pool_report_words(struct cm_pool *pool, struct cm_report_tier *out)
{
	struct cm_place place;

	/* Looks come here: not the 8 KiB of nodes that none of this is of. */
	memset(out, 0, offsetof(struct cm_report_tier, group));
	out->resident_known = false;
	out->misplaced = 0;
	cm_place_get(&pool->place, &place);
	out->tier = pool->tier;
	out->binding = (enum cm_binding)place.binding;
	out->nodes = place.nodes;
	out->nr_groups = place.nr_groups;
	memcpy(out->group, place.group,
	       place.nr_groups * sizeof(place.group[0]));
	out->limit = load(&pool->limit);
	out->peak = load(&pool->peak);
	out->over_peak = load(&pool->over_peak);
	out->nr_full = load(&pool->nr_full);
	out->nr_refused = load(&pool->nr_refused);
	out->nr_arenas = atomic_load_explicit(&pool->nr_arenas,
					      memory_order_acquire);
	out->used = load(&pool->used);
	out->in_use = cm_pool_in_use(pool);
	if (pool->single && !is_unused(pool)) {
		refresh_statistics(pool);
		out->used = cm_je_read(pool->je, "stats.active");
		out->in_use = cm_je_read(pool->je, "stats.allocated");
		out->peak = out->used;
	}
	finish(out);
}

void cm_pool_report_statistics(struct cm_pool *pool, struct cm_report_tier *out)
{
	/* An unused pool may have its part of blocks that lie on both. */
	if (!is_unused(pool)) {
		refresh_statistics(pool);
		out->metadata = cm_je_read(pool->je, "stats.metadata");
		out->cache_bound = pool->single ? 0 : cm_pool_cache_bound(pool);
	}
	if (pool->single || (is_unused(pool) && !out->used))
		return;
	out->in_use = 0;
	blocks(pool, out);
	finish(out);
}

void cm_pool_report_pages(struct cm_pool *pool, struct cm_report_tier *out)
{
	struct cm_place place;

	memset(out->resident, 0, sizeof(out->resident));
	if (is_unused(pool) && !out->used) {
		out->resident_known = cm_window_of(pool->tier).size != 0;
	} else if (!pool->single) {
		cm_place_get(&pool->place, &place);
		residency(pool, &place, out);
	}
}

void cm_pool_report(struct cm_pool *pool, struct cm_report_tier *out)
{
	cm_pool_report_words(pool, out);
	cm_pool_report_statistics(pool, out);
	cm_pool_report_pages(pool, out);
}
