/* SPDX-License-Identifier: BSD-2-Clause */
/* large: a block waits for the next of its size, is handed out once, and goes back */
#include "support/test.h"

#include <string.h>

#include "pool/je.h"
#include "pool/large.h"
#include "pool/pool.h"

struct cm_fast cm_fast;

#define DDR CM_TIER_DDR

static unsigned nr_given_back;
static void *last_given_back;

static void fake_dallocx(void *p, int flags)
{
	(void)flags;
	nr_given_back++;
	last_given_back = p;
}

static const struct cm_je fake_je = { .dallocx = fake_dallocx };

static int fresh(void **state)
{
	(void)state;
	cm_pool[DDR].je = &fake_je;
	cm_large_keeps = true;
	(void)cm_large_flush(DDR);
	cm_large_age(DDR);
	nr_given_back = 0;
	return 0;
}

/* As jemalloc's may be, not at the beginning of a page. */
static void *block(unsigned number)
{
	return (void *)(UINT64_C(0x7f0000000040) + number * 4 * MIB);
}

static uint64_t held(void)
{
	uint64_t taken;

	return cm_large_held(DDR, &taken);
}

static void sizes_are_above_the_caches_to_4_mib(void **state)
{
	(void)state;
	assert_false(cm_large_is(0));
	assert_false(cm_large_is(256 * KIB));
	assert_true(cm_large_is(256 * KIB + 1));
	assert_true(cm_large_is(4 * MIB));
	assert_false(cm_large_is(4 * MIB + 1));
	assert_false(cm_large_is(SIZE_MAX));
}

static void one_is_handed_out_once(void **state)
{
	uint64_t before, after;

	(void)state;
	(void)cm_large_held(DDR, &before);
	assert_true(cm_large_keep(DDR, block(1), MIB));
	assert_int_equal(held(), MIB);
	assert_ptr_equal(cm_large_take(DDR, MIB - 5), block(1));
	assert_null(cm_large_take(DDR, MIB - 5));
	assert_int_equal(held(), 0);
	(void)cm_large_held(DDR, &after);
	assert_int_equal(after - before, 1);
	assert_int_equal(nr_given_back, 0);
}

static void it_fits(void **state)
{
	(void)state;
	assert_true(cm_large_keep(DDR, block(1), 768 * KIB));
	assert_null(cm_large_take(DDR, 768 * KIB + 1));
	/* a quarter too large at most: it counts in full */
	assert_null(cm_large_take(DDR, 600 * KIB));
	assert_int_equal(held(), 768 * KIB);
	assert_ptr_equal(cm_large_take(DDR, 620 * KIB), block(1));
}

static void doublings_do_not_meet(void **state)
{
	static const size_t size[] = { 260 * KIB, 512 * KIB, 516 * KIB,
				       MIB,	  2 * MIB,   4 * MIB };

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		assert_true(cm_large_keep(DDR, block(i), size[i]));
	/* 260 went for 512, 516 for 1024 */
	assert_int_equal(nr_given_back, 2);
	assert_int_equal(held(), 7 * MIB + 512 * KIB);
	assert_ptr_equal(cm_large_take(DDR, 4 * MIB), block(5));
	assert_ptr_equal(cm_large_take(DDR, 2 * MIB), block(4));
	assert_ptr_equal(cm_large_take(DDR, MIB), block(3));
	assert_ptr_equal(cm_large_take(DDR, 512 * KIB), block(1));
}

static void the_newer_stays(void **state)
{
	(void)state;
	assert_true(cm_large_keep(DDR, block(1), MIB));
	assert_true(cm_large_keep(DDR, block(2), MIB));
	assert_int_equal(nr_given_back, 1);
	assert_ptr_equal(last_given_back, block(1));
	assert_ptr_equal(cm_large_take(DDR, MIB), block(2));
}

static void what_two_looks_find_goes_back(void **state)
{
	(void)state;
	assert_true(cm_large_keep(DDR, block(1), MIB));
	cm_large_age(DDR);
	assert_int_equal(nr_given_back, 0);
	assert_true(cm_large_keep(DDR, block(2), 2 * MIB));
	cm_large_age(DDR);
	assert_ptr_equal(last_given_back, block(1));
	assert_int_equal(nr_given_back, 1);
	cm_large_age(DDR);
	assert_ptr_equal(last_given_back, block(2));
	assert_int_equal(held(), 0);
	/* as many looks later it may come again */
	assert_true(cm_large_keep(DDR, block(2), 2 * MIB));
	cm_large_age(DDR);
	assert_int_equal(nr_given_back, 2);
}

static void all_goes_back_when_asked(void **state)
{
	(void)state;
	assert_false(cm_large_flush(DDR));
	assert_true(cm_large_keep(DDR, block(1), MIB));
	assert_true(cm_large_keep(DDR, block(2), 4 * MIB));
	assert_true(cm_large_flush(DDR));
	assert_int_equal(nr_given_back, 2);
	assert_int_equal(held(), 0);
}

static void none_waits_without_decay(void **state)
{
	(void)state;
	cm_large_keeps = false;
	assert_false(cm_large_keep(DDR, block(1), MIB));
	assert_int_equal(held(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sizes_are_above_the_caches_to_4_mib,
				       fresh),
		cmocka_unit_test_setup(one_is_handed_out_once, fresh),
		cmocka_unit_test_setup(it_fits, fresh),
		cmocka_unit_test_setup(doublings_do_not_meet, fresh),
		cmocka_unit_test_setup(the_newer_stays, fresh),
		cmocka_unit_test_setup(what_two_looks_find_goes_back, fresh),
		cmocka_unit_test_setup(all_goes_back_when_asked, fresh),
		cmocka_unit_test_setup(none_waits_without_decay, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
