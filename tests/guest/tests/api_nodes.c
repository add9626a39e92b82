/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_nodes DDR CXL [FREE] - pools, blocks and ranges of the C API on real nodes,
 * given as lists; each page is asked from the kernel here
 *
 * FREE: a node that is to be filled by a strict block, until that is refused.
 */
#include <cxlmalloc.h>

#include "pages.h"

#define HUGE_PAGE	(2 * MIB)	/* moves as one */
#define BLOCK		(2 * HUGE_PAGE)

static struct pages pages_of(const void *p, size_t size)
{
	struct pages seen = { 0 };

	count_pages(p, size, &seen);
	return seen;
}

static void lie_on(const char *what, const void *p, size_t size, unsigned nodes)
{
	struct pages seen = pages_of(p, size);
	char text[200];

	format_pages(&seen, text, sizeof(text));
	check(p && !elsewhere(&seen, nodes), "%s (pages by node: %s)", what,
	      text);
}

static void *written(void *p, size_t size)
{
	if (p)
		memset(p, 0x5a, size);
	return p;
}

static int is_filled(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != 0x5a)
			return 0;
	return 1;
}

static cxlm_pool *make(int tier, int policy, unsigned long nodes)
{
	struct cxlm_pool_attr attr = { .size = sizeof(attr),
				       .tier = tier,
				       .policy = policy,
				       .nodes = &nodes,
				       .maxnode = 64 };

	return cxlm_pool_create(&attr);
}

/* Small and large blocks of a pool; then all goes, and comes back as it was. */
static void pool_on(const char *what, cxlm_pool *pool, unsigned nodes)
{
	char text[100];
	void *p, *q;

	check(pool != NULL, "%s: a pool (errno %d)", what, pool ? 0 : errno);
	p = written(cxlm_pool_malloc(pool, 8 * MIB), 8 * MIB);
	snprintf(text, sizeof(text), "%s: a large block", what);
	lie_on(text, p, 8 * MIB, nodes);
	for (int i = 0; i < 100; i++)
		q = written(cxlm_pool_malloc(pool, 3000), 3000);
	snprintf(text, sizeof(text), "%s: a small block", what);
	lie_on(text, q, 3000, nodes);
	cxlm_free(p);
	check(!cxlm_pool_reset(pool), "%s: reset", what);
	p = written(cxlm_pool_malloc(pool, 16 * MIB), 16 * MIB);
	snprintf(text, sizeof(text), "%s: a block after it", what);
	lie_on(text, p, 16 * MIB, nodes);
	check(!cxlm_pool_destroy(pool), "%s: destroyed", what);
}

static void pools(unsigned ddr, unsigned cxl)
{
	cxlm_pool *pool;
	struct pages seen;
	unsigned nr = 0;
	size_t least = SIZE_MAX, most = 0;
	void *p;
	char text[64];

	pool_on("ddr's nodes", make(CXLM_TIER_DDR, CXLM_POOL_BIND, 0), ddr);
	pool_on("cxl's nodes", make(CXLM_TIER_CXL, CXLM_POOL_BIND, 0), cxl);
	pool_on("cxl's, preferred", make(CXLM_TIER_CXL, CXLM_POOL_PREFERRED, 0),
		cxl);
	for (int node = 0; node < NODES; node++) {
		if (!((ddr | cxl) >> node & 1))
			continue;
		nr++;
		snprintf(text, sizeof(text), "node %d", node);
		pool_on(text,
			make(CXLM_TIER_POLICY, CXLM_POOL_BIND, 1UL << node),
			1u << node);
		for (int strict = 0; strict < 2; strict++) {
			p = written(cxlm_malloc_node(node, 2 * MIB,
						     strict ? CXLM_STRICT : 0),
				    2 * MIB);
			snprintf(text, sizeof(text), "cxlm_malloc_node(%d), %s",
				 node, strict ? "strict" : "preferred");
			lie_on(text, p, 2 * MIB, 1u << node);
			check(cxlm_tier_of(p) == (int)(cxl >> node & 1),
			      "%s: its tier is the node's", text);
			cxlm_free(p);
		}
	}
	check(!make(CXLM_TIER_POLICY, CXLM_POOL_BIND, ddr | cxl) &&
		      errno == EINVAL,
	      "nodes of both tiers are not bound: EINVAL");
	pool = make(CXLM_TIER_POLICY, CXLM_POOL_INTERLEAVE, ddr | cxl);
	p = written(cxlm_pool_malloc(pool, 24 * MIB), 24 * MIB);
	seen = pages_of(p, 24 * MIB);
	for (int node = 0; node < NODES; node++)
		if ((ddr | cxl) >> node & 1) {
			least = seen.on[node] < least ? seen.on[node] : least;
			most = seen.on[node] > most ? seen.on[node] : most;
		}
	check(p && !elsewhere(&seen, ddr | cxl) && most - least <= 1,
	      "interleaved: %zu to %zu pages on each of %u nodes", least, most,
	      nr);
	for (size_t at = 0, wrong = 0; at <= 24 * MIB; at += PAGE) {
		if (at == 24 * MIB) {
			check(!wrong,
			      "interleaved: cxlm_tier_of knows each "
			      "page's tier (%zu wrong)",
			      wrong);
			break;
		}
		wrong += cxlm_tier_of((char *)p + at) !=
			 (int)(cxl >> cxlm_node_of((char *)p + at) & 1);
	}
	check(!cxlm_pool_destroy(pool), "interleaved: destroyed");
}

static void ranges(unsigned ddr, unsigned cxl)
{
	const unsigned nodes[2] = { ddr, cxl };
	uint64_t bytes[NODES];
	struct pages seen;
	char *p;
	int agree = 1;

	for (int tier = 0; tier < 2; tier++) {
		const char *to = tier ? "ddr" : "cxl";

		p = written(
			cxlm_aligned_alloc(tier, HUGE_PAGE, BLOCK, CXLM_STRICT),
			BLOCK);
		lie_on("a tier's block", p, BLOCK, nodes[tier]);
		check(cxlm_migrate(p, BLOCK, !tier, CXLM_STRICT) ==
			      (int64_t)BLOCK,
		      "all of it is moved to %s", to);
		lie_on("and is there, says the kernel", p, BLOCK, nodes[!tier]);
		check(is_filled((unsigned char *)p, BLOCK) &&
			      cxlm_tier_of(p) == tier,
		      "with its contents and its address");
		check(cxlm_resident(p, BLOCK, bytes, NODES) == (int64_t)BLOCK,
		      "cxlm_resident has all of it");
		seen = pages_of(p, BLOCK);
		for (int node = 0; node < NODES; node++)
			agree &= bytes[node] == seen.on[node] * PAGE;
		check(agree, "and the kernel's figure of each node");
		check(cxlm_migrate(p, BLOCK / 2, tier, 0) ==
			      (int64_t)(BLOCK / 2),
		      "half of it comes back");
		lie_on("that half", p, BLOCK / 2, nodes[tier]);
		lie_on("the other", p + BLOCK / 2, BLOCK / 2, nodes[!tier]);
		check(!cxlm_advise(p, BLOCK, CXLM_HOT), "it is hot");
		lie_on("so all of it is on ddr", p, BLOCK, ddr);
		check(!cxlm_advise(p, BLOCK, CXLM_COLD), "it is cold");
		lie_on("so all of it is on cxl", p, BLOCK, cxl);
		p = cxlm_move(p, !tier, CXLM_STRICT);
		lie_on("cxlm_move", p, BLOCK, nodes[!tier]);
		check(is_filled((unsigned char *)p, BLOCK), "its contents");
		cxlm_free(p);
		/* Of whole pages: the ends of others are not moved. */
		p = written(cxlm_aligned_alloc(tier, HUGE_PAGE, BLOCK, 0),
			    BLOCK);
		for (int node = 0; node < NODES; node++)
			if ((ddr | cxl) >> node & 1) {
				check(cxlm_migrate_node(p, BLOCK, node,
							CXLM_STRICT) ==
					      (int64_t)BLOCK,
				      "to node %d", node);
				lie_on("it is there", p, BLOCK, 1u << node);
				check(cxlm_node_of(p) == node,
				      "cxlm_node_of knows");
			}
		(void)cxlm_migrate(p, BLOCK, !tier, CXLM_STRICT);
		p = cxlm_realloc(p, BLOCK + 4096);
		lie_on("resized, it is where its tier is", p, BLOCK,
		       nodes[tier]);
		(void)cxlm_migrate(p, BLOCK, !tier, 0);
		cxlm_free(p);
		p = cxlm_aligned_alloc(tier, HUGE_PAGE, BLOCK, CXLM_STRICT);
		check(!cxlm_populate(p, BLOCK), "populated");
		lie_on("on its tier", p, BLOCK, nodes[tier]);
		cxlm_free(p);
	}
	check(cxlm_migrate_node(&bytes, 8, 15, 0) == -1 && errno == EINVAL,
	      "there is no node 15");
}

/* The out-of-memory killer has nothing to do: what the node has not is refused. */
static void fill_node(int node)
{
	struct cxlm_tier_info info = { .size = sizeof(info) };
	size_t got = 0;
	void *p, *first = NULL;

	while ((p = written(cxlm_malloc_node(node, 4 * MIB, CXLM_STRICT),
			    4 * MIB))) {
		first = first ? first : p;
		got += 4 * MIB;
	}
	check(got > 64 * MIB && errno == ENOMEM,
	      "strict: node %d gave %zu MiB, then ENOMEM", node, got / MIB);
	lie_on("strict: the first is there", first, 4 * MIB, 1u << node);
	p = NULL;
	if (!cxlm_tier_info(CXLM_TIER_CXL, &info))
		p = cxlm_malloc(CXLM_TIER_CXL, info.total + 64 * MIB,
				CXLM_STRICT);
	check(info.total && !p && errno == ENOMEM,
	      "a tier, strict: more than its nodes have is refused");
	p = cxlm_malloc(CXLM_TIER_CXL, 4 * MIB, 0);
	check(p != NULL, "a tier, preferred: little is to be had");
	cxlm_free(p);
	p = written(cxlm_malloc_node(node, 256 * MIB, 0), 256 * MIB);
	check(p != NULL, "preferred: others have what the node has not");
}

int main(int argc, char **argv)
{
	if (argc < 3 || !tiers_found())
		return check_done();
	free(cxlm_malloc(0, 1, 0));
	if (argc > 3) {
		fill_node(atoi(argv[3]));
		return check_done();
	}
	pools(node_mask(argv[1]), node_mask(argv[2]));
	ranges(node_mask(argv[1]), node_mask(argv[2]));
	return check_done();
}
