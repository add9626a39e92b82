/* SPDX-License-Identifier: BSD-2-Clause */
/* map: the tier of a map, by policy, limits and turns */
#include "support/test.h"

#include <string.h>

#include "map/map.h"
#include "policy/snapshot.h"
#include "pool/pool.h"

struct cm_fast cm_fast;

static struct cm_policy_snapshot policy;
static struct cm_settings settings;

static int fresh(void **state)
{
	(void)state;
	memset(&settings, 0, sizeof(settings));
	settings.mmap_policy = CM_MMAP_MALLOC;
	settings.mmap_min = 256 * KIB;
	assert_int_equal(cm_map_init(&settings), 0);
	policy = (struct cm_policy_snapshot){
		.id = CM_POLICY_PRIORITY,
		.nr_order = 2,
		.order = { CM_TIER_DDR, CM_TIER_CXL },
		.on_full = CM_ON_FULL_SPILL,
	};
	assert_int_equal(cm_snapshot_publish(&policy), 0);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		memset(&cm_pool[t].place, 0, sizeof(cm_pool[t].place));
		cm_pool[t].tier = t;
		cm_pool[t].limit = CM_NO_LIMIT;
		cm_pool[t].used = 0;
	}
	cm_range_forget(0, TIB);
	return 0;
}

static enum cm_range_place choose(uint64_t size)
{
	return cm_map_choose(size, true);
}

static void the_first_that_has_room_then_the_last(void **state)
{
	(void)state;
	assert_int_equal(choose(GIB), CM_RANGE_DDR);
	cm_pool[CM_TIER_DDR].limit = 10 * MIB;
	assert_int_equal(choose(10 * MIB), CM_RANGE_DDR);
	assert_int_equal(choose(10 * MIB + 1), CM_RANGE_CXL);
	cm_pool[CM_TIER_DDR].used = 4 * MIB;
	assert_int_equal(choose(6 * MIB), CM_RANGE_DDR);
	assert_int_equal(choose(7 * MIB), CM_RANGE_CXL);
	/* what is mapped counts, what is reserved does not */
	assert_true(cm_range_add(GIB, 5 * MIB, CM_RANGE_DDR, true));
	assert_true(cm_range_add(2 * GIB, 5 * MIB, CM_RANGE_DDR, false));
	assert_int_equal(choose(MIB), CM_RANGE_DDR);
	assert_int_equal(choose(2 * MIB), CM_RANGE_CXL);
	/* all full: the last, whatever its limit */
	cm_pool[CM_TIER_CXL].limit = 0;
	assert_int_equal(choose(2 * MIB), CM_RANGE_CXL);
	/* beyond its limit already */
	cm_pool[CM_TIER_DDR].used = 40 * MIB;
	assert_int_equal(choose(1), CM_RANGE_CXL);
}

static void a_tier_can_be_named(void **state)
{
	(void)state;
	cm_pool[CM_TIER_DDR].limit = cm_pool[CM_TIER_CXL].limit = 0;
	settings.mmap_policy = CM_MMAP_DDR;
	(void)cm_map_init(&settings);
	assert_int_equal(choose(GIB), CM_RANGE_DDR);
	settings.mmap_policy = CM_MMAP_CXL;
	(void)cm_map_init(&settings);
	assert_int_equal(choose(GIB), CM_RANGE_CXL);
	settings.mmap_policy = CM_MMAP_OFF;
	(void)cm_map_init(&settings);
	assert_int_equal(choose(GIB), CM_RANGE_NONE);
}

static void mmap_min_is_whole_pages(void **state)
{
	(void)state;
	/* what rounds up to it is as large as it */
	assert_int_equal(cm_map_rules.above, 252 * KIB);
	settings.mmap_min = 4096;
	(void)cm_map_init(&settings);
	assert_int_equal(cm_map_rules.above, 0);
	settings.mmap_min = 4097;
	(void)cm_map_init(&settings);
	assert_int_equal(cm_map_rules.above, 4096);
}

static void by_size_when_that_is_the_policy(void **state)
{
	(void)state;
	policy.id = CM_POLICY_SIZE;
	policy.sizes.nr = 1;
	policy.sizes.bound[0] = MIB;
	policy.sizes.tier[0] = CM_TIER_CXL;
	policy.sizes.tier[1] = CM_TIER_DDR;
	assert_int_equal(cm_snapshot_publish(&policy), 0);
	assert_int_equal(choose(MIB - 1), CM_RANGE_CXL);
	assert_int_equal(choose(MIB), CM_RANGE_DDR);
}

/* 64 GiB of maps: the ratio, and how often a neighbour is another tier's. */
static void turns_keep_the_ratio_and_change_seldom(void **state)
{
	uint64_t bytes[CM_RANGE_PLACES] = { 0 }, size = 256 * KIB;
	enum cm_range_place last = CM_RANGE_NONE, now;
	unsigned changes = 0;

	(void)state;
	policy.id = CM_POLICY_INTERLEAVE;
	policy.weight[CM_TIER_DDR] = 3;
	policy.weight[CM_TIER_CXL] = 1;
	assert_int_equal(cm_snapshot_publish(&policy), 0);
	for (uint64_t n = 1; n <= 64 * GIB / size; n++) {
		now = choose(size);
		bytes[now] += size;
		changes += now != last;
		last = now;
		if (n == 1000 || n % 65536 == 0)
			assert_true(bytes[CM_RANGE_DDR] * 100 >=
					    n * size * 74 &&
				    bytes[CM_RANGE_DDR] * 100 <= n * size * 76);
	}
	assert_true(changes < 8000);
	/* one that is full has no turn */
	cm_pool[CM_TIER_DDR].limit = 0;
	for (int i = 0; i < 10; i++)
		assert_int_equal(choose(size), CM_RANGE_CXL);
}

/* A program that has mapped and unmapped 4 TiB has its next maps on both. */
static void what_is_long_gone_keeps_no_turn(void **state)
{
	uint64_t maps[CM_RANGE_PLACES] = { 0 };

	(void)state;
	policy.id = CM_POLICY_INTERLEAVE;
	policy.weight[CM_TIER_DDR] = 1;
	policy.weight[CM_TIER_CXL] = 1;
	assert_int_equal(cm_snapshot_publish(&policy), 0);
	for (uint64_t n = 0; n < 4 * TIB / (64 * MIB); n++)
		(void)choose(64 * MIB);
	for (int i = 0; i < 1024; i++)
		maps[choose(MIB)]++;
	assert_true(maps[CM_RANGE_DDR] >= 512 - 128 &&
		    maps[CM_RANGE_CXL] >= 512 - 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_that_has_room_then_the_last,
				       fresh),
		cmocka_unit_test_setup(a_tier_can_be_named, fresh),
		cmocka_unit_test_setup(mmap_min_is_whole_pages, fresh),
		cmocka_unit_test_setup(by_size_when_that_is_the_policy, fresh),
		cmocka_unit_test_setup(turns_keep_the_ratio_and_change_seldom,
				       fresh),
		cmocka_unit_test_setup(what_is_long_gone_keeps_no_turn, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
