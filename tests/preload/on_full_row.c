/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * on_full_row - bring the tiers into a state, then see who takes the next
 * block, and how
 *
 * on_full_row ORDER STATE TIER HOW LIMIT_MIB, under that order with the limit
 * on both tiers. The words are those of src/control/on_full.def; whether the
 * pages are on any node or on the tier's own is its binding, in the report.
 */
#include "tiers.h"

#define BLOCK		(64 << 10)
#define MAX_BLOCKS	4096

static size_t limit;
static void *block[MAX_BLOCKS];
static unsigned nr;

static int tier_named(const char *name)
{
	return !strcmp(name, "ddr") ? DDR : !strcmp(name, "cxl") ? CXL : -1;
}

/* The next block's tier; -1 when it is refused. */
static int take(void)
{
	void *p;

	if (nr == MAX_BLOCKS)
		return -1;
	errno = 0;
	p = malloc(BLOCK);
	if (!p)
		return -1;
	memset(p, 1, BLOCK);
	block[nr++] = p;
	return tier_of(p);
}

/*
 * Blocks until the tiers of the order are full: the first block that is not
 * on the tier expected, or lies beyond its limit, is the one asked for.
 */
static int next_after(const char *state, int first, int last)
{
	int tier;

	if (!strcmp(state, "room"))
		return take();
	do {
		tier = take();
	} while (tier == first && stat_of(first).over == 0);
	if (!strcmp(state, "first_full") || first == last)
		return tier;
	while (tier == last && stat_of(last).over == 0)
		tier = take();
	return tier;
}

int main(int argc, char **argv)
{
	int first, last, tier, wanted, refused;
	const char *how;

	if (argc != 6)
		return 2;
	if (!tiers_found())
		return check_done();
	first = tier_named(strncmp(argv[1], "cxl", 3) ? "ddr" : "cxl");
	last = strchr(argv[1], ':') ? !first : first;
	wanted = tier_named(argv[3]);
	how = argv[4];
	limit = (size_t)atoi(argv[5]) * MIB;
	tier = next_after(argv[2], first, last);
	refused = errno;
	check(tier == wanted, "%s, %s: %s takes the block (%d)", argv[1],
	      argv[2], argv[3], tier);
	if (!strcmp(how, "enomem"))
		check(refused == ENOMEM, "nobody: errno is ENOMEM");
	else if (!strcmp(how, "within"))
		check(stat_of(wanted).used <= limit &&
			      stat_of(wanted).over == 0,
		      "within its limit");
	else
		check(stat_of(wanted).used > limit &&
			      stat_of(wanted).over ==
				      stat_of(wanted).used - limit,
		      "beyond its limit, counted as over");
	if (strcmp(argv[2], "room"))
		check(stat_of(first).used >= limit / 4 * 3,
		      "the first tier was full (%zu KiB)",
		      (size_t)stat_of(first).used >> 10);
	if (!strcmp(argv[2], "all_full") && first != last)
		check(stat_of(last).used >= limit / 4 * 3,
		      "so was the last (%zu KiB)",
		      (size_t)stat_of(last).used >> 10);
	while (nr)
		free(block[--nr]);
	return check_done();
}
