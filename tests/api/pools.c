/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools - pool.h: what a pool gives, refuses, counts, and leaves behind
 *
 * usage: pools [preloaded]
 */
#include "../preload/check.h"

#include <cxlmalloc.h>
#include <pthread.h>

#define MIB ((size_t)1 << 20)

static uint64_t used(int tier)
{
	struct cxlm_tier_stat stat = { .size = sizeof(stat) };

	return cxlm_tier_stat(tier, &stat) ? 0 : stat.used;
}

static struct cxlm_pool_stat stat_of(cxlm_pool *pool)
{
	struct cxlm_pool_stat stat = { .size = sizeof(stat) };

	if (cxlm_pool_stat(pool, &stat))
		stat.size = 0;
	return stat;
}

static cxlm_pool *make(int tier, uint64_t limit, int policy)
{
	struct cxlm_pool_attr attr = { .size = sizeof(attr),
				       .tier = tier,
				       .policy = policy,
				       .limit = limit,
				       .name = "of a test" };

	return cxlm_pool_create(&attr);
}

static int all_are(char *p, size_t size, char with)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != with)
			return 0;
	return 1;
}

static void one(int tier, int policy)
{
	const char *name = tier ? "cxl" : "ddr";
	cxlm_pool *pool = make(tier, 10 * MIB, policy);
	struct cxlm_pool_stat stat;
	uint64_t before = used(tier);
	int nr = 0, odd = 0, in = 0;
	char *p, *q;

	check(pool != NULL, "%s, policy %d: a pool", name, policy);
	for (size_t size = 0; size < 100000; size += size / 3 + 1) {
		p = cxlm_pool_malloc(pool, size);
		in += cxlm_pool_of(p) == pool && cxlm_tier_of(p) == tier;
		memset(p, 5, size);
		q = cxlm_pool_aligned_alloc(pool, 256, size);
		odd += (uintptr_t)q % 256 != 0 || cxlm_pool_of(q) != pool;
		memset(q, 6, size);
		q = cxlm_realloc(q, 2 * size + 1);
		odd += cxlm_pool_of(q) != pool || !all_are(q, size, 6);
		odd += !all_are(p, size, 5);
		cxlm_free(p);
		p = cxlm_pool_calloc(pool, 1, size);
		odd += !all_are(p, size, 0);
		cxlm_free(p);
		cxlm_free(q);
		nr++;
	}
	check(in == nr && !odd, "%s: blocks are the pool's, whole (%d of %d)",
	      name, in, nr);
	p = cxlm_pool_malloc(pool, 4 * MIB);
	memset(p, 1, 4 * MIB);
	stat = stat_of(pool);
	check(stat.used >= 4 * MIB && stat.used <= 10 * MIB &&
		      stat.in_use >= 4 * MIB && stat.in_use <= stat.used &&
		      stat.peak >= stat.used && stat.limit == 10 * MIB &&
		      stat.tier == tier && stat.policy == policy &&
		      !strcmp(stat.name, "of a test"),
	      "%s: cxlm_pool_stat", name);
	check(used(tier) - before >= 4 * MIB, "%s: the tier counts it", name);
	check(!cxlm_pool_malloc(pool, 8 * MIB) && errno == ENOMEM,
	      "%s: its limit holds", name);
	check(!cxlm_realloc(p, 12 * MIB) && errno == ENOMEM &&
		      cxlm_pool_of(p) == pool && all_are(p, 4 * MIB, 1),
	      "%s: a block does not leave it to grow", name);
	for (nr = 0; (q = cxlm_pool_malloc(pool, 5000)); nr++)
		memset(q, 1, 5000);
	stat = stat_of(pool);
	check(nr > 1000 && stat.peak <= 10 * MIB,
	      "%s: filled to the limit, not beyond (%d blocks)", name, nr);
	check(!cxlm_pool_set_limit(pool, 20 * MIB) &&
		      (q = cxlm_pool_malloc(pool, 8 * MIB)),
	      "%s: with another limit there is room", name);
	q = cxlm_move(q, !tier, 0);
	check(cxlm_tier_of(q) == !tier && !cxlm_pool_of(q),
	      "%s: a block moves out of it", name);
	cxlm_free(q);
	check(!cxlm_pool_reset(pool) && !stat_of(pool).in_use &&
		      !stat_of(pool).used,
	      "%s: reset, it is empty (used %llu)", name,
	      (unsigned long long)stat_of(pool).used);
	p = cxlm_pool_calloc(pool, 1, 9 * MIB);
	check(p && all_are(p, 9 * MIB, 0), "%s: and serves again, zeroes",
	      name);
	check(!cxlm_pool_destroy(pool) && used(tier) <= before,
	      "%s: destroyed, the tier has all of it back", name);
	check(cxlm_pool_destroy(pool) == -1 && errno == EINVAL &&
		      !cxlm_pool_malloc(pool, 1) && errno == EINVAL &&
		      !stat_of(pool).size && !cxlm_pool_of(p),
	      "%s: and it is a pool no more", name);
}

static void of_nodes(void)
{
	unsigned long node0 = 1, many[64] = { 0 };
	struct cxlm_pool_attr attr = { .size = sizeof(attr),
				       .tier = CXLM_TIER_POLICY,
				       .nodes = &node0,
				       .maxnode = 64 };
	cxlm_pool *pool = cxlm_pool_create(&attr);
	void *p = cxlm_pool_malloc(pool, 5000);

	check(p && cxlm_tier_of(p) == CXLM_TIER_DDR && cxlm_pool_of(p) == pool,
	      "a pool of node 0 is of ddr");
	memset(p, 1, 5000);
	check(cxlm_node_of(p) == 0, "its page is there");
	check(!cxlm_pool_destroy(pool), "it ends");
	for (int strict = 0; strict < 2; strict++) {
		int flags = strict ? CXLM_STRICT : 0;
		cxlm_pool *mine = cxlm_node_pool(&node0, 64, flags);

		p = cxlm_malloc_node(0, 100, flags);
		check(mine && cxlm_pool_of(p) == mine,
		      "flags %d: cxlm_malloc_node is of the node's pool",
		      flags);
		cxlm_free(p);
		p = cxlm_malloc_nodes(&node0, 64, 100, flags);
		check(cxlm_pool_of(p) == mine, "flags %d: of nodes, too",
		      flags);
		cxlm_free(p);
		check(cxlm_pool_destroy(mine) == -1 && errno == EINVAL,
		      "flags %d: it stays", flags);
	}
#define REFUSED(call, with) \
	(errno = 0, check(!(call) && errno == (with), "%s: %s", #call, #with))
	REFUSED(cxlm_malloc_node(-1, 1, 0), EINVAL);
	REFUSED(cxlm_malloc_node(1000, 1, 0), EINVAL);
	REFUSED(cxlm_malloc_node(5000, 1, 0), EINVAL);
	REFUSED(cxlm_malloc_node(0, SIZE_MAX, 0), ENOMEM);
	REFUSED(cxlm_malloc_nodes(&node0, 64, 1, 64), EINVAL);
	REFUSED(cxlm_malloc_nodes(NULL, 64, 1, 0), EINVAL);
	REFUSED(cxlm_malloc_nodes(&node0, 0, 1, 0), EINVAL);
	many[40] = 1;
	REFUSED(cxlm_node_pool(many, 64 * 64, 0), EINVAL);
}

static void refusals(void)
{
	struct cxlm_pool_attr attr = { .size = sizeof(attr) }, bad;
	cxlm_pool *pool = cxlm_pool_create(&attr);
	struct cxlm_pool_stat stat = { .size = 8 };

	check(stat_of(pool).limit == CXLM_NO_LIMIT &&
		      stat_of(pool).tier == CXLM_TIER_DDR,
	      "the defaults are ddr's nodes and no limit");
	REFUSED(cxlm_pool_create(NULL), EINVAL);
#define BAD(set) (bad = attr, set, cxlm_pool_create(&bad))
	REFUSED(BAD(bad.size = 8), EINVAL);
	REFUSED(BAD(bad.tier = 2), EINVAL);
	REFUSED(BAD(bad.tier = -2), EINVAL);
	REFUSED(BAD(bad.policy = 3), EINVAL);
	REFUSED(BAD(bad.tier = CXLM_TIER_POLICY), EINVAL);
	REFUSED(BAD(bad.name = "a name that is longer than it may be"), EINVAL);
	REFUSED(cxlm_pool_malloc(NULL, 1), EINVAL);
	REFUSED(cxlm_pool_malloc((cxlm_pool *)((char *)pool + 8), 1), EINVAL);
	REFUSED(cxlm_pool_malloc(pool, SIZE_MAX), ENOMEM);
	REFUSED(cxlm_pool_calloc(pool, SIZE_MAX / 2, 3), ENOMEM);
	REFUSED(cxlm_pool_aligned_alloc(pool, 0, 1), EINVAL);
	REFUSED(cxlm_pool_aligned_alloc(pool, 24, 1), EINVAL);
	REFUSED(!cxlm_pool_stat(pool, NULL), EINVAL);
	REFUSED(!cxlm_pool_stat(pool, &stat), EINVAL);
	REFUSED(!cxlm_pool_set_limit(NULL, 1), EINVAL);
	REFUSED(!cxlm_pool_reset(NULL), EINVAL);
	check(!cxlm_pool_of(NULL) && !cxlm_pool_of(&attr),
	      "cxlm_pool_of what is of none");
	check(!cxlm_pool_destroy(pool), "the end of it");
}

static cxlm_pool *shared;
static int spoilt;

/* Each block has its own byte, and another thread frees half of them. */
static void *_Atomic passed[64];

static void *churn(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg + 1;
	unsigned char *mine[50] = { 0 };

	for (int i = 0; i < 20000; i++) {
		unsigned r = seed = seed * 1103515245 + 12345;
		size_t size = (r >> 12) % 4000 + 1;
		unsigned char **slot = &mine[(r >> 7) % 50];

		if (*slot) {
			size_t last = (*slot)[0] + 1;

			if ((*slot)[last] != (unsigned char)(uintptr_t)arg)
				__atomic_fetch_add(&spoilt, 1,
						   __ATOMIC_RELAXED);
			cxlm_free(__atomic_exchange_n((void **)&passed[r % 64],
						      *slot, __ATOMIC_ACQ_REL));
		}
		*slot = cxlm_pool_malloc(shared, size + 300);
		(*slot)[0] = (unsigned char)(size % 250);
		(*slot)[size % 250 + 1] = (unsigned char)(uintptr_t)arg;
	}
	return NULL;
}

static void by_threads(void)
{
	pthread_t thread[8];

	shared = make(CXLM_TIER_CXL, 0, CXLM_POOL_BIND);
	for (uintptr_t i = 0; i < 8; i++)
		(void)pthread_create(&thread[i], NULL, churn, (void *)i);
	for (int i = 0; i < 8; i++)
		(void)pthread_join(thread[i], NULL);
	check(!spoilt, "8 threads share a pool and free each other's blocks");
	check(!cxlm_pool_destroy(shared), "it ends with what is left in it");
}

/* Slots, arenas and addresses are had again. */
static void many(void)
{
	static cxlm_pool *pool[300];
	int nr = 0, lost = 0;

	while (nr < 300 && (pool[nr] = make(nr % 2, 0, 0)))
		nr++;
	check(nr > 200 && nr <= 255 && errno == ENOSPC, "%d pools, then ENOSPC",
	      nr);
	for (int i = 0; i < nr; i++)
		lost += !cxlm_pool_malloc(pool[i], MIB);
	while (nr > 0)
		lost += cxlm_pool_destroy(pool[--nr]);
	for (int i = 0; i < 2000; i++) {
		cxlm_pool *p = make(i % 2, 0, 0);
		char *block = cxlm_pool_malloc(p, 100000);

		lost += !p || !block;
		if (block)
			memset(block, 1, 100000);
		lost += cxlm_pool_destroy(p);
	}
	check(!lost, "2000 more come and go (%d lost)", lost);
}

/* A pool's small block must not come out of malloc: no cache may have it. */
static void apart(void)
{
	cxlm_pool *pool = make(CXLM_TIER_CXL, 0, CXLM_POOL_BIND);
	static void *p[3000];
	int strays = 0;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3000; i++)
			p[i] = i % 2 ? cxlm_pool_malloc(pool, 64) :
				       cxlm_malloc(CXLM_TIER_DDR, 64, 0);
		for (int i = 0; i < 3000; i++)
			cxlm_free(p[i]);
		for (int i = 0; i < 3000; i++) {
			p[i] = cxlm_malloc(i % 3 - 1, 64, 0);
			strays += cxlm_pool_of(p[i]) != NULL;
		}
		for (int i = 0; i < 3000; i++)
			cxlm_free(p[i]);
	}
	check(!strays, "no block of a pool is handed out by others (%d)",
	      strays);
	check(!cxlm_pool_destroy(pool), "it ends");
}

static void preloaded_free(void)
{
	cxlm_pool *pool = make(CXLM_TIER_CXL, 0, CXLM_POOL_BIND);
	int strays = 0;

	for (int i = 0; i < 3000; i++) {
		void *p = cxlm_pool_malloc(pool, (size_t)i);

		if (i % 2)
			p = realloc(p, (size_t)i + 1000);
		strays += cxlm_pool_of(p) != pool;
		free(p);
		p = malloc((size_t)i);
		strays += cxlm_pool_of(p) != NULL;
		free(p);
	}
	check(!strays, "free and realloc of malloc's take a pool's blocks");
	check(!cxlm_pool_destroy(pool), "it ends");
}

int main(int argc, char **argv)
{
	cxlm_free(cxlm_malloc(CXLM_TIER_DDR, 1, 0));
	for (int policy = 0; policy < 3; policy++)
		for (int tier = 0; tier < 2; tier++)
			one(tier, policy);
	of_nodes();
	refusals();
	apart();
	if (argc > 1 && !strcmp(argv[1], "preloaded"))
		preloaded_free();
	by_threads();
	many();
	return check_done();
}
