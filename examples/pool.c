/* SPDX-License-Identifier: BSD-2-Clause */
/* pool - a cache that may take 16 MiB of CXL memory and is dropped at once */
#include <cxlmalloc.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB	((size_t)1 << 20)

int main(void)
{
	struct cxlm_pool_attr attr = { .size = sizeof(attr),
				       .tier = CXLM_TIER_CXL,
				       .policy = CXLM_POOL_BIND,
				       .limit = 16 * MIB,
				       .name = "cache" };
	struct cxlm_pool_stat stat = { .size = sizeof(stat) };
	struct cxlm_tier_info ddr = { .size = sizeof(ddr) };
	cxlm_pool *cache = cxlm_pool_create(&attr), *node;
	unsigned blocks = 0, more = 0;

	if (!cache) {
		perror("cxlm_pool_create");
		return 1;
	}
	while (cxlm_pool_malloc(cache, 100000))
		blocks++;
	if (errno != ENOMEM || cxlm_pool_stat(cache, &stat) ||
	    stat.used > 16 * MIB)
		return 1;
	printf("pool %s: full with %u blocks, %llu MiB\n", stat.name, blocks,
	       (unsigned long long)(stat.used / MIB));

	/* A higher limit, and it goes on. */
	cxlm_pool_set_limit(cache, 32 * MIB);
	while (cxlm_pool_malloc(cache, 100000))
		more++;
	printf("with twice the limit: %u more\n", more);

	/* All blocks go; what is allocated then is of the same pool. */
	cxlm_pool_reset(cache);
	char *text = cxlm_pool_aligned_alloc(cache, 64, 1000);
	int *zeros = cxlm_pool_calloc(cache, 1000, sizeof(int));

	if (!text || !zeros || zeros[999] || cxlm_pool_of(text) != cache)
		return 1;
	cxlm_free(text); /* a single one */
	cxlm_pool_stat(cache, &stat);
	printf("after a reset: %llu KiB in use\n",
	       (unsigned long long)(stat.in_use / 1024));

	/* The process's own pool of some nodes: DDR's here. */
	cxlm_tier_info(CXLM_TIER_DDR, &ddr);
	node = cxlm_node_pool(ddr.nodes, sizeof(ddr.nodes) * 8, CXLM_STRICT);
	void *block = node ? cxlm_pool_malloc(node, 5000) : NULL;

	if (!block) {
		perror("cxlm_node_pool");
		return 1;
	}
	if (cxlm_pool_of(block) != node || cxlm_tier_of(block) == CXLM_TIER_CXL)
		return 1;
	cxlm_free(block);

	if (cxlm_pool_destroy(cache)) {
		perror("cxlm_pool_destroy");
		return 1;
	}
	puts("the pool and its blocks are gone");
	return 0;
}
