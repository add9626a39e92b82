/* SPDX-License-Identifier: BSD-2-Clause */
/* mixed: ranges of both tiers are charged to both, bound to both, or refused */
#include "pool/hooks.h"
#include "pool/mixed.h"
#include "pool/thread.h"
#include "support/fake_sys.h"
#include "support/test.h"

#define BASE ((uintptr_t)0x100000000000)
#define PAGE ((size_t)4096)

/* The library's lies with its fast paths, which are not linked here. */
struct cm_fast cm_fast;

#define ddr cm_pool[CM_TIER_DDR]
#define cxl cm_pool[CM_TIER_CXL]

/* No machine has these: what room.c looks for there is not known. */
#define NODE (CM_MAX_NODES - 8)

static void place(enum cm_tier tier, struct cm_place *place)
{
	place->binding = CM_BINDING_STRICT;
	place->mode = CM_MPOL_BIND | CM_MPOL_F_STATIC_NODES;
	cm_nodeset_set(&place->nodes, NODE + tier * 2);
	cm_nodeset_set(&place->nodes, NODE + tier * 2 + 1);
	place->reach = place->home = place->nodes;
	cm_place_set(&cm_pool[tier].place, place);
	cm_room_forget(&cm_pool[tier]);
}

static struct cm_mixed *pattern(unsigned i, unsigned a, unsigned b)
{
	struct cm_mixed *m = &cm_mixed[i];

	memset(m, 0, sizeof(*m));
	m->hooks = cm_mixed_hooks;
	m->weight[CM_TIER_DDR] = a;
	m->weight[CM_TIER_CXL] = b;
	m->chunks = cm_chunk_fit(TIB, 16384);
	m->next = cm_mixed_window().base;
	return m;
}

static int fresh(void **state)
{
	(void)state;
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
		cm_pool[t].limit = cm_pool[t].allowance = CM_NO_LIMIT;
		cm_place_set(&cm_pool[t].place, &none);
	}
	cm_fast.end_mixed = 3 * TIB;
	return 0;
}

static void *reserve(struct cm_mixed *m, size_t size, bool commit)
{
	bool zero = false, committed = commit;

	return m->hooks.alloc(&m->hooks, NULL, size, PAGE, &zero, &committed,
			      1);
}

static void ranges_are_in_the_window_and_side_by_side(void **state)
{
	struct cm_mixed *m = pattern(0, 1, 1);
	char *a = reserve(m, 3 * MIB, false), *b = reserve(m, MIB, false);

	(void)state;
	assert_true(cm_mixed_has(a));
	assert_ptr_equal(b, a + 3 * MIB);
	assert_ptr_equal(cm_mixed_owner(a), m);
	assert_int_equal(ddr.used + cxl.used, 0);
}

static void what_is_charged_comes_back_to_the_byte(void **state)
{
	struct cm_mixed *m = pattern(0, 3, 1);
	char *at = reserve(m, 64 * MIB, false);

	(void)state;
	assert_false(m->hooks.commit(&m->hooks, at, 64 * MIB, 0, 64 * MIB, 1));
	assert_int_equal(ddr.used, 48 * MIB);
	assert_int_equal(cxl.used, 16 * MIB);
	assert_int_equal(ddr.peak, 48 * MIB);
	for (size_t i = 0; i < 64 * MIB; i += 52 * PAGE) {
		size_t n = 64 * MIB - i < 52 * PAGE ? 64 * MIB - i : 52 * PAGE;

		assert_false(
			m->hooks.decommit(&m->hooks, at, 64 * MIB, i, n, 1));
	}
	assert_int_equal(ddr.used, 0);
	assert_int_equal(cxl.used, 0);
	assert_int_equal(m->used[CM_TIER_DDR] + m->used[CM_TIER_CXL], 0);
}

static void one_full_tier_refuses_and_the_other_pays_nothing(void **state)
{
	struct cm_mixed *m = pattern(0, 1, 1);
	char *at = reserve(m, 16 * MIB, false);

	(void)state;
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_pool[t].allowance = 8 * MIB - 1;
		assert_true(m->hooks.commit(&m->hooks, at, 16 * MIB, 0,
					    16 * MIB, 1));
		assert_true(cm_thread.refused[t]);
		assert_int_equal(ddr.used + cxl.used, 0);
		/* And at once from then on. */
		cm_pool[t].allowance = CM_NO_LIMIT;
		assert_true(
			m->hooks.commit(&m->hooks, at, 16 * MIB, 0, PAGE, 1));
		cm_thread.refused[t] = false;
		cm_pool[t].allowance = 6 * MIB;
		assert_null(reserve(m, 16 * MIB, true));
		assert_int_equal(ddr.used + cxl.used, 0);
		cm_thread.refused[t] = false;
		cm_pool[t].allowance = CM_NO_LIMIT;
	}
	assert_false(m->hooks.commit(&m->hooks, at, 16 * MIB, 0, 16 * MIB, 1));
	assert_int_equal(ddr.used, 8 * MIB);
	assert_int_equal(cxl.used, 8 * MIB);
}

static void patterns_share_the_window_without_meeting(void **state)
{
	struct cm_mixed *m[3];
	char *end[3] = { NULL };
	struct {
		char *at;
		size_t size;
		struct cm_mixed *m;
	} range[300];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		m[i] = pattern(i + 1, i + 1, 1);
	for (unsigned i = 0; i < 300; i++) {
		size_t size = (1 + i * 7 % 90) * MIB;

		range[i].at = reserve(m[i % 3], size, false);
		range[i].size = size;
		range[i].m = m[i % 3];
		assert_non_null(range[i].at);
		assert_true(range[i].at >= end[i % 3]);
		end[i % 3] = range[i].at + size;
	}
	for (unsigned i = 0; i < 300; i++) {
		assert_ptr_equal(cm_mixed_owner(range[i].at), range[i].m);
		assert_ptr_equal(
			cm_mixed_owner(range[i].at + range[i].size - 1),
			range[i].m);
		for (unsigned j = 0; j < i; j++)
			assert_true(range[i].at >=
					    range[j].at + range[j].size ||
				    range[j].at >= range[i].at + range[i].size);
	}
}

static void what_is_in_the_way_is_stepped_over(void **state)
{
	struct cm_mixed *m = pattern(4, 1, 1);
	char *p;

	(void)state;
	fake.map_fails_at = 1;
	fake.map_error = -EEXIST;
	p = reserve(m, MIB, false);
	assert_non_null(p);
	assert_ptr_equal(cm_mixed_owner(p), m);
	fake.map_fails_at = fake.nr_maps + 1;
	fake.map_fails_on = true;
	assert_null(reserve(m, MIB, false));
	fake.map_error = -ENOMEM;
	assert_null(reserve(m, MIB, false));
}

static void a_window_used_up_refuses(void **state)
{
	struct cm_mixed *m = pattern(5, 1, 1);
	unsigned nr = 0;

	(void)state;
	while (reserve(m, 32 * GIB, false)) {
		assert_true(fake.map_at + fake.map_size <= BASE + 3 * TIB);
		nr++;
	}
	/* Others have had some of it. */
	assert_in_range(nr, 4, 32);
	assert_null(reserve(m, 2 * TIB, false));
	assert_null(reserve(m, SIZE_MAX & ~(PAGE - 1), false));
}

static void pieces_are_bound_to_their_tier(void **state)
{
	struct cm_mixed *m = pattern(6, 3, 1);
	struct cm_place a = { 0 }, b = { 0 };

	(void)state;
	place(CM_TIER_DDR, &a);
	place(CM_TIER_CXL, &b);
	m->next = cm_mixed_window().base;
	m->chunks = (struct cm_chunks){ 21, 40 };	/* 2 MiB everywhere */
	assert_non_null(reserve(m, 64 * MIB, false));
	/* Three pieces are one range, then one of the other tier. */
	assert_in_range(fake.nr_binds, 14, 18);
	assert_true(fake.bind_size == 2 * MIB || fake.bind_size == 6 * MIB ||
		    fake.bind_size == 4 * MIB);
	assert_int_equal(cm_nodeset_weight(&fake.bind_nodes), 2);
	a.weights.nr = 2;
	a.weights.of[0] = (struct cm_node_weight){ NODE, 2 };
	a.weights.of[1] = (struct cm_node_weight){ NODE + 1, 1 };
	cm_place_set(&ddr.place, &a);
	fake.nr_binds = 0;
	assert_non_null(reserve(m, 64 * MIB, false));
	assert_int_equal(fake.nr_binds, 32);
}

static void nodes_take_pieces_by_their_weights(void **state)
{
	struct cm_node_weights w = { .nr = 3,
				     .of = { { 5, 4 }, { 7, 2 }, { 9, 1 } } };

	(void)state;
	for (uint64_t from = 0; from < 300; from++) {
		unsigned nr[10] = { 0 };

		for (uint64_t i = from; i < from + 70; i++)
			nr[cm_chunk_node(i, &w)]++;
		assert_in_range(nr[5], 39, 41);
		assert_in_range(nr[7], 18, 22);
		assert_in_range(nr[9], 8, 12);
		assert_int_equal(nr[5] + nr[7] + nr[9], 70);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			ranges_are_in_the_window_and_side_by_side, fresh),
		cmocka_unit_test_setup(what_is_charged_comes_back_to_the_byte,
				       fresh),
		cmocka_unit_test_setup(
			one_full_tier_refuses_and_the_other_pays_nothing,
			fresh),
		cmocka_unit_test_setup(
			patterns_share_the_window_without_meeting, fresh),
		cmocka_unit_test_setup(what_is_in_the_way_is_stepped_over,
				       fresh),
		cmocka_unit_test_setup(pieces_are_bound_to_their_tier, fresh),
		cmocka_unit_test(nodes_take_pieces_by_their_weights),
		cmocka_unit_test_setup(a_window_used_up_refuses, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
