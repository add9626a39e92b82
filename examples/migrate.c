/* SPDX-License-Identifier: BSD-2-Clause */
/* migrate - pages that move while their addresses stay, and a block for good */
#include <cxlmalloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define MIB	((size_t)1 << 20)
#define LEN	(8 * MIB)

/* Bytes of a range on a tier's nodes, says the kernel. */
static uint64_t on_tier(const void *p, int tier)
{
	struct cxlm_tier_info info = { .size = sizeof(info) };
	uint64_t on[64], sum = 0;

	if (cxlm_tier_info(tier, &info) || cxlm_resident(p, LEN, on, 64) < 0)
		return 0;
	for (int node = 0; node < 64; node++)
		if (info.nodes[0] >> node & 1)
			sum += on[node];
	return sum;
}

int main(void)
{
	/* Any memory will do: this is the program's own map. */
	char *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t moved;

	if (p == MAP_FAILED || cxlm_populate(p, LEN)) {
		perror("cxlm_populate");
		return 1;
	}
	memset(p, 42, LEN);
	for (int tier = CXLM_TIER_CXL; tier >= CXLM_TIER_DDR; tier--) {
		moved = cxlm_migrate(p, LEN, tier, CXLM_STRICT);
		if (moved < 0) {
			perror("cxlm_migrate");
			return 1;
		}
		printf("to %s: %llu MiB are there\n", tier ? "cxl" : "ddr",
		       (unsigned long long)on_tier(p, tier) / MIB);
		if (on_tier(p, tier) != LEN || p[LEN - 1] != 42)
			return 1;
	}

	/* To one node: the one that its first page is on. */
	moved = cxlm_migrate_node(p, LEN, cxlm_node_of(p), 0);
	printf("to one node: %lld MiB are there\n",
	       (long long)moved / (1 << 20));

	/* What will be used how is advice: a hot part, a cold part. */
	if (cxlm_advise(p, LEN / 2, CXLM_HOT) ||
	    cxlm_advise(p + LEN / 2, LEN / 2, CXLM_COLD)) {
		perror("cxlm_advise");
		return 1;
	}

	/* A block for good: its memory is the other tier's from now on. */
	char *block = cxlm_malloc(CXLM_TIER_DDR, MIB, 0), *there;

	if (!block)
		return 1;
	memset(block, 7, MIB);
	there = cxlm_move(block, CXLM_TIER_CXL, CXLM_STRICT);
	if (!there) {
		perror("cxlm_move");
		return 1;
	}
	printf("the block is of %s, its contents %s\n",
	       cxlm_tier_of(there) == CXLM_TIER_CXL ? "cxl" : "ddr",
	       there[MIB - 1] == 7 ? "as they were" : "lost");
	cxlm_free(there);
	return 0;
}
