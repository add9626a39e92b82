/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * full FIRST ON_FULL MIB DDR-NODES CXL-NODES - two limited tiers fill up
 *
 * FIRST: ddr or cxl, the order's first. Both tiers have a limit of MIB. The
 * program asks for three times what both may hold, and judges each step by
 * the table of cxlmalloc.conf(5).
 */
#include "pages.h"

#define BLOCK		((size_t)24 << 10)
#define MAX_BLOCKS	16384

static char *blocks[MAX_BLOCKS];
static size_t nr_blocks, nr_first, refusals, wrong_errno, early_switch;
static int first, second;
static uint64_t limit, most[TIERS];
static unsigned nodes[TIERS];

static void watch(void)
{
	for (int tier = 0; tier < TIERS; tier++) {
		struct cxlm_tier_stat st = stat_of(tier);

		if (st.used > most[tier])
			most[tier] = st.used;
	}
}

static void take(size_t bytes)
{
	for (size_t had = 0; had < bytes && nr_blocks < MAX_BLOCKS;
	     had += BLOCK) {
		char *at;

		errno = 0;
		at = malloc(BLOCK);
		watch();
		if (!at) {
			refusals++;
			wrong_errno += errno != ENOMEM;
			continue;
		}
		for (size_t i = 0; i < BLOCK; i += PAGE)
			at[i] = 1;
		at[BLOCK - 1] = 1;
		blocks[nr_blocks++] = at;
		if (tier_of(at) == first)
			nr_first++;
		else if (stat_of(first).used < limit / 4 * 3)
			early_switch++;
	}
}

static void every_page(void)
{
	struct pages seen[TIERS];
	char text[100];

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < nr_blocks; i++)
		if (tier_of(blocks[i]) >= 0)
			count_pages(blocks[i], BLOCK,
				    &seen[tier_of(blocks[i])]);
	for (int tier = 0; tier < TIERS; tier++) {
		check(all_pages(&seen[tier]) &&
			      !elsewhere(&seen[tier], nodes[tier]),
		      "every page of %s is on its nodes",
		      tier == DDR ? "ddr" : "cxl");
		format_pages(&seen[tier], text, sizeof(text));
		note("%s: pages by node: %s", tier == DDR ? "ddr" : "cxl",
		     text);
	}
}

int main(int argc, char **argv)
{
	const char *on_full;
	int fail, interleave;

	if (argc != 6)
		return 2;
	first = strcmp(argv[1], "ddr") ? CXL : DDR;
	second = first == DDR ? CXL : DDR;
	on_full = argv[2];
	limit = strtoul(argv[3], NULL, 10) * MIB;
	nodes[DDR] = node_mask(argv[4]);
	nodes[CXL] = node_mask(argv[5]);
	fail = !strcmp(on_full, "fail");
	interleave = !strcmp(on_full, "interleave");
	if (!tiers_found())
		return check_done();

	take(limit * 6);
	check(nr_first * BLOCK >= limit / 4 * 3 && !early_switch,
	      "the first tier serves until it is full");
	check(nr_blocks * BLOCK >= limit / 2 * 3,
	      "the second tier serves until it is full");
	if (fail)
		check(refusals && !wrong_errno, "then NULL and ENOMEM");
	else
		check(!refusals && nr_blocks * BLOCK >= limit * 6,
		      "then every allocation still succeeds");
	if (!interleave)
		check(most[first] <= limit,
		      "the first tier never commits more than its limit");
	else
		check(most[first] > limit * 2 && most[second] > limit * 2,
		      "both tiers go beyond their limits, by turns");
	if (fail)
		check(most[second] <= limit,
		      "the second tier never commits more than its limit");
	else
		check(stat_of(second).over > 0,
		      "what the second has beyond its limit is told as over");
	if (!fail && !interleave)
		check(most[second] > limit * 9 / 2,
		      "the second tier takes all that is beyond");
	every_page();
	return check_done();
}
