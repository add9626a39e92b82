/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scope - a tier for all that is allocated from here to there
 *
 * Under libcxlmalloc.so it holds for malloc, and so for every library that is
 * called in between; with libcxlmem alone, for blocks of CXLM_TIER_POLICY.
 */
#include <cxlmalloc.h>
#include <stdio.h>

/* It does not know of tiers: in real life, a parser, a cache, a library. */
static void *build_index(void)
{
	return cxlm_malloc(CXLM_TIER_POLICY, 1000, 0);
}

static const char *tier_name(void *block)
{
	int tier = cxlm_tier_of(block);

	cxlm_free(block);
	return tier == CXLM_TIER_CXL ? "cxl" : "ddr";
}

int main(void)
{
	printf("outside: %s\n", tier_name(build_index()));
	if (cxlm_push(CXLM_TIER_CXL)) {
		perror("cxlm_push");
		return 1;
	}
	printf("inside: %s\n", tier_name(build_index()));
	/* Scopes nest; this one is as the operator's policy has it. */
	cxlm_push(CXLM_TIER_POLICY);
	printf("inside that: %s\n", tier_name(build_index()));
	cxlm_pop();
	printf("back: %s\n", tier_name(build_index()));
	cxlm_pop();
	printf("after: %s\n", tier_name(build_index()));

	/*
	 * A name instead of a tier: the operator decides, by hint=index:cxl in
	 * CXLMALLOC_CONF. Without one it is what the program would choose.
	 */
	int tier = cxlm_hint("index", CXLM_TIER_DDR);

	printf("index: %s\n", tier_name(cxlm_malloc(tier, 1000, 0)));

	/* For as long as the thread lives, and threads that it makes. */
	if (cxlm_thread_tier(CXLM_TIER_CXL, CXLM_INHERIT)) {
		perror("cxlm_thread_tier");
		return 1;
	}
	printf("this thread: %s\n", tier_name(build_index()));
	return cxlm_thread_tier(CXLM_TIER_POLICY, 0);
}
