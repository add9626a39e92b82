/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * priority: the first tier of the order with room; on_full decides when none
 * has. The table of control/on_full.def, which man 5 shows, is checked whole.
 */
#include "policy/policy.h"
#include "support/test.h"

static int choose(enum cm_on_full on_full, bool ddr_full, bool cxl_full,
		  unsigned nr_order, enum cm_tier first)
{
	struct cm_policy_snapshot snapshot = {
		.nr_order = nr_order,
		.order = { first,
			   first == CM_TIER_DDR ? CM_TIER_CXL : CM_TIER_DDR },
		.on_full = on_full,
	};
	struct cm_policy_view view = { { ddr_full, cxl_full } };

	return cm_policy_priority(&snapshot, &view);
}

static const enum cm_on_full all[] = {
	CM_ON_FULL_FAIL,
	CM_ON_FULL_SPILL,
	CM_ON_FULL_INTERLEAVE,
	CM_ON_FULL_REMAIN,
};

static void the_first_tier_of_the_order_serves_while_it_has_room(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(choose(all[i], false, false, 2, CM_TIER_DDR),
				 CM_TIER_DDR);
		assert_int_equal(choose(all[i], false, true, 2, CM_TIER_DDR),
				 CM_TIER_DDR);
		assert_int_equal(choose(all[i], false, false, 2, CM_TIER_CXL),
				 CM_TIER_CXL);
	}
}

static void the_next_serves_when_the_first_is_full(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(choose(all[i], true, false, 2, CM_TIER_DDR),
				 CM_TIER_CXL);
		assert_int_equal(choose(all[i], false, true, 2, CM_TIER_CXL),
				 CM_TIER_DDR);
	}
}

static void spill_and_remain_stay_on_the_last_when_all_are_full(void **state)
{
	(void)state;
	assert_int_equal(choose(CM_ON_FULL_SPILL, true, true, 2, CM_TIER_DDR),
			 CM_TIER_CXL);
	assert_int_equal(choose(CM_ON_FULL_REMAIN, true, true, 2, CM_TIER_DDR),
			 CM_TIER_CXL);
	assert_int_equal(choose(CM_ON_FULL_SPILL, true, true, 2, CM_TIER_CXL),
			 CM_TIER_DDR);
}

static void fail_and_interleave_have_no_tier_when_all_are_full(void **state)
{
	(void)state;
	assert_int_equal(choose(CM_ON_FULL_FAIL, true, true, 2, CM_TIER_DDR),
			 CM_POLICY_ALL_FULL);
	assert_int_equal(
		choose(CM_ON_FULL_INTERLEAVE, true, true, 2, CM_TIER_DDR),
		CM_POLICY_ALL_FULL);
}

static void a_tier_outside_of_the_order_is_never_chosen(void **state)
{
	(void)state;
	assert_int_equal(choose(CM_ON_FULL_FAIL, true, false, 1, CM_TIER_DDR),
			 CM_POLICY_ALL_FULL);
	assert_int_equal(choose(CM_ON_FULL_SPILL, true, false, 1, CM_TIER_DDR),
			 CM_TIER_DDR);
	assert_int_equal(choose(CM_ON_FULL_FAIL, false, true, 1, CM_TIER_CXL),
			 CM_POLICY_ALL_FULL);
}

static void only_the_last_tier_takes_more_than_its_limit(void **state)
{
	struct cm_policy_snapshot snapshot = {
		.nr_order = 2,
		.order = { CM_TIER_DDR, CM_TIER_CXL },
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool takes = all[i] == CM_ON_FULL_SPILL ||
			     all[i] == CM_ON_FULL_REMAIN;

		snapshot.on_full = all[i];
		assert_false(cm_policy_is_elastic(&snapshot, CM_TIER_DDR));
		assert_int_equal(cm_policy_is_elastic(&snapshot, CM_TIER_CXL),
				 takes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_first_tier_of_the_order_serves_while_it_has_room),
		cmocka_unit_test(the_next_serves_when_the_first_is_full),
		cmocka_unit_test(
			spill_and_remain_stay_on_the_last_when_all_are_full),
		cmocka_unit_test(
			fail_and_interleave_have_no_tier_when_all_are_full),
		cmocka_unit_test(a_tier_outside_of_the_order_is_never_chosen),
		cmocka_unit_test(only_the_last_tier_takes_more_than_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
