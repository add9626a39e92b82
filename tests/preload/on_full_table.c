/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * on_full_table - every row of control/on_full.def, as man 5 shows it
 *
 *	on_full_table rows		prints "N ORDER ON_FULL STATE TIER HOW"
 *	on_full_table N ON_FULL		checks row N, in a process whose
 *					CXLMALLOC_CONF has that order and
 *					on_full, and LIMIT for both tiers
 *
 * The two tiers are bound to node 0, so that the kernel shows by which policy.
 */
#include "tiers.h"

#define LIMIT	(16 * MIB)
#define BLOCK	((size_t)64 << 10)

static const struct row {
	const char *order, *on_full, *state, *tier, *how;
} rows[] = {
#define ON_FULL_CASE(order, on_full, state, tier, how) \
	{ order, on_full, state, tier, how },
#include "../../src/control/on_full.def"
};

#define NR_ROWS	(sizeof(rows) / sizeof(rows[0]))

static int id_of(const char *name)
{
	return !strncmp(name, "ddr", 3) ? DDR : !strncmp(name, "cxl", 3) ? CXL :
									   -1;
}

/* The tier of a fresh block, touched; -1: none was to be had. */
static int next_tier(void)
{
	char *p;

	errno = 0;
	p = malloc(BLOCK);
	if (p)
		memset(p, 1, BLOCK);
	return p ? tier_of(p) : -1;
}

/* Allocate until blocks come from elsewhere than `tier`; where from. */
static int fill_tier(int tier)
{
	int now = tier;

	for (size_t n = 0; n < 2 * LIMIT && now == tier; n += BLOCK)
		now = next_tier();
	return now;
}

/* The policy of the tier's ranges: the word behind the address. */
static int policy_is(int tier, const char *word)
{
	static char line[8192];
	FILE *f = fopen("/proc/self/numa_maps", "r");
	int seen = 0, good = 1;

	while (f && fgets(line, sizeof(line), f)) {
		void *at = (void *)strtoul(line, NULL, 16);
		const char *policy = strchr(line, ' ');

		if (tier_of(at) != tier || !policy)
			continue;
		seen = 1;
		good &= !strncmp(policy + 1, word, strlen(word));
	}
	if (f)
		fclose(f);
	return seen && good;
}

static int over_a_while(int tier, const char *order)
{
	size_t before = stat_of(tier).over;
	int one_tier = !strchr(order, ':');

	for (size_t n = 0; n < LIMIT / 2; n += BLOCK)
		if (next_tier() != tier)
			return 0;
	return stat_of(tier).over >= before + LIMIT / 4 &&
	       (one_tier || stat_of(!tier).over == 0);
}

static void check_row(const struct row *row, const char *on_full)
{
	int first = id_of(row->order);
	const char *colon = strchr(row->order, ':');
	int second = colon ? id_of(colon + 1) : -1;
	int got, good;

	if (!strcmp(row->state, "room")) {
		got = next_tier();
	} else if (!strcmp(row->state, "first_full")) {
		got = fill_tier(first);
	} else {
		got = fill_tier(first);
		/* With two tiers: the second is filled now. */
		if (got == second && second >= 0)
			got = fill_tier(second);
		if (!strcmp(row->how, "any_node") ||
		    !strcmp(row->how, "own_nodes"))
			got = next_tier();
	}
	good = got == id_of(row->tier);
	if (!strcmp(row->how, "within"))
		good &= stat_of(DDR).over_peak == 0 &&
			stat_of(CXL).over_peak == 0;
	else if (!strcmp(row->how, "enomem"))
		good &= errno == ENOMEM && stat_of(DDR).over_peak == 0 &&
			stat_of(CXL).over_peak == 0;
	else if (!strcmp(row->how, "any_node"))
		good &= over_a_while(got, row->order) &&
			policy_is(got, "prefer");
	else if (!strcmp(row->how, "own_nodes"))
		good &= over_a_while(got, row->order) &&
			policy_is(got, "bind");
	else
		good &= !strcmp(row->how, "new_round") &&
			stat_of(got).over > 0;
	check(good, "order=%s on_full=%s, %s: %s, %s", row->order, on_full,
	      row->state, row->tier, row->how);
	if (!good)
		note("got tier %d, ddr %zu KiB over %zu, cxl %zu KiB over %zu",
		     got, (size_t)stat_of(DDR).used >> 10,
		     (size_t)stat_of(DDR).over >> 10,
		     (size_t)stat_of(CXL).used >> 10,
		     (size_t)stat_of(CXL).over >> 10);
}

int main(int argc, char **argv)
{
	size_t n;

	if (argc == 2 && !strcmp(argv[1], "rows")) {
		for (n = 0; n < NR_ROWS; n++)
			printf("%zu %s %s\n", n, rows[n].order,
			       rows[n].on_full);
		return 0;
	}
	n = argc == 3 ? strtoul(argv[1], NULL, 10) : NR_ROWS;
	if (n >= NR_ROWS)
		return 2;
	if (!tiers_found())
		return 1;
	check_row(&rows[n], argv[2]);
	return check_done();
}
