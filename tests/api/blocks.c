/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocks - alloc.h and scope.h: every function, what it gives and refuses
 *
 * usage: blocks [preloaded]	preloaded: malloc is the same heap
 * CXLMALLOC_CONF has cxl.limit=64m,ddr.limit=64m.
 */
#include "../preload/check.h"

#include <cxlmalloc.h>
#include <pthread.h>

#define MIB ((size_t)1 << 20)

static const size_t sizes[] = { 0, 1, 64, 4096, 5000, 40000, MIB, 3 * MIB };

#define NR_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static const char *name_of(int tier)
{
	return tier == CXLM_TIER_DDR ? "ddr" : "cxl";
}

static int is_zero(const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i])
			return 0;
	return 1;
}

static int is_filled(const char *p, size_t size, char with)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != with)
			return 0;
	return 1;
}

static void of_each_size(int tier, int flags)
{
	int other = !tier, lost = 0, dirty = 0, crooked = 0, spoilt = 0;

	for (size_t i = 0; i < NR_SIZES; i++) {
		size_t size = sizes[i];
		char *p = cxlm_malloc(tier, size, flags);

		lost += !p || cxlm_tier_of(p) != tier ||
			cxlm_usable_size(p) < size;
		memset(p, 7, size);
		cxlm_free(p);
		p = cxlm_calloc(tier, 1, size, flags);
		lost += !p || cxlm_tier_of(p) != tier;
		dirty += !is_zero(p, size);
		memset(p, 3, size);
		p = cxlm_realloc(p, 2 * size + 1);
		lost += !p || cxlm_tier_of(p) != tier;
		spoilt += !is_filled(p, size, 3);
		p = cxlm_realloc_to(p, other, 2 * size + 2, flags);
		lost += !p || cxlm_tier_of(p) != other;
		spoilt += !is_filled(p, size, 3);
		p = cxlm_realloc_to(p, other, size / 2 + 1, flags);
		lost += !p || cxlm_tier_of(p) != other;
		spoilt += !is_filled(p, size / 2, 3);
		spoilt += cxlm_move(p, other, flags) != p;
		p = cxlm_move(p, tier, flags);
		lost += !p || cxlm_tier_of(p) != tier;
		spoilt += !is_filled(p, size / 2, 3);
		cxlm_free(p);
		for (size_t at = 8; at <= 2 * MIB; at *= 8) {
			p = cxlm_aligned_alloc(tier, at, size, flags);
			lost += !p || cxlm_tier_of(p) != tier;
			crooked += (uintptr_t)p % at != 0;
			cxlm_free(p);
		}
	}
	check(!lost, "%s, flags %d: each block is on its tier (%d not)",
	      name_of(tier), flags, lost);
	check(!dirty, "%s, flags %d: cxlm_calloc's are zero", name_of(tier),
	      flags);
	check(!crooked, "%s, flags %d: cxlm_aligned_alloc's are aligned",
	      name_of(tier), flags);
	check(!spoilt, "%s, flags %d: contents survive", name_of(tier), flags);
}

#define REFUSED(call, with) \
	(errno = 0, check(!(call) && errno == (with), "%s: %s", #call, #with))

static void refusals(void)
{
	void *p = cxlm_malloc(CXLM_TIER_CXL, 100, 0);

	REFUSED(cxlm_malloc(2, 1, 0), EINVAL);
	REFUSED(cxlm_malloc(-2, 1, 0), EINVAL);
	REFUSED(cxlm_malloc(CXLM_TIER_CXL, 1, 64), EINVAL);
	REFUSED(cxlm_malloc(CXLM_TIER_POLICY, 1, CXLM_STRICT), EINVAL);
	REFUSED(cxlm_malloc(CXLM_TIER_CXL, SIZE_MAX, 0), ENOMEM);
	REFUSED(cxlm_calloc(CXLM_TIER_CXL, SIZE_MAX / 2, 3, 0), ENOMEM);
	REFUSED(cxlm_aligned_alloc(CXLM_TIER_CXL, 0, 1, 0), EINVAL);
	REFUSED(cxlm_aligned_alloc(CXLM_TIER_CXL, 48, 1, 0), EINVAL);
	REFUSED(cxlm_aligned_alloc(CXLM_TIER_CXL, 8, SIZE_MAX, 0), ENOMEM);
	REFUSED(cxlm_realloc(p, SIZE_MAX), ENOMEM);
	REFUSED(cxlm_realloc_to(p, 5, 1, 0), EINVAL);
	REFUSED(cxlm_realloc_to(p, CXLM_TIER_DDR, 1, 4), EINVAL);
	REFUSED(cxlm_realloc_to(p, CXLM_TIER_DDR, SIZE_MAX, 0), ENOMEM);
	REFUSED(cxlm_move(p, CXLM_TIER_POLICY, 0), EINVAL);
	REFUSED(cxlm_move(NULL, CXLM_TIER_DDR, 0), EINVAL);
	REFUSED(cxlm_realloc(p, 0), 0);
	check(cxlm_usable_size(NULL) == 0, "cxlm_usable_size(NULL) is 0");
	cxlm_free(NULL);
	p = cxlm_realloc(NULL, 10);
	check(p != NULL, "cxlm_realloc(NULL) allocates");
	errno = 77;
	cxlm_free(p);
	check(errno == 77, "cxlm_free keeps errno");
	p = cxlm_realloc_to(NULL, CXLM_TIER_CXL, 10, CXLM_STRICT);
	check(cxlm_tier_of(p) == CXLM_TIER_CXL, "cxlm_realloc_to(NULL) too");
	cxlm_free(p);
}

/* Fill a tier; strict then refuses, preferred goes on in the other. */
static void full(int tier)
{
	static void *block[128];
	struct cxlm_tier_stat stat = { .size = sizeof(stat) };
	int nr = 0, other = !tier;
	void *p, *q;

	while (nr < 128 && (block[nr] = cxlm_malloc(tier, MIB, CXLM_STRICT)))
		nr++;
	check(nr >= 55 && nr <= 64 && errno == ENOMEM,
	      "%s: strict stops at its 64 MiB (%d blocks)", name_of(tier), nr);
	check(!cxlm_tier_stat(tier, &stat) && stat.used <= stat.limit &&
		      stat.peak <= stat.limit,
	      "%s: and used never passed the limit", name_of(tier));
	p = cxlm_malloc(tier, 2 * MIB, 0);
	check(cxlm_tier_of(p) == other, "%s full: preferred goes on in %s",
	      name_of(tier), name_of(other));
	q = cxlm_move(p, tier, CXLM_STRICT);
	check(!q && errno == ENOMEM && cxlm_tier_of(p) == other,
	      "%s full: cxlm_move, strict, leaves the block", name_of(tier));
	q = cxlm_realloc_to(block[0], tier, 20 * MIB, CXLM_STRICT);
	check(!q && errno == ENOMEM && cxlm_tier_of(block[0]) == tier,
	      "%s full: cxlm_realloc_to, strict, too", name_of(tier));
	cxlm_free(p);
	while (nr-- > 0)
		cxlm_free(block[nr]);
	p = cxlm_malloc(tier, 2 * MIB, CXLM_STRICT);
	check(cxlm_tier_of(p) == tier, "%s: freed, it has room again",
	      name_of(tier));
	cxlm_free(p);
}

static void *free_it(void *p)
{
	cxlm_free(p);
	return NULL;
}

static void from_anywhere(void)
{
	pthread_t thread;
	int failed = 0;

	for (int i = 0; i < 64; i++) {
		void *p = cxlm_malloc(i % 2, (size_t)i * 1000, 0);

		failed += pthread_create(&thread, NULL, free_it, p) ||
			  pthread_join(thread, NULL);
	}
	check(!failed, "another thread frees");
}

/* cxlm_malloc(CXLM_TIER_POLICY) follows scopes as malloc does. */
static int policy_tier(void)
{
	void *p = cxlm_malloc(CXLM_TIER_POLICY, 100, 0);
	int tier = cxlm_tier_of(p);

	cxlm_free(p);
	return tier;
}

static int malloc_tier(void)
{
	void *p = malloc(100);
	int tier = cxlm_tier_of(p);

	free(p);
	return tier;
}

static void *tier_in_thread(void *answer)
{
	*(int *)answer = policy_tier();
	return NULL;
}

static void scopes(int preloaded)
{
	pthread_t thread;
	int outside, there = -1, depth = 0;

	outside = policy_tier();
	check(outside == CXLM_TIER_DDR, "no scope: the policy's tier");
	check(!cxlm_push(CXLM_TIER_CXL) && policy_tier() == CXLM_TIER_CXL,
	      "in a scope: its tier");
	if (preloaded)
		check(malloc_tier() == CXLM_TIER_CXL, "malloc too");
	check(!pthread_create(&thread, NULL, tier_in_thread, &there) &&
		      !pthread_join(thread, NULL) && there == outside,
	      "another thread has its own");
	check(!cxlm_push(CXLM_TIER_POLICY) && policy_tier() == outside,
	      "a scope in it may be the policy's");
	check(!cxlm_push(CXLM_TIER_CXL) && policy_tier() == CXLM_TIER_CXL &&
		      !cxlm_pop() && policy_tier() == outside,
	      "a third begins and ends");
	check(!cxlm_pop() && policy_tier() == CXLM_TIER_CXL,
	      "the first goes on");
	check(cxlm_thread_tier(CXLM_TIER_DDR, 0) == 0 &&
		      policy_tier() == CXLM_TIER_CXL,
	      "cxlm_thread_tier holds outside of scopes");
	check(cxlm_thread_tier(CXLM_TIER_POLICY, 0) == 0 && !cxlm_pop() &&
		      policy_tier() == outside,
	      "it ends");
	check(cxlm_pop() == -1 && errno == EINVAL, "none is left: EINVAL");
	check(cxlm_push(2) == -1 && errno == EINVAL, "no such tier: EINVAL");
	while (depth < 100 && !cxlm_push(CXLM_TIER_CXL))
		depth++;
	check(depth == CXLM_SCOPES_MAX && errno == ENOSPC, "%d deep: ENOSPC",
	      depth);
	while (depth-- > 0)
		(void)cxlm_pop();
	check(policy_tier() == outside, "all have ended");
}

static void one_heap(void)
{
	char *p = malloc(100), *q = cxlm_malloc(CXLM_TIER_CXL, 100, 0);

	check(cxlm_tier_of(p) >= 0, "malloc's blocks are of the same heap");
	memset(p, 1, 100);
	memset(q, 2, 100);
	q = realloc(q, 5000);
	check(cxlm_tier_of(q) == CXLM_TIER_CXL && is_filled(q, 100, 2),
	      "realloc takes cxlm_malloc's");
	p = cxlm_realloc_to(p, CXLM_TIER_CXL, 200, CXLM_STRICT);
	check(cxlm_tier_of(p) == CXLM_TIER_CXL && is_filled(p, 100, 1),
	      "cxlm_realloc_to takes malloc's");
	free(p);
	free(q);
}

int main(int argc, char **argv)
{
	int preloaded = argc > 1 && !strcmp(argv[1], "preloaded");

	check(strstr(cxlm_version(), " (jemalloc ") != NULL,
	      "the version says which jemalloc: %s", cxlm_version());
	for (int tier = 0; tier < 2; tier++)
		for (int strict = 0; strict < 2; strict++)
			of_each_size(tier, strict ? CXLM_STRICT : 0);
	refusals();
	from_anywhere();
	scopes(preloaded);
	if (preloaded)
		one_heap();
	full(CXLM_TIER_CXL);
	full(CXLM_TIER_DDR);
	return check_done();
}
