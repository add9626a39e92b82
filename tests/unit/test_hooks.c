/* SPDX-License-Identifier: BSD-2-Clause */
/* hooks: commit charges the limit exactly, decommit gives it back */
#include <pthread.h>
#include <unistd.h>

#include "pool/hooks.h"
#include "pool/thread.h"
#include "support/fake_sys.h"
#include "support/test.h"

#define BASE ((uintptr_t)0x100000000000)
#define PAGE ((size_t)4096)

/* The library's lies with its fast paths, which are not linked here. */
struct cm_fast cm_fast;

#define pool cm_pool[CM_TIER_CXL]

/* No machine has this node: what room.c looks for there is not known. */
#define NODE (CM_MAX_NODES - 1)

static void on_node(unsigned node, enum cm_binding binding, int mode)
{
	struct cm_place place = {
		.binding = (int)binding,
		.mode = mode | CM_MPOL_F_STATIC_NODES,
	};

	cm_nodeset_set(&place.nodes, node);
	place.reach = place.home = place.nodes;
	cm_place_set(&pool.place, &place);
	cm_room_forget(&pool); /* as entry/nodes.c does */
}

static enum cm_binding binding_now(void)
{
	struct cm_place place;

	cm_place_get(&pool.place, &place);
	return (enum cm_binding)place.binding;
}

static int fresh(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.can_map = SIZE_MAX;
	memset(&pool, 0, sizeof(pool));
	memset(&cm_thread, 0, sizeof(cm_thread));
	cm_fast.base = BASE;
	cm_fast.end[CM_TIER_DDR] = GIB;
	cm_fast.end[CM_TIER_CXL] = 2 * GIB;
	pool.hooks = cm_hooks;
	pool.sys = &fake_sys;
	pool.tier = CM_TIER_CXL;
	pool.next = BASE + GIB;
	pool.limit = pool.allowance = MIB;
	on_node(NODE, CM_BINDING_STRICT, CM_MPOL_BIND);
	return 0;
}

static void *reserve(size_t size, size_t alignment, bool commit)
{
	bool zero = false, committed = commit;

	return pool.hooks.alloc(&pool.hooks, NULL, size, alignment, &zero,
				&committed, 1);
}

static bool refused(size_t length)
{
	return pool.hooks.commit(&pool.hooks, (void *)(BASE + GIB), length, 0,
				 length, 1);
}

static bool kept(size_t length)
{
	return pool.hooks.decommit(&pool.hooks, (void *)(BASE + GIB), length, 0,
				   length, 1);
}

static void reserving_addresses_costs_no_budget(void **state)
{
	(void)state;
	assert_ptr_equal(reserve(2 * MIB, PAGE, false), BASE + GIB);
	assert_int_equal(pool.used, 0);
	assert_int_equal(fake.map_size, 2 * MIB);
}

static void a_range_is_bound_whole_with_static_nodes(void **state)
{
	(void)state;
	assert_non_null(reserve(2 * MIB, PAGE, false));
	assert_int_equal(fake.bind_at, fake.map_at);
	assert_int_equal(fake.bind_size, 2 * MIB);
	assert_int_equal(fake.bind_mode, CM_MPOL_BIND | CM_MPOL_F_STATIC_NODES);
	assert_int_equal(cm_nodeset_weight(&fake.bind_nodes), 1);
	assert_true(cm_nodeset_test(&fake.bind_nodes, NODE));
}

static void an_emulated_tier_binds_nothing(void **state)
{
	(void)state;
	on_node(0, CM_BINDING_EMULATED, CM_MPOL_BIND);
	assert_non_null(reserve(2 * MIB, PAGE, false));
	assert_int_equal(fake.nr_binds, 0);
}

static void ranges_follow_each_other_inside_the_window(void **state)
{
	char *a = reserve(MIB, PAGE, false);
	char *b = reserve(MIB, PAGE, false);

	(void)state;
	assert_ptr_equal(b, a + MIB);
	assert_true(cm_window_has(CM_TIER_CXL, a));
	assert_false(cm_window_has(CM_TIER_DDR, a));
}

static void alignment_is_kept(void **state)
{
	(void)state;
	assert_non_null(reserve(PAGE, PAGE, false));
	assert_int_equal((uintptr_t)reserve(PAGE, 2 * MIB, false) % (2 * MIB),
			 0);
	assert_int_equal((uintptr_t)reserve(PAGE, 64 * MIB, false) % (64 * MIB),
			 0);
}

static void a_full_window_gives_null_and_stays_inside(void **state)
{
	unsigned nr = 0;

	(void)state;
	pool.limit = pool.allowance = CM_NO_LIMIT;
	while (reserve(64 * MIB, PAGE, false)) {
		assert_true(fake.map_at + fake.map_size <= BASE + 2 * GIB);
		nr++;
	}
	assert_int_equal(nr, GIB / (64 * MIB));
	assert_null(reserve(2 * GIB, PAGE, false));
	assert_null(reserve(SIZE_MAX & ~(PAGE - 1), PAGE, false));
	assert_null(reserve(PAGE, (size_t)1 << 62, false));
}

static void something_in_the_way_is_stepped_over(void **state)
{
	char *p;

	(void)state;
	fake.map_fails_at = 1;
	fake.map_error = -EEXIST;
	p = reserve(MIB, PAGE, false);
	assert_true((uintptr_t)p > BASE + GIB);
	assert_true(cm_window_has(CM_TIER_CXL, p));
	assert_int_equal(fake.nr_maps, 2);
}

static void a_window_taken_by_others_ends_the_search(void **state)
{
	(void)state;
	fake.map_fails_at = 1;
	fake.map_fails_on = true;
	fake.map_error = -EEXIST;
	assert_null(reserve(PAGE, PAGE, false));
	assert_in_range(fake.nr_maps, 2, 64);
}

static void no_memory_for_a_map_gives_the_budget_back(void **state)
{
	(void)state;
	fake.map_fails_at = 1;
	fake.map_error = -ENOMEM;
	assert_null(reserve(PAGE, PAGE, true));
	assert_int_equal(fake.nr_maps, 1);
	assert_int_equal(pool.used, 0);
}

static void what_cannot_be_mapped_gives_its_addresses_back(void **state)
{
	char *first;

	(void)state;
	pool.limit = pool.allowance = CM_NO_LIMIT;
	first = reserve(MIB, PAGE, false);
	for (unsigned i = 0; i < 10000; i++) {
		fake.map_fails_at = fake.nr_maps + 1;
		fake.map_error = -ENOMEM;
		assert_null(reserve(512 * MIB, PAGE, false));
		assert_null(reserve(2 * GIB, PAGE, false));
	}
	assert_ptr_equal(reserve(MIB, PAGE, false), first + MIB);
	fake.can_map = 0;
	assert_null(reserve(512 * MIB, PAGE, false));
	assert_ptr_equal(reserve(MIB, PAGE, false), first + 2 * MIB);
}

static void what_the_limit_cannot_hold_is_not_mapped(void **state)
{
	(void)state;
	assert_null(reserve(100 * MIB, PAGE, false));
	assert_int_equal(fake.nr_maps, 0);
	assert_non_null(reserve(2 * MIB, PAGE, false));
	pool.limit = pool.allowance = CM_NO_LIMIT;
	assert_non_null(reserve(100 * MIB, PAGE, false));
}

static void only_limited_tiers_go_without_huge_pages(void **state)
{
	(void)state;
	assert_non_null(reserve(2 * MIB, PAGE, false));
	assert_int_equal(fake.small_pages, 2 * MIB);
	pool.limit = pool.allowance = CM_NO_LIMIT;
	assert_non_null(reserve(2 * MIB, PAGE, false));
	assert_int_equal(fake.small_pages, 2 * MIB);
}

static void a_peak_counts_only_what_was_had(void **state)
{
	(void)state;
	pool.elastic = cm_thread.beyond = true;
	fake.map_fails_at = 1;
	fake.map_error = -ENOMEM;
	assert_null(reserve(4 * MIB, PAGE, true));
	assert_int_equal(pool.used, 0);
	assert_int_equal(pool.peak, 0);
	assert_int_equal(pool.over_peak, 0);
	assert_non_null(reserve(4 * MIB, PAGE, true));
	assert_int_equal(pool.peak, 4 * MIB);
	assert_int_equal(pool.over_peak, 3 * MIB);
}

static void committing_charges_up_to_the_limit_exactly(void **state)
{
	(void)state;
	assert_false(refused(MIB - PAGE));
	assert_false(refused(PAGE));
	assert_int_equal(pool.used, MIB);
	assert_false(pool.full);
	assert_true(refused(PAGE));
	assert_int_equal(pool.used, MIB);
	assert_int_equal(pool.peak, MIB);
	assert_true(pool.full);
	assert_int_equal(pool.nr_full, 1);
}

static void one_call_too_big_does_not_make_the_tier_full(void **state)
{
	(void)state;
	assert_true(refused(2 * MIB));
	assert_false(pool.full);
	assert_true(refused(SIZE_MAX));
	assert_int_equal(pool.used, 0);
}

static void after_a_refusal_nothing_is_mapped_or_committed(void **state)
{
	(void)state;
	assert_false(refused(MIB));
	assert_true(refused(PAGE));
	assert_true(cm_thread.refused[CM_TIER_CXL]);
	assert_null(reserve(2 * MIB, PAGE, false));
	assert_null(reserve(PAGE, PAGE, true));
	assert_int_equal(fake.nr_maps, 0);
	cm_thread.refused[CM_TIER_CXL] = false;
	pool.allowance = 2 * MIB;
	assert_false(refused(PAGE));
}

/* Beyond its limit only when all have refused: that is the thread's to say. */
static void an_elastic_tier_keeps_its_limit_until_all_refused(void **state)
{
	(void)state;
	pool.elastic = true;
	assert_false(refused(MIB));
	assert_true(refused(PAGE));
	assert_int_equal(pool.used, MIB);
	cm_thread.refused[CM_TIER_CXL] = false;
	cm_thread.beyond = true;
	assert_false(refused(PAGE));
	assert_int_equal(pool.over_peak, PAGE);
}

static void an_elastic_tier_counts_what_is_over(void **state)
{
	(void)state;
	pool.elastic = cm_thread.beyond = true;
	assert_false(refused(MIB + 3 * PAGE));
	assert_int_equal(pool.used, MIB + 3 * PAGE);
	assert_int_equal(pool.over_peak, 3 * PAGE);
	assert_false(pool.full);
}

static void decommitting_gives_budget_back(void **state)
{
	(void)state;
	assert_false(refused(MIB));
	assert_false(kept(64 * PAGE));
	assert_int_equal(pool.used, MIB - 64 * PAGE);
	assert_int_equal(fake.purge_size, 64 * PAGE);
	assert_int_equal(pool.peak, MIB);
	assert_false(refused(64 * PAGE));
}

static void pages_the_kernel_keeps_stay_charged(void **state)
{
	(void)state;
	fake.purge_fails_at = 1;
	fake.purge_error = -EINVAL;
	assert_false(refused(MIB));
	assert_true(kept(64 * PAGE));
	assert_int_equal(pool.used, MIB);
}

static void a_refused_mbind_is_remembered_as_denied(void **state)
{
	(void)state;
	fake.bind_fails_at = 1;
	fake.bind_error = -EPERM;
	assert_non_null(reserve(PAGE, PAGE, true));
	assert_int_equal(binding_now(), CM_BINDING_DENIED);
	assert_non_null(reserve(PAGE, PAGE, true));
	assert_int_equal(fake.nr_binds, 1);
}

static void old_kernels_get_preferred_for_preferred_many(void **state)
{
	(void)state;
	on_node(NODE, CM_BINDING_PREFERRED, CM_MPOL_PREFERRED_MANY);
	fake.bind_fails_at = 1;
	fake.bind_error = -EINVAL;
	assert_non_null(reserve(PAGE, PAGE, true));
	assert_int_equal(fake.bind_mode,
			 CM_MPOL_PREFERRED | CM_MPOL_F_STATIC_NODES);
	assert_int_equal(binding_now(), CM_BINDING_PREFERRED);
	assert_false(pool.place.rebind_due);
}

static void nodes_the_cpuset_excludes_are_tried_again_later(void **state)
{
	(void)state;
	fake.bind_fails_at = 1;
	fake.bind_error = -EINVAL;
	assert_non_null(reserve(PAGE, PAGE, true));
	assert_int_equal(binding_now(), CM_BINDING_STRICT);
	assert_true(pool.place.rebind_due);
}

static void a_tier_whose_nodes_are_gone_takes_nothing_new(void **state)
{
	(void)state;
	assert_false(refused(PAGE));
	on_node(NODE, CM_BINDING_OFFLINE, CM_MPOL_BIND);
	assert_true(refused(PAGE));
	assert_true(pool.full);
	assert_int_equal(pool.used, PAGE);
	assert_false(kept(PAGE));
}

/* Node 0 is everywhere; nobody has 2^60 bytes free there. */
static void what_the_nodes_cannot_hold_is_refused_without_a_limit(void **state)
{
	(void)state;
	if (access("/sys/devices/system/node/node0/meminfo", R_OK))
		skip();
	pool.limit = pool.allowance = CM_NO_LIMIT;
	on_node(0, CM_BINDING_STRICT, CM_MPOL_BIND);
	assert_true(refused((size_t)1 << 60));
	assert_int_equal(pool.used, 0);
	assert_false(pool.full);
	cm_thread.refused[CM_TIER_CXL] = false;
	assert_false(refused(PAGE));
	on_node(0, CM_BINDING_EMULATED, CM_MPOL_BIND);
	assert_false(refused((size_t)1 << 60));
}

static void *commit_and_back(void *arg)
{
	unsigned *mistakes = arg;

	for (unsigned i = 0; i < 20000; i++) {
		size_t size = PAGE * (1 + i % 17);

		cm_thread.refused[CM_TIER_CXL] = false;
		if (!refused(size) && kept(size))
			__atomic_add_fetch(mistakes, 1, __ATOMIC_RELAXED);
		if (pool.used > MIB)
			__atomic_add_fetch(mistakes, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void threads_never_pass_the_limit_between_them(void **state)
{
	pthread_t thread[4];
	unsigned mistakes = 0;

	(void)state;
	pool.limit = pool.allowance = MIB;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
						commit_and_back, &mistakes),
				 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(mistakes, 0);
	assert_int_equal(pool.used, 0);
	assert_true(pool.peak <= MIB);
}

static void *change_place(void *arg)
{
	_Atomic bool *stop = arg;

	for (unsigned i = 0; !*stop; i++)
		on_node(i % 2 ? 3 : 700, CM_BINDING_STRICT, CM_MPOL_BIND);
	return NULL;
}

static void a_place_is_read_whole_while_it_changes(void **state)
{
	_Atomic bool stop = false;
	pthread_t thread;
	unsigned torn = 0;

	(void)state;
	on_node(3, CM_BINDING_STRICT, CM_MPOL_BIND);
	assert_int_equal(pthread_create(&thread, NULL, change_place, &stop), 0);
	for (unsigned i = 0; i < 100000; i++) {
		struct cm_place place;

		cm_place_get(&pool.place, &place);
		torn += !cm_nodeset_equal(&place.nodes, &place.home) ||
			cm_nodeset_weight(&place.nodes) != 1 ||
			place.binding != CM_BINDING_STRICT;
	}
	stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(torn, 0);
}

#define T(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(reserving_addresses_costs_no_budget),
		T(a_range_is_bound_whole_with_static_nodes),
		T(an_emulated_tier_binds_nothing),
		T(ranges_follow_each_other_inside_the_window),
		T(alignment_is_kept),
		T(a_full_window_gives_null_and_stays_inside),
		T(something_in_the_way_is_stepped_over),
		T(a_window_taken_by_others_ends_the_search),
		T(no_memory_for_a_map_gives_the_budget_back),
		T(what_cannot_be_mapped_gives_its_addresses_back),
		T(what_the_limit_cannot_hold_is_not_mapped),
		T(only_limited_tiers_go_without_huge_pages),
		T(a_peak_counts_only_what_was_had),
		T(committing_charges_up_to_the_limit_exactly),
		T(one_call_too_big_does_not_make_the_tier_full),
		T(after_a_refusal_nothing_is_mapped_or_committed),
		T(an_elastic_tier_keeps_its_limit_until_all_refused),
		T(an_elastic_tier_counts_what_is_over),
		T(decommitting_gives_budget_back),
		T(pages_the_kernel_keeps_stay_charged),
		T(a_refused_mbind_is_remembered_as_denied),
		T(old_kernels_get_preferred_for_preferred_many),
		T(nodes_the_cpuset_excludes_are_tried_again_later),
		T(a_tier_whose_nodes_are_gone_takes_nothing_new),
		T(what_the_nodes_cannot_hold_is_refused_without_a_limit),
		T(a_place_is_read_whole_while_it_changes),
		T(threads_never_pass_the_limit_between_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
