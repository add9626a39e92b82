/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - where the pages of the program's maps are, as the kernel answers
 *
 * numa_maps has a line for each mapping of the kernel's, with where it begins
 * and not where it ends; and the kernel makes one mapping of what we placed and
 * what we did not, where both have the same policy. So a mapping that is not
 * all ours is asked for page by page, unless that would take long.
 */
#include <stdlib.h>
#include <string.h>

#include "base/nodeset.h"
#include "map/map.h"
#include "pool/pool.h"
#include "sys/file.h"

#define BY_PAGE_MAX	(256 * MIB)	/* some 10 ms */
#define BATCH		512

struct residency {
	struct cm_report_tier *tier;	/* of all tiers */
	/* The line before: it ends at this one's start, or sooner. */
	uintptr_t at;
	uint64_t page_size;
	unsigned nr;
	struct {
		unsigned node;
		uint64_t pages;
	} on[32];
	bool cut;			/* on more nodes than that */
};

static struct cm_report_tier *tier_of(const struct residency *r,
				      enum cm_range_place place)
{
	return &r->tier[place == CM_RANGE_CXL ? CM_TIER_CXL : CM_TIER_DDR];
}

static void count_line(const struct residency *r, enum cm_range_place place)
{
	for (unsigned i = 0; i < r->nr; i++)
		tier_of(r, place)->resident[r->on[i].node] += r->on[i].pages *
							      r->page_size;
}

/* False: the kernel does not say. */
static bool count_pages(const struct residency *r,
			const struct cm_range_run *run)
{
	struct cm_report_tier *tier = tier_of(r, run->place);
	size_t page = cm_sys_page_size(), nr;
	uintptr_t at = run->at, end = at + run->size;
	void *pages[BATCH];
	int node[BATCH];

	while (at < end) {
		for (nr = 0; nr < BATCH && at < end; at += page)
			pages[nr++] = (void *)at;
		if (cm_sys_nodes_of(pages, nr, node))
			return false;
		while (nr-- > 0)
			if (node[nr] >= 0 && node[nr] < CM_MAX_NODES)
				tier->resident[node[nr]] += page;
	}
	return true;
}

/* The line before, now that it is known to end at `end` at the latest. */
static void settle(const struct residency *r, uintptr_t end)
{
	struct cm_range_run run;
	uintptr_t at = r->at;

	if (!r->nr || !cm_range_next(at, end, &run))
		return;
	if (!r->cut && run.at == at &&
	    (run.size == end - at || run.size > BY_PAGE_MAX)) {
		count_line(r, run.place);
		return;
	}
	do {
		if (!count_pages(r, &run)) {
			count_line(r, run.place);
			return;
		}
		at = run.at + run.size;
	} while (cm_range_next(at, end, &run));
}

/* proc(5): "7f00 bind:1 anon=3 dirty=3 N0=1 N1=2 kernelpagesize_kB=4" */
static int residency_line(char *line, void *arg)
{
	struct residency *r = arg;
	const char *s = strstr(line, "kernelpagesize_kB=");
	uintptr_t at = strtoul(line, NULL, 16);

	settle(r, at);
	r->at = at;
	r->nr = 0;
	r->cut = false;
	r->page_size = s ? strtoul(s + 18, NULL, 10) * KIB : 0;
	if (!strstr(line, " anon="))
		return 0;
	for (s = line; (s = strstr(s, " N"));) {
		char *end;
		unsigned long node = strtoul(s + 2, &end, 10);

		if (end > s + 2 && *end == '=' && node < CM_MAX_NODES) {
			r->cut |= r->nr == CM_ARRAY_SIZE(r->on);
			if (!r->cut) {
				r->on[r->nr].node = (unsigned)node;
				r->on[r->nr++].pages = strtoul(end + 1, &end,
							       10);
			}
		}
		s = end;
	}
	return 0;
}

static uint64_t sum_elsewhere(const struct cm_report_tier *tier,
			      const struct cm_nodeset *home)
{
	uint64_t sum = 0;

	for (unsigned node = 0; node < CM_MAX_NODES; node++)
		if (!cm_nodeset_test(home, node))
			sum += tier->resident[node];
	return sum;
}

static bool may_be_misplaced(const struct cm_place *place)
{
	return place->binding == CM_BINDING_OFFLINE || cm_place_is_bound(place);
}

void cm_map_report(struct cm_report_tier tier[CM_NR_TIERS])
{
	struct residency r = { .tier = tier };
	struct cm_place place;
	char text[8192];	/* a line names every node */
	struct cm_range_run any;
	bool known = true;

	if (!cm_range_next(0, (uintptr_t)INTPTR_MAX, &any))
		return;
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		tier[t].mapped = cm_map_mapped(t);
		known &= tier[t].resident_known;
	}
	if (!known || cm_file_lines("/proc/self/numa_maps", text, sizeof(text),
				    residency_line, &r))
		return;
	settle(&r, (uintptr_t)INTPTR_MAX);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_place_get(&cm_pool[t].place, &place);
		if (may_be_misplaced(&place))
			tier[t].misplaced = sum_elsewhere(&tier[t],
							  &place.home);
	}
}
