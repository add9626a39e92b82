/* SPDX-License-Identifier: BSD-2-Clause */
/* own: a program's pool has addresses of its own, pays two budgets, gives all back */
#include <pthread.h>

#include "pool/away.h"
#include "pool/hooks.h"
#include "pool/own.h"
#include "pool/thread.h"
#include "support/fake_sys.h"
#include "support/test.h"

#define BASE	((uintptr_t)0x100000000000)
#define PAGE	((size_t)4096)
#define SEGMENT (64 * MIB)

/* The library's lies with its fast paths, which are not linked here. */
struct cm_fast cm_fast;

#define ddr cm_pool[CM_TIER_DDR]
#define cxl cm_pool[CM_TIER_CXL]

/* No machine has these: what room.c looks for there is not known. */
#define NODE (CM_MAX_NODES - 8)

static void place(enum cm_tier tier)
{
	struct cm_place place = { .binding = CM_BINDING_STRICT };

	place.mode = CM_MPOL_BIND | CM_MPOL_F_STATIC_NODES;
	cm_nodeset_set(&place.nodes, NODE + tier);
	place.reach = place.home = place.nodes;
	cm_place_set(&cm_pool[tier].place, &place);
	cm_room_forget(&cm_pool[tier]);
}

static void end_all(void)
{
	for (unsigned i = 0; i < CM_MAX_OWN; i++)
		if (cm_own[i].pool.sys)
			cm_own_forget(&cm_own[i]);
	memset(cm_own, 0, sizeof(cm_own));
}

static int fresh(void **state)
{
	(void)state;
	end_all();
	memset(&fake, 0, sizeof(fake));
	fake.can_map = SIZE_MAX;
	memset(&cm_thread, 0, sizeof(cm_thread));
	cm_fast.base = BASE;
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_place none = { .binding = CM_BINDING_NONE };

		memset(&cm_pool[t], 0, sizeof(cm_pool[t]));
		cm_fast.end[t] = (t + 1) * TIB;
		cm_pool[t].sys = &fake_sys;
		cm_pool[t].tier = t;
		cm_pool[t].page = PAGE;
		cm_pool[t].limit = cm_pool[t].allowance = CM_NO_LIMIT;
		cm_place_set(&cm_pool[t].place, &none);
	}
	cm_fast.end_mixed = 3 * TIB;
	cm_fast.end_own = 4 * TIB;
	return 0;
}

static struct cm_own *pool(unsigned i, enum cm_tier tier,
			   enum cm_own_policy policy)
{
	struct cm_own *own = &cm_own[i];

	own->pool.hooks = cm_own_hooks;
	own->pool.sys = &fake_sys;
	own->pool.tier = tier;
	own->pool.limit = own->pool.allowance = CM_NO_LIMIT;
	own->attr.tier = tier;
	own->attr.policy = policy;
	own->attr.follows = true;
	own->nr_nodes = 1;
	own->state = CM_OWN_LIVE;
	return own;
}

/* Nodes NODE (ddr), NODE + 1 (cxl), and NODE + 2 (cxl): pages in turn. */
static struct cm_own *interleaved(unsigned i)
{
	struct cm_own *own = pool(i, CM_TIER_DDR, CM_OWN_INTERLEAVE);

	own->attr.follows = false;
	for (unsigned n = 0; n < 3; n++)
		cm_nodeset_set(&own->attr.nodes, NODE + n);
	own->both = true;
	own->nr_nodes = 3;
	own->is_cxl = 6;
	return own;
}

static void *reserve(struct cm_own *own, size_t size, bool commit)
{
	struct cm_extent_hooks *hooks = &own->pool.hooks;
	bool zero = false, committed = commit;

	return hooks->alloc(hooks, NULL, size, PAGE, &zero, &committed, 1);
}

static bool commit(struct cm_own *own, void *at, size_t size)
{
	return own->pool.hooks.commit(&own->pool.hooks, at, size, 0, size, 1);
}

static bool decommit(struct cm_own *own, void *at, size_t size)
{
	return own->pool.hooks.decommit(&own->pool.hooks, at, size, 0, size, 1);
}

static void pools_have_addresses_of_their_own(void **state)
{
	struct cm_own *a = pool(0, CM_TIER_DDR, CM_OWN_BIND);
	struct cm_own *b = pool(1, CM_TIER_CXL, CM_OWN_BIND);
	char *in_a = reserve(a, 2 * MIB, false), *in_b = reserve(b, MIB, false);
	char *next = reserve(a, 4 * MIB, false), *big = reserve(a, GIB, false);

	(void)state;
	assert_true(cm_own_has(in_a) && cm_own_has(in_b));
	assert_ptr_equal(next, in_a + 2 * MIB);
	assert_ptr_equal(cm_own_of(in_a), a);
	assert_ptr_equal(cm_own_of(in_b), b);
	assert_ptr_equal(cm_own_of(big), a);
	assert_ptr_equal(cm_own_of(big + GIB - 1), a);
	assert_true(big >= in_b + SEGMENT || big + GIB <= in_b);
	assert_int_equal(ddr.used + cxl.used, 0);
	assert_int_equal(cm_own_tier_at(b, in_b), CM_TIER_CXL);
}

static void both_budgets_are_charged_and_come_back(void **state)
{
	struct cm_own *own = pool(0, CM_TIER_CXL, CM_OWN_BIND);
	char *at = reserve(own, 32 * MIB, false);

	(void)state;
	assert_false(commit(own, at, 32 * MIB));
	assert_int_equal(own->pool.used, 32 * MIB);
	assert_int_equal(cxl.used, 32 * MIB);
	assert_int_equal(ddr.used, 0);
	assert_int_equal(own->pool.peak, 32 * MIB);
	assert_false(decommit(own, at, 8 * MIB));
	assert_int_equal(own->pool.used, 24 * MIB);
	assert_int_equal(cxl.used, 24 * MIB);
	/* What the kernel did not take is still charged. */
	fake.purge_fails_at = fake.nr_purges + 1;
	fake.purge_error = -EINVAL;
	assert_true(decommit(own, at + 8 * MIB, 8 * MIB));
	assert_int_equal(cxl.used, 24 * MIB);
	/* It ends: whatever it still had is given back. */
	cm_own_forget(own);
	assert_int_equal(cxl.used, 0);
	assert_int_equal(own->pool.used, 0);
	assert_null(cm_own_of(at));
}

static void whoever_refuses_nobody_pays(void **state)
{
	struct cm_own *own = pool(0, CM_TIER_CXL, CM_OWN_BIND);
	char *at = reserve(own, 16 * MIB, false);

	(void)state;
	own->pool.allowance = 8 * MIB;
	assert_true(commit(own, at, 16 * MIB));
	assert_true(cm_thread.refused[CM_TIER_CXL]);
	assert_int_equal(own->pool.used + cxl.used, 0);
	/* And at once from then on. */
	own->pool.allowance = CM_NO_LIMIT;
	assert_true(commit(own, at, PAGE));
	cm_thread.refused[CM_TIER_CXL] = false;
	cxl.allowance = 8 * MIB;
	assert_true(commit(own, at, 16 * MIB));
	assert_int_equal(own->pool.used + cxl.used, 0);
	cm_thread.refused[CM_TIER_CXL] = false;
	assert_null(reserve(own, 16 * MIB, true));
	assert_int_equal(own->pool.used + cxl.used, 0);
	cm_thread.refused[CM_TIER_CXL] = false;
	assert_false(commit(own, at, 8 * MIB));
}

static void pages_of_both_tiers_are_charged_to_each(void **state)
{
	struct cm_own *own = interleaved(0);
	char *at = reserve(own, 4 * MIB, false);
	uint64_t nr_cxl = 0;

	(void)state;
	assert_int_equal(fake.bind_mode,
			 CM_MPOL_INTERLEAVE | CM_MPOL_F_STATIC_NODES);
	for (size_t i = 0; i < 1000 * PAGE; i += PAGE)
		nr_cxl += cm_own_tier_at(own, at + i) == CM_TIER_CXL;
	assert_in_range(nr_cxl, 666, 667);
	assert_false(commit(own, at, 1000 * PAGE));
	assert_int_equal(cxl.used, nr_cxl * PAGE);
	assert_int_equal(ddr.used, (1000 - nr_cxl) * PAGE);
	/* In other pieces than it was taken, and to the byte. */
	for (size_t i = 0; i < 1000; i += 7) {
		size_t nr = 1000 - i < 7 ? 1000 - i : 7;

		assert_false(decommit(own, at + i * PAGE, nr * PAGE));
	}
	assert_int_equal(cxl.used + ddr.used, 0);
	/* One tier refuses: the other pays nothing either. */
	cxl.allowance = 100 * PAGE;
	assert_true(commit(own, at, 1000 * PAGE));
	assert_int_equal(cxl.used + ddr.used + own->pool.used, 0);
}

static void ranges_are_bound_as_the_pool_says(void **state)
{
	struct cm_own *own = pool(0, CM_TIER_CXL, CM_OWN_BIND);
	char *at;

	(void)state;
	(void)reserve(own, MIB, false);
	assert_int_equal(fake.nr_binds, 0);	/* emulated: to nothing */
	place(CM_TIER_CXL);
	at = reserve(own, MIB, false);
	assert_int_equal(fake.bind_at, at);
	assert_int_equal(fake.bind_mode, CM_MPOL_BIND | CM_MPOL_F_STATIC_NODES);
	assert_true(cm_nodeset_test(&fake.bind_nodes, NODE + CM_TIER_CXL));
	own = pool(1, CM_TIER_CXL, CM_OWN_PREFERRED);
	(void)reserve(own, MIB, false);
	assert_int_equal(fake.bind_mode,
			 CM_MPOL_PREFERRED_MANY | CM_MPOL_F_STATIC_NODES);
	/* Nodes changed: each segment by its own pool. */
	fake.nr_binds = 0;
	cm_own_rebind((uintptr_t)at, (uintptr_t)at + 2 * SEGMENT);
	assert_int_equal(fake.nr_binds, 2);
	/* A limit: no huge pages, which would reach beyond it. */
	fake.small_pages = 0;
	own->pool.limit = GIB;
	(void)reserve(own, MIB, false);
	assert_int_equal(fake.small_pages, MIB);
}

static void what_is_in_the_way_is_stepped_over(void **state)
{
	struct cm_own *own = pool(0, CM_TIER_DDR, CM_OWN_BIND);
	char *first = reserve(own, MIB, false), *second;

	(void)state;
	fake.map_fails_at = fake.nr_maps + 1;
	fake.map_error = -EEXIST;
	second = reserve(own, MIB, false);
	assert_non_null(second);
	assert_true(second > first + MIB);
	assert_ptr_equal(cm_own_of(second), own);
	/* What cannot be mapped gives its addresses back. */
	fake.map_fails_at = fake.nr_maps + 1;
	fake.map_error = -ENOMEM;
	assert_null(reserve(own, MIB, false));
	assert_ptr_equal(reserve(own, MIB, false), second + MIB);
	fake.can_map = MIB;
	assert_null(reserve(own, 2 * MIB, false));
}

static void addresses_are_used_again(void **state)
{
	struct cm_own *a = pool(0, CM_TIER_DDR, CM_OWN_BIND);
	struct cm_own *b = pool(1, CM_TIER_DDR, CM_OWN_BIND);
	char *at = reserve(a, GIB, false);

	(void)state;
	(void)reserve(b, MIB, false);
	cm_own_forget(a);
	for (int i = 0; i < 10000; i++) {
		a = pool(2 + i % 50, CM_TIER_DDR, CM_OWN_BIND);
		assert_ptr_equal(reserve(a, GIB, false), at);
		cm_own_forget(a);
	}
	/* The window used up refuses. */
	a = pool(3, CM_TIER_DDR, CM_OWN_BIND);
	for (int i = 0; i < 1024; i++)
		if (!reserve(a, GIB, false))
			break;
	assert_null(reserve(a, GIB, false));
	assert_int_equal(ddr.used, 0);
}

static void *take_and_give(void *arg)
{
	struct cm_own *own = arg;
	uintptr_t bad = 0;

	for (int i = 0; i < 300; i++) {
		char *at = reserve(own, 3 * MIB, true);

		if (!at || cm_own_of(at) != own ||
		    cm_own_of(at + 3 * MIB - 1) != own)
			bad++;
		else if (decommit(own, at, 3 * MIB))
			bad++;
	}
	return (void *)bad;
}

/* Four pools, two threads each, take segments at once. */
static void threads_take_segments_at_once(void **state)
{
	pthread_t thread[8];

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct cm_own *own = i < 4 ? pool(i, i % 2, CM_OWN_BIND) :
					     &cm_own[i - 4];

		assert_int_equal(
			pthread_create(&thread[i], NULL, take_and_give, own),
			0);
	}
	for (unsigned i = 0; i < 8; i++) {
		void *bad;

		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	assert_int_equal(ddr.used + cxl.used, 0);
}

static void pages_moved_away_are_let_go(void **state)
{
	char *p = (char *)BASE + 10 * GIB;

	(void)state;
	assert_false(cm_away_is_looked_for());
	cm_away_mark(0x1000, 0x5000);	/* in no window */
	assert_false(cm_away_is_looked_for());
	cm_away_mark((uintptr_t)p, (uintptr_t)p + PAGE);
	assert_true(cm_away_is_looked_for());
	assert_true(cm_away_may_be(p, PAGE));
	assert_true(cm_away_may_be(p - GIB, 3 * GIB));
	assert_false(cm_away_may_be(p + 4 * MIB, GIB));
	assert_false(cm_away_may_be(p - GIB, GIB));
	cm_away_let_go(p + 100, 64 * KIB);
	assert_int_equal(fake.nr_purges, 1);
	assert_int_equal(fake.purge_size, 68 * KIB);	/* all its pages */
	cm_away_let_go(p, 8 * KIB);	/* shares its pages with others */
	cm_away_let_go(p + 8 * MIB, MIB);
	assert_int_equal(fake.nr_purges, 1);
	/* jemalloc's pages on aarch64: several such blocks share one. */
	ddr.page = 64 * KIB;
	cm_away_let_go(p + 100, 64 * KIB);
	assert_int_equal(fake.nr_purges, 1);
	cm_away_let_go(p, 256 * KIB);
	assert_int_equal(fake.nr_purges, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pages_moved_away_are_let_go, fresh),
		cmocka_unit_test_setup(pools_have_addresses_of_their_own,
				       fresh),
		cmocka_unit_test_setup(both_budgets_are_charged_and_come_back,
				       fresh),
		cmocka_unit_test_setup(whoever_refuses_nobody_pays, fresh),
		cmocka_unit_test_setup(pages_of_both_tiers_are_charged_to_each,
				       fresh),
		cmocka_unit_test_setup(ranges_are_bound_as_the_pool_says,
				       fresh),
		cmocka_unit_test_setup(what_is_in_the_way_is_stepped_over,
				       fresh),
		cmocka_unit_test_setup(addresses_are_used_again, fresh),
		cmocka_unit_test_setup(threads_take_segments_at_once, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
