/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_full - what happens when every tier of the order is full
 *
 * limit_full fail|spill|interleave|remain LIMIT_MIB, under order=ddr:cxl with
 * that limit on both tiers and that on_full.
 */
#include <malloc.h>

#include "tiers.h"

#define BLOCK		(64 << 10)
#define MAX_BLOCKS	8192

static size_t limit;
static void *block[MAX_BLOCKS];
static signed char tier[MAX_BLOCKS];

/* Take blocks of n bytes until refused or `most` bytes; how many. */
static unsigned take(size_t n, size_t most, size_t bytes[2])
{
	unsigned i = 0;

	bytes[DDR] = bytes[CXL] = 0;
	while (i < MAX_BLOCKS && i * n < most) {
		errno = 0;
		block[i] = malloc(n);
		if (!block[i])
			break;
		memset(block[i], 1, n);
		tier[i] = (signed char)tier_of(block[i]);
		if (tier[i] >= 0)
			bytes[tier[i]] += n;
		i++;
	}
	return i;
}

static void give(unsigned nr)
{
	while (nr)
		free(block[--nr]);
}

static int all_refuse(void *keep)
{
	void *p = &p;
	int good = 1;

	errno = 0;
	good &= !malloc(4 * MIB) && errno == ENOMEM;
	errno = 0;
	good &= !calloc(4, MIB) && errno == ENOMEM;
	errno = 0;
	good &= !realloc(keep, 8 * MIB) && errno == ENOMEM;
	errno = 0;
	good &= !reallocarray(keep, 8, MIB) && errno == ENOMEM;
	errno = 0;
	good &= !aligned_alloc(4096, 4 * MIB) && errno == ENOMEM;
	errno = 0;
	good &= !memalign(2 * MIB, 4 * MIB) && errno == ENOMEM;
	errno = 0;
	good &= !valloc(4 * MIB) && errno == ENOMEM;
	errno = 0;
	good &= !pvalloc(4 * MIB) && errno == ENOMEM;
	good &= posix_memalign(&p, 64, 4 * MIB) == ENOMEM && p == &p;
	return good;
}

static void fail(void)
{
	size_t bytes[2], again[2];
	unsigned nr, nr_again;
	char text[64];

	nr = take(BLOCK, 20 * limit, bytes);
	check(nr < MAX_BLOCKS && errno == ENOMEM && !block[nr],
	      "malloc gives NULL and ENOMEM when both tiers are full");
	note("ddr %zu KiB, cxl %zu KiB", bytes[0] >> 10, bytes[1] >> 10);
	check(bytes[DDR] <= limit && bytes[DDR] >= limit / 4 * 3 &&
		      bytes[CXL] <= limit && bytes[CXL] >= limit / 4 * 3,
	      "each tier was filled first, to its limit and no further");
	check(stat_of(DDR).used <= limit && stat_of(CXL).used <= limit,
	      "committed bytes are within both limits");
	fill(block[0], BLOCK, 3);
	check(all_refuse(block[0]) && filled(block[0], BLOCK, 3),
	      "so do all its relatives, and realloc keeps the block");
	snprintf(text, sizeof(text), "%d %s", 42, "words");
	check(!strcmp(text, "42 words"), "the program lives");
	give(nr);
	nr_again = take(BLOCK, 20 * limit, again);
	check(nr_again >= nr / 10 * 9 && again[DDR] >= bytes[DDR] / 10 * 9,
	      "what is freed can be had again, on the same tiers");
	give(nr_again);
	/* small blocks, through the caches */
	for (int i = 0; i < 3; i++) {
		void *chain = NULL, **link;
		size_t n = 0;

		while ((link = malloc(48)) != NULL) {
			*link = chain;
			chain = link;
			n += 48;
			if (n > 4 * limit)
				break;
		}
		again[i > 0] = n;
		while (chain) {
			link = chain;
			chain = *link;
			free(link);
		}
	}
	check(again[0] >= limit && again[0] <= 2 * limit &&
		      again[1] >= again[0] / 10 * 9,
	      "small blocks fill both tiers too, three times over");
	check(stat_of(DDR).peak <= limit && stat_of(CXL).peak <= limit,
	      "peaks are within the limits");
	check(stat_of(DDR).over_peak == 0 && stat_of(CXL).over_peak == 0,
	      "nothing was ever over");
}

static void spill(void)
{
	size_t most = 6 * limit, bytes[2];
	unsigned nr = take(BLOCK, most, bytes);
	struct cxlm_tier_stat ddr = stat_of(DDR), cxl = stat_of(CXL);

	check(nr == most / BLOCK, "no malloc fails");
	check(bytes[DDR] <= limit && bytes[DDR] >= limit / 4 * 3 &&
		      bytes[CXL] == most - bytes[DDR],
	      "ddr was filled to its limit, the last tier takes the rest");
	check(ddr.used <= limit && ddr.over == 0 && ddr.peak <= limit,
	      "ddr stays within its limit");
	check(cxl.used >= bytes[CXL] && cxl.over == cxl.used - cxl.limit &&
		      cxl.over_peak >= cxl.over,
	      "what cxl took beyond its limit is counted as over");
	check(resident_of(DDR) <= limit + 2 * 4096,
	      "the kernel counts no more ddr pages than the limit");
	give(nr);
	malloc_trim(0);
	check(stat_of(CXL).over == 0 && stat_of(CXL).over_peak >= cxl.over,
	      "over is 0 again after free, its peak is kept");
	nr = take(BLOCK, limit / 2, bytes);
	check(bytes[DDR] == limit / 2, "and ddr is used again");
	give(nr);
}

static void interleave(void)
{
	size_t most = 10 * limit, bytes[2], run = BLOCK;
	unsigned nr = take(BLOCK, most, bytes), turns = 0, long_runs = 0;

	check(nr == most / BLOCK, "no malloc fails");
	note("ddr %zu KiB, cxl %zu KiB", bytes[0] >> 10, bytes[1] >> 10);
	check(bytes[DDR] >= most / 10 * 3 && bytes[CXL] >= most / 10 * 3,
	      "both tiers take a good part of it");
	check(tier[0] == DDR, "it begins with the first tier");
	for (unsigned i = 1; i < nr; i++) {
		if (tier[i] == tier[i - 1]) {
			run += BLOCK;
			continue;
		}
		turns++;
		/* a run is one limit's worth, but for rounding to extents */
		long_runs += run > limit + limit / 2;
		run = BLOCK;
	}
	note("%u turns", turns);
	check(turns >= 5, "the tiers take turns");
	check(!long_runs, "no turn is longer than a limit's worth");
	give(nr);
}

static void remain(void)
{
	size_t most = 8 * limit, bytes[2];
	unsigned nr = take(BLOCK, most, bytes), back = 0;

	check(nr == most / BLOCK, "no malloc fails");
	check(bytes[DDR] <= limit && bytes[DDR] >= limit / 4 * 3 &&
		      bytes[CXL] == most - bytes[DDR],
	      "ddr was filled to its limit, the rest is on the last tier");
	for (unsigned i = 1; i < nr; i++)
		back += tier[i - 1] == CXL && tier[i] == DDR;
	/* a hole that a run of the first tier left may still be filled */
	check(back <= 2, "once on the last tier it stays there");
	check(stat_of(DDR).peak <= limit, "ddr stays within its limit");
	give(nr);
}

int main(int argc, char **argv)
{
	if (argc != 3 || !tiers_found())
		return argc == 3 ? check_done() : 2;
	limit = (size_t)atoi(argv[2]) * MIB;
	if (!strcmp(argv[1], "fail"))
		fail();
	else if (!strcmp(argv[1], "spill"))
		spill();
	else if (!strcmp(argv[1], "interleave"))
		interleave();
	else if (!strcmp(argv[1], "remain"))
		remain();
	else
		return 2;
	return check_done();
}
