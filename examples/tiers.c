/* SPDX-License-Identifier: BSD-2-Clause */
/* tiers - blocks on a tier, and the kernel's word for where they are */
#include <cxlmalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB	((size_t)1 << 20)
#define NODES	64

/* Is all of a block on the nodes of its tier? Asked from the kernel. */
static int is_there(const void *p, size_t len, int tier)
{
	struct cxlm_tier_info info = { .size = sizeof(info) };
	uint64_t on[NODES], there = 0, all = 0;

	if (cxlm_tier_info(tier, &info) || cxlm_resident(p, len, on, NODES) < 0)
		return 0;
	for (int node = 0; node < NODES; node++) {
		all += on[node];
		if (info.nodes[0] >> node & 1)
			there += on[node];
		if (on[node])
			printf("  %zu MiB: %zu of them on node %d\n", len / MIB,
			       (size_t)on[node] / MIB, node);
	}
	return there == all && all >= len;
}

static void *need(void *p)
{
	if (!p) {
		perror("no block");
		exit(1);
	}
	return p;
}

int main(void)
{
	struct cxlm_tier_stat stat = { .size = sizeof(stat) };
	struct cxlm_node_info node = { .size = sizeof(node) };
	static const char *const name[] = { "ddr", "cxl" };
	int bad = 0, page = 4096;

	printf("library %s\n", cxlm_version());
	if (cxlm_node_of(&page) < 0) {
		perror("the kernel does not say where pages are");
		return 1;
	}
	for (int n = 0; n < cxlm_nr_nodes(); n++)
		if (!cxlm_node_info(n, &node))
			printf("node %d: %s, %llu MiB\n", n,
			       node.tier < 0 ? "no tier" : name[node.tier],
			       (unsigned long long)node.total / MIB);

	for (int tier = CXLM_TIER_DDR; tier <= CXLM_TIER_CXL; tier++) {
		char *p = need(
			cxlm_aligned_alloc(tier, page, 8 * MIB, CXLM_STRICT));

		memset(p, 1, 8 * MIB); /* pages come when they are touched */
		printf("%s:\n", name[tier]);
		bad |= cxlm_tier_of(p) != tier;
		bad |= !is_there(p, 8 * MIB, tier);
		cxlm_tier_stat(tier, &stat);
		bad |= stat.used < 8 * MIB;

		/* Another size stays there; another tier is asked for. */
		p = need(cxlm_realloc(p, 12 * MIB));
		bad |= cxlm_tier_of(p) != tier || p[8 * MIB - 1] != 1;
		p = need(cxlm_realloc_to(p, !tier, 2 * MIB, CXLM_STRICT));
		bad |= cxlm_tier_of(p) != !tier || p[2 * MIB - 1] != 1;
		cxlm_free(p);
	}

	/* Small ones, zeroed ones; which tier does not matter: the policy's. */
	int *numbers = need(cxlm_calloc(CXLM_TIER_CXL, 1000, sizeof(int), 0));
	char *text = need(cxlm_malloc(CXLM_TIER_POLICY, 100, 0));
	bad |= numbers[999] != 0 || cxlm_usable_size(text) < 100;
	cxlm_free(numbers);
	cxlm_free(text);

	/* By node: the one this page is on, alone and in a set. */
	int here = cxlm_node_of(&page);
	unsigned long set = 1UL << here;
	char *one = need(cxlm_malloc_node(here, MIB, CXLM_STRICT));
	char *of_set = need(cxlm_malloc_nodes(&set, NODES, MIB, 0));
	*one = *of_set = 1;
	bad |= cxlm_node_of(one) != here;
	cxlm_free(one);
	cxlm_free(of_set);
	puts(bad ? "something is not where it should be" :
		   "all is where it should be");
	return bad;
}
