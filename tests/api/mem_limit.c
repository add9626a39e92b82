/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_limit - cxl.limit=16m: strict is refused there, preferred goes on to DDR
 */
#include <cxlmalloc.h>

#include "../preload/check.h"

#define SIZE	65536
#define NR	1024		/* four times the limit */
#define LIMIT	(16 << 20)

static struct cxlm_tier_stat stat_of(int tier)
{
	struct cxlm_tier_stat stat = { .size = sizeof(stat) };

	check(!cxlm_tier_stat(tier, &stat), "cxlm_tier_stat(%d)", tier);
	return stat;
}

int main(void)
{
	static void *block[NR], *other[NR];
	unsigned nr = 0, elsewhere = 0;
	struct cxlm_tier_stat stat;
	int err;

	stat = stat_of(CXLM_TIER_CXL);
	check(stat.limit == LIMIT, "the limit is that of CXLMALLOC_CONF");
	errno = 0;
	while (nr < NR && (block[nr] = cxlm_malloc(CXLM_TIER_CXL, SIZE,
						   CXLM_STRICT)) != NULL)
		memset(block[nr++], 1, SIZE);
	err = errno;
	check(nr >= LIMIT / SIZE / 2 && nr <= LIMIT / SIZE && err == ENOMEM,
	      "strict: %u blocks of 64 KiB, then ENOMEM (%d)", nr, err);
	stat = stat_of(CXLM_TIER_CXL);
	check(stat.peak <= LIMIT && stat.over_peak == 0,
	      "never above the limit: %lu", (unsigned long)stat.peak);
	for (unsigned i = 0; i < 64; i++) {
		other[i] = cxlm_malloc(CXLM_TIER_CXL, SIZE, 0);
		elsewhere += cxlm_tier_of(other[i]) == CXLM_TIER_DDR;
	}
	check(elsewhere >= 60, "preferred: %u of 64 on DDR", elsewhere);
	for (unsigned i = 0; i < nr; i++)
		cxlm_free(block[i]);
	for (unsigned i = 0; i < 64; i++)
		cxlm_free(other[i]);
	block[0] = cxlm_malloc(CXLM_TIER_CXL, SIZE, CXLM_STRICT);
	check(cxlm_tier_of(block[0]) == CXLM_TIER_CXL,
	      "what was freed is had again");
	cxlm_free(block[0]);
	return check_done();
}
