/* SPDX-License-Identifier: BSD-2-Clause */
/* large: blocks kept for the thread's next malloc, bounded, each handed out once */
#include "support/test.h"

#include <string.h>

#include "pool/large.h"

struct cm_fast cm_fast;

#define DDR CM_TIER_DDR
#define pool cm_pool[DDR]

static uint64_t allocated, freed;
static size_t given_back;
static unsigned nr_given_back;

/* Blocks of these tests have their size in their address. */
static void *block_of(size_t size, unsigned number)
{
	return (void *)(((uintptr_t)number << 24) | size | 64);
}

static size_t size_of(const void *p)
{
	return ((uintptr_t)p & 0xffffff) & ~(uintptr_t)0xfff;
}

static void fake_dallocx(void *p, int flags)
{
	(void)flags;
	given_back += size_of(p);
	freed += size_of(p);
	nr_given_back++;
}

static const struct cm_je fake_je = { .dallocx = fake_dallocx };

static int fresh(void **state)
{
	(void)state;
	(void)cm_large_flush_shared(DDR);
	cm_large_shares = true;
	if (cm_thread.large[DDR]) {
		(void)cm_large_flush(&cm_thread, DDR);
		cm_large_leave(&cm_thread, DDR);
	}
	memset(&cm_thread, 0, sizeof(cm_thread));
	memset(&pool, 0, sizeof(pool));
	pool.je = &fake_je;
	cm_thread.allocated[DDR] = &allocated;
	cm_thread.freed[DDR] = &freed;
	cm_large_enter(&cm_thread, DDR);
	allocated = freed = given_back = nr_given_back = 0;
	return 0;
}

static bool keep(size_t size, unsigned number)
{
	return cm_large_may_keep(&cm_thread, DDR) &&
	       cm_large_keep(&cm_thread, DDR, block_of(size, number), size);
}

static void *take(size_t size)
{
	return cm_large_is(size) ? cm_large_search(&cm_thread, DDR, size) :
				   NULL;
}

static uint64_t held(void)
{
	uint64_t bytes, taken;

	cm_large_sum(DDR, &bytes, &taken);
	return bytes;
}

static void classes_are_jemallocs(void **state)
{
	unsigned last = 0;

	(void)state;
	assert_int_equal(cm_large_class(CM_LARGE_FIRST), 0);
	assert_int_equal(cm_large_class(16384), 0);
	assert_int_equal(cm_large_class(16385), 1);
	assert_int_equal(cm_large_class(20480), 1);
	assert_int_equal(cm_large_class(40960), 5);
	assert_int_equal(cm_large_class(40961), 6);
	assert_int_equal(cm_large_class(CM_LARGE_MAX), CM_LARGE_CLASSES - 1);
	for (size_t size = CM_LARGE_FIRST; size <= CM_LARGE_MAX; size++) {
		unsigned class = cm_large_class(size);

		assert_true(class == last || class == last + 1);
		last = class;
	}
	assert_false(cm_large_is(0));
	assert_false(cm_large_is(CM_LARGE_FIRST - 1));
	assert_false(cm_large_is(CM_LARGE_MAX + 1));
	assert_false(cm_large_is(SIZE_MAX));
}

static void the_last_comes_first(void **state)
{
	(void)state;
	assert_true(keep(40960, 1));
	assert_true(keep(40960, 2));
	assert_ptr_equal(take(40000), block_of(40960, 2));
	assert_ptr_equal(take(36865), block_of(40960, 1));
	assert_null(take(40000));
	assert_int_equal(freed, 2 * 40960);
	assert_int_equal(allocated, 2 * 40960);
}

/* jemalloc rounds up to pages: a class has blocks of several sizes. */
static void it_is_large_enough(void **state)
{
	(void)state;
	assert_true(keep(49152, 1));
	assert_true(keep(45056, 2));
	assert_null(cm_large_take(&cm_thread, DDR, 45057));
	assert_ptr_equal(take(45057), block_of(49152, 1));
	assert_null(take(45057));
	assert_ptr_equal(take(45056), block_of(45056, 2));
}

static void what_is_not_for_it_is_refused(void **state)
{
	(void)state;
	assert_false(keep(12288, 1));
	assert_false(keep(CM_LARGE_SHARED + 4096, 1));
	cm_large_shares = false;
	assert_false(keep(CM_LARGE_MAX + 4096, 1));
	cm_large_shares = true;
	pool.full = true;
	assert_false(keep(40960, 1));
	pool.full = false;
	for (unsigned i = 0; i < CM_LARGE_SLOTS; i++)
		assert_true(keep(40960, i));
	assert_false(keep(40960, CM_LARGE_SLOTS));
	assert_true(keep(CM_LARGE_MAX, 9));
	assert_false(keep(CM_LARGE_MAX / 4, 9));
}

static void what_is_not_wanted_goes_back(void **state)
{
	(void)state;
	keep(40960, 1);
	keep(40960, 2);
	keep(131072, 3);
	cm_large_look(&cm_thread, DDR);
	assert_int_equal(nr_given_back, 0);
	/* One of the two is used, again and again. */
	for (unsigned i = 0; i < 3; i++)
		keep(size_of(take(40960)), 2);
	cm_large_look(&cm_thread, DDR);
	assert_int_equal(nr_given_back, 2);
	assert_int_equal(given_back, 40960 + 131072);
	assert_int_equal(held(), 40960);
	assert_ptr_equal(take(40960), block_of(40960, 2));
}

static void misses_bring_a_look(void **state)
{
	(void)state;
	keep(40960, 1);
	for (int i = 0; i < 128; i++)
		cm_large_missed(&cm_thread, DDR);
	assert_int_equal(nr_given_back, 1);
	assert_int_equal(held(), 0);
}

static void *take_shared(size_t size)
{
	assert_true(cm_large_is_shared(size));
	return cm_large_take_shared(&cm_thread, DDR, size);
}

static void two_places_are_for_all(void **state)
{
	(void)state;
	assert_false(cm_large_is_shared(CM_LARGE_MAX));
	assert_false(cm_large_is_shared(CM_LARGE_SHARED + 1));
	assert_true(keep(2 * MIB, 1));
	assert_true(keep(3 * MIB, 2));
	assert_int_equal(held(), 5 * MIB);
	assert_null(take_shared(3 * MIB + 1));
	assert_null(take_shared(MIB + 1));	/* half of it would be lost */
	assert_ptr_equal(take_shared(2 * MIB - 4096), block_of(2 * MIB, 1));
	assert_ptr_equal(take_shared(3 * MIB), block_of(3 * MIB, 2));
	assert_null(take_shared(3 * MIB));
	assert_int_equal(nr_given_back, 0);
	assert_true(keep(3 * MIB, 3));
	assert_true(keep(4 * MIB, 4));
	assert_int_equal(given_back, 3 * MIB);
	assert_int_equal(held(), freed - allocated - given_back);
	assert_true(cm_large_flush_shared(DDR));
	assert_false(cm_large_flush_shared(DDR));
	assert_int_equal(held(), 0);
}

static void the_same_at_two_looks_goes_back(void **state)
{
	(void)state;
	assert_true(keep(3 * MIB, 1));
	cm_large_age(DDR);
	assert_true(keep(3 * MIB, 2));
	nr_given_back = 0;
	cm_large_age(DDR);
	assert_int_equal(nr_given_back, 0);
	cm_large_age(DDR);
	assert_int_equal(nr_given_back, 1);
	assert_int_equal(held(), 0);
	cm_large_age(DDR);
	assert_int_equal(nr_given_back, 1);
}

/* A thread's blocks are no other's, in its place or beside it. */
static void threads_are_apart(void **state)
{
	struct cm_large *mine = cm_thread.large[DDR];
	struct cm_thread other = cm_thread;

	(void)state;
	other.large[DDR] = NULL;
	cm_large_enter(&other, DDR);
	assert_ptr_not_equal(other.large[DDR], mine);
	keep(40960, 1);
	assert_null(cm_large_search(&other, DDR, 40960));
	assert_true(cm_large_keep(&other, DDR, block_of(65536, 2), 65536));
	assert_int_equal(held(), 40960 + 65536);
	cm_large_fork_child(&cm_thread);
	assert_int_equal(held(), 40960);
	other.large[DDR] = NULL;
	cm_large_enter(&other, DDR);
	assert_null(cm_large_search(&other, DDR, 65536));
	cm_large_leave(&other, DDR);
}

static void all_comes_back_once(void **state)
{
	static unsigned char out[1 << 16];
	unsigned seed = 1, number = 0, nr_kept = 0, nr_taken = 0;

	(void)state;
	memset(out, 0, sizeof(out));
	for (int i = 0; i < 60000; i++) {
		size_t size;
		void *p;

		seed = seed * 1103515245 + 12345;
		size = CM_LARGE_MIN + (seed >> 8) % 200 * 4096;
		if (seed >> 30 & 1) {
			if (keep(size, ++number)) {
				out[number] = 1;
				nr_kept++;
			}
		} else if ((p = take(size - seed % 4096))) {
			unsigned of = (unsigned)((uintptr_t)p >> 24);

			assert_true(size_of(p) >= size - seed % 4096);
			assert_int_equal(out[of]--, 1);
			nr_taken++;
		}
		assert_true(held() <= CM_LARGE_HELD);
		assert_int_equal(held(), freed - allocated - given_back);
		if (i % 1000 == 0)
			cm_large_look(&cm_thread, DDR);
	}
	assert_true(nr_taken > 1000);
	assert_true(cm_large_flush(&cm_thread, DDR));
	assert_false(cm_large_flush(&cm_thread, DDR));
	assert_int_equal(held(), 0);
	assert_int_equal(nr_kept, nr_taken + nr_given_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(classes_are_jemallocs, fresh),
		cmocka_unit_test_setup(the_last_comes_first, fresh),
		cmocka_unit_test_setup(it_is_large_enough, fresh),
		cmocka_unit_test_setup(what_is_not_for_it_is_refused, fresh),
		cmocka_unit_test_setup(what_is_not_wanted_goes_back, fresh),
		cmocka_unit_test_setup(misses_bring_a_look, fresh),
		cmocka_unit_test_setup(two_places_are_for_all, fresh),
		cmocka_unit_test_setup(the_same_at_two_looks_goes_back, fresh),
		cmocka_unit_test_setup(threads_are_apart, fresh),
		cmocka_unit_test_setup(all_comes_back_once, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
