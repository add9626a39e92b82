/* SPDX-License-Identifier: BSD-2-Clause */
/* window: two windows in the middle of the largest gap, wherever that is */
#include <errno.h>
#include <string.h>

#include "pool/window.h"
#include "support/test.h"

struct cm_fast cm_fast;

struct map {
	uintptr_t start, end;
};

#define LOWEST (4 * GIB)

static struct cm_gap largest(const struct map *maps, size_t nr)
{
	struct cm_gap gap = { 0, 0 };
	uintptr_t last = LOWEST;

	for (size_t i = 0; i < nr; i++)
		cm_gap_before(&gap, &last, maps[i].start, maps[i].end);
	return gap;
}

static void place_well(const struct map *maps, size_t nr, uint64_t min_size)
{
	struct cm_gap gap = largest(maps, nr);

	for (uint64_t random = 0; random < 64; random++) {
		struct cm_fast fast = { .base = 0 };
		/* Spread over 64 bits, the extremes among them. */
		uint64_t r = random == 63 ? UINT64_MAX :
					    random * 0x9e3779b97f4a7c15u;
		uintptr_t start, end;
		uintptr_t quarter = (gap.end - gap.start) / 4;

		assert_int_equal(cm_window_place(&gap, r, &fast), 0);
		start = fast.base;
		end = fast.base + fast.end_own;
		assert_int_equal(start % CM_WINDOW_ALIGN, 0);
		assert_true(fast.end[CM_TIER_DDR] >= min_size);
		assert_int_equal(fast.end[CM_TIER_CXL],
				 2 * fast.end[CM_TIER_DDR]);
		assert_int_equal(fast.end_mixed, 3 * fast.end[CM_TIER_DDR]);
		assert_int_equal(fast.end_own, 4 * fast.end[CM_TIER_DDR]);
		/* Room on both sides for what grows there. */
		assert_true(start >= gap.start + quarter);
		assert_true(end <= gap.end - quarter + CM_WINDOW_ALIGN);
		for (size_t i = 0; i < nr; i++)
			assert_true(maps[i].end <= start ||
				    maps[i].start >= end);
	}
}

static void a_usual_layout_has_room_between_heap_and_libraries(void **state)
{
	static const struct map maps[] = {
		{ 0x55d4c8a00000, 0x55d4c8a10000 },
		{ 0x55d4c9b00000, 0x55d4c9b21000 },
		{ 0x7f1e2c000000, 0x7f1e2ffff000 },
		{ 0x7ffd1d000000, 0x7ffd1d021000 },
	};

	(void)state;
	place_well(maps, 4, CM_WINDOW_MAX);
}

static void a_legacy_layout_is_not_met_in_its_libraries(void **state)
{
	/* setarch -L: libraries at a third, growing up */
	static const struct map maps[] = {
		{ 0x2b3690000000, 0x2b3694000000 },
		{ 0x555555554000, 0x555555564000 },
		{ 0x7ffd1d000000, 0x7ffd1d021000 },
	};

	(void)state;
	place_well(maps, 3, CM_WINDOW_MAX / 2);
}

static void a_small_address_space_gets_smaller_windows(void **state)
{
	/* arm64 with 39 bits */
	static const struct map maps[] = {
		{ 0x5555550000, 0x5555590000 },
		{ 0x7fb7e00000, 0x7fb7fff000 },
		{ 0x7ffffde000, 0x7ffffff000 },
	};

	(void)state;
	place_well(maps, 3, CM_WINDOW_MIN);
}

static void no_gap_is_an_error_and_writes_nothing(void **state)
{
	static const struct map maps[] = {
		{ LOWEST, LOWEST + 60 * GIB },
		{ LOWEST + 100 * GIB, LOWEST + 101 * GIB },
	};
	struct cm_gap gap = largest(maps, 2);
	struct cm_gap none = { 0, 0 };
	struct cm_fast fast = { .base = 7 };

	(void)state;
	assert_int_equal(gap.end - gap.start, 40 * GIB);
	assert_int_equal(cm_window_place(&gap, 1, &fast), -ENOMEM);
	assert_int_equal(cm_window_place(&none, 1, &fast), -ENOMEM);
	assert_int_equal(fast.base, 7);
	assert_int_equal(fast.end[0], 0);
}

static void overlapping_and_unsorted_maps_do_not_make_a_gap(void **state)
{
	static const struct map maps[] = {
		{ 10 * TIB, 20 * TIB },
		{ 12 * TIB, 13 * TIB },
		{ 5 * TIB, 6 * TIB },
		{ 20 * TIB, 21 * TIB },
	};
	struct cm_gap gap = largest(maps, 4);

	(void)state;
	assert_int_equal(gap.start, LOWEST);
	assert_int_equal(gap.end, 10 * TIB);
}

static void this_process_has_windows_nothing_is_mapped_in(void **state)
{
	struct cm_fast fast = { .base = 0 };

	(void)state;
	assert_int_equal(cm_window_find(&fast), 0);
	assert_false((uintptr_t)&fast - fast.base < fast.end[CM_TIER_CXL]);
	assert_false((uintptr_t)&cm_fast - fast.base < fast.end[CM_TIER_CXL]);
	assert_false((uintptr_t)&memcpy - fast.base < fast.end[CM_TIER_CXL]);
}

static void two_starts_choose_two_places(void **state)
{
	struct cm_fast a = { .base = 0 }, b = { .base = 0 };

	(void)state;
	assert_int_equal(cm_window_find(&a), 0);
	assert_int_equal(cm_window_find(&b), 0);
	assert_int_not_equal(a.base, b.base);
}

static void a_pointer_is_in_one_window_or_none(void **state)
{
	(void)state;
	cm_fast.base = TIB;
	cm_fast.end[CM_TIER_DDR] = GIB;
	cm_fast.end[CM_TIER_CXL] = 2 * GIB;
	assert_true(cm_window_has(CM_TIER_DDR, (void *)TIB));
	assert_true(cm_window_has(CM_TIER_DDR, (void *)(TIB + GIB - 1)));
	assert_false(cm_window_has(CM_TIER_CXL, (void *)(TIB + GIB - 1)));
	assert_true(cm_window_has(CM_TIER_CXL, (void *)(TIB + GIB)));
	assert_false(cm_window_has(CM_TIER_DDR, (void *)(TIB + GIB)));
	assert_false(cm_window_has(CM_TIER_CXL, (void *)(TIB + 2 * GIB)));
	assert_false(cm_window_has(CM_TIER_DDR, (void *)(TIB - 1)));
	assert_false(cm_window_has(CM_TIER_DDR, NULL));
	assert_false(cm_window_has(CM_TIER_CXL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_usual_layout_has_room_between_heap_and_libraries),
		cmocka_unit_test(a_legacy_layout_is_not_met_in_its_libraries),
		cmocka_unit_test(a_small_address_space_gets_smaller_windows),
		cmocka_unit_test(no_gap_is_an_error_and_writes_nothing),
		cmocka_unit_test(
			overlapping_and_unsorted_maps_do_not_make_a_gap),
		cmocka_unit_test(this_process_has_windows_nothing_is_mapped_in),
		cmocka_unit_test(two_starts_choose_two_places),
		cmocka_unit_test(a_pointer_is_in_one_window_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
