/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * locked_heap back|kept|may - free, purge and calloc when all memory is locked
 *
 * back: the kernel gives up locked pages that are purged (5.18 on). kept: it
 * does not; then they stay charged, and what is handed out again is cleared.
 * may: is mlockall allowed here? Exit status 77 when not.
 * Under order=ddr:cxl,ddr.limit=64m.
 */
#include <malloc.h>
#include <sys/mman.h>

#include "tiers.h"

#define NR_LARGE	64
#define LARGE		((size_t)128 << 10)
#define NR_SMALL	4096
#define SMALL		((size_t)2000)
#define BYTES		(NR_LARGE * LARGE + NR_SMALL * SMALL)

static void *block[NR_LARGE + NR_SMALL];

static size_t size_of(size_t i)
{
	return i < NR_LARGE ? LARGE : SMALL;
}

static void take_and_dirty(void)
{
	for (size_t i = 0; i < NR_LARGE + NR_SMALL; i++) {
		block[i] = malloc(size_of(i));
		memset(block[i], 0xa5, size_of(i));
	}
}

static void give_back(size_t step)
{
	for (size_t i = 0; i < NR_LARGE + NR_SMALL; i += step) {
		free(block[i]);
		block[i] = NULL;
	}
}

/* Fills what is free with calloc's blocks, which are dirty afterwards. */
static int zeros(void)
{
	size_t bad = 0;

	for (size_t i = 0; i < NR_LARGE + NR_SMALL; i++) {
		const char *at;

		if (block[i])
			continue;
		at = block[i] = calloc(size_of(i) / 8, 8);
		for (size_t k = 0; at && k < size_of(i); k++)
			bad += at[k] != 0;
		bad += !at;
		if (at)
			memset(block[i], 0xa5, size_of(i));
	}
	return !bad;
}

int main(int argc, char **argv)
{
	int kept = argc > 1 && !strcmp(argv[1], "kept");
	size_t resident, later;
	uint64_t used;

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		return 77;
	if (argc > 1 && !strcmp(argv[1], "may"))
		return memset(malloc(2 * BYTES), 1, 2 * BYTES) ? 0 : 77;
	if (!tiers_found())
		return check_done();
	take_and_dirty();
	used = stat_of(DDR).used;
	resident = resident_of(DDR);
	check(used >= BYTES && resident >= BYTES, "the blocks are in memory");
	/* The kernel fills what is mapped, but for what is mapped our way. */
	check(resident <= used, "and nothing else: %zu KiB, %zu charged",
	      resident >> 10, (size_t)used >> 10);
	give_back(1);
	malloc_trim(0);
	later = resident_of(DDR);
	note("used %llu, then %llu; resident %zu, then %zu",
	     (unsigned long long)used, (unsigned long long)stat_of(DDR).used,
	     resident, later);
	if (kept) {
		check(later + MIB >= resident,
		      "locked pages do not leave memory");
		check(stat_of(DDR).used >= BYTES,
		      "what the kernel kept stays charged");
	} else {
		check(later + BYTES <= resident,
		      "what was freed has left memory");
		check(stat_of(DDR).used + BYTES <= used,
		      "what was freed is not charged");
	}
	check(zeros(), "calloc after free and purge is zero");
	give_back(3);
	check(zeros(), "calloc after free is zero");
	give_back(2);
	malloc_trim(0);
	check(zeros(), "calloc among blocks that stayed is zero");
	note("peak %llu", (unsigned long long)stat_of(DDR).peak);
	/* Taken anew each time, it would be three times as much. */
	check(stat_of(DDR).peak <= used + BYTES / 2 && stat_of(CXL).used < MIB,
	      "what was free was used again");
	return check_done();
}
