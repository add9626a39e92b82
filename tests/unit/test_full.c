/* SPDX-License-Identifier: BSD-2-Clause */
/* full: a refusal is remembered until something changes, caches are asked for */
#include "support/test.h"

#include <string.h>

#include "pool/full.h"

struct cm_fast cm_fast;

#define pool cm_pool[CM_TIER_DDR]

static uint64_t freed;
static size_t active; /* pages */
static unsigned nr_flushes;

static int fake_mallctl(const char *name, void *oldp, size_t *oldlen,
			void *newp, size_t newlen)
{
	(void)oldp, (void)oldlen, (void)newp, (void)newlen;
	nr_flushes += !strcmp(name, "thread.tcache.flush");
	return 0;
}

/* pool.c's, which would want jemalloc. */
uint64_t cm_pool_in_use(struct cm_pool *of)
{
	return active * of->page;
}

static unsigned nr_purges;

void cm_pool_purge(struct cm_pool *of)
{
	of->used = active * of->page;
	nr_purges++;
}

static const struct cm_je fake_je = { .mallctl = fake_mallctl };

static int fresh(void **state)
{
	(void)state;
	memset(&pool, 0, sizeof(pool));
	memset(&cm_thread, 0, sizeof(cm_thread));
	freed = active = nr_flushes = nr_purges = 0;
	pool.je = &fake_je;
	pool.page = 4096;
	pool.limit = pool.allowance = pool.used = MIB;
	pool.full = true;
	cm_thread.attached[CM_TIER_DDR] = true;
	cm_thread.freed[CM_TIER_DDR] = &freed;
	return 0;
}

static bool knows(size_t size)
{
	return cm_full_knows(&pool, &cm_thread, size, 0);
}

/* Remember it; a tick of the clock may pass before it is asked for. */
static void refuse(size_t size)
{
	for (int i = 0; i < 1000; i++) {
		cm_full_remember(&pool, &cm_thread, size, 0);
		if (knows(size))
			return;
	}
	fail_msg("%zu bytes: not remembered", size);
}

static void a_size_class_is_remembered(void **state)
{
	(void)state;
	assert_false(knows(100));
	refuse(100);
	assert_false(knows(200));
	assert_false(knows(1));
	for (size_t size = 1; size < 16 * GIB; size = size * 5 / 4 + 1) {
		refuse(size);
		assert_false(cm_full_knows(&pool, &cm_thread, size,
					   CM_JE_LG_ALIGN(12)));
	}
}

/* Sizes of one class are one, those of the next are another. */
static void classes_are_jemallocs(void **state)
{
	(void)state;
	refuse(160);
	assert_true(knows(129) || knows(160));
	assert_false(knows(161));
	assert_false(knows(128));
	refuse(40960);
	assert_false(knows(40961));
	assert_false(knows(32768));
}

static void any_change_ends_it(void **state)
{
	(void)state;
	refuse(100);
	freed += 8;
	assert_false(knows(100));
	refuse(100);
	active++;
	assert_false(knows(100));
	refuse(100);
	pool.used -= 4096;
	assert_false(knows(100));
	refuse(100);
	pool.allowance += 4096;
	assert_false(knows(100));
	refuse(100);
	for (int i = 0; knows(100); i++) /* a tick of the clock */
		assert_true(i < 1000000000);
}

static void one_that_was_forgotten_takes_the_others_along(void **state)
{
	(void)state;
	refuse(100);
	refuse(100);
	cm_full_remember(&pool, &cm_thread, 5000, 0);
	freed += 8;
	assert_false(knows(5000));
	freed -= 8;
	assert_false(knows(100));
}

static void a_full_tier_asks_for_caches(void **state)
{
	(void)state;
	active = MIB / 4096;
	assert_false(cm_pool_refresh(&pool, true));
	cm_full_flush(&cm_thread);
	assert_int_equal(nr_flushes, 1);
	cm_full_flush(&cm_thread);
	assert_int_equal(nr_flushes, 1);
	/* Not again at once. */
	assert_false(cm_pool_refresh(&pool, true));
	cm_full_flush(&cm_thread);
	assert_int_equal(nr_flushes, 1);
	pool.flush_asked_ms -= 1000;
	assert_false(cm_pool_refresh(&pool, true));
	cm_full_flush(&cm_thread);
	assert_int_equal(nr_flushes, 2);
}

static void a_thread_that_never_came_here_has_nothing_to_flush(void **state)
{
	(void)state;
	active = MIB / 4096;
	cm_thread.attached[CM_TIER_DDR] = false;
	assert_false(cm_pool_refresh(&pool, true));
	cm_full_flush(&cm_thread);
	assert_int_equal(nr_flushes, 0);
}

static void room_by_a_margin_ends_full(void **state)
{
	(void)state;
	active = (MIB - cm_pool_margin(&pool)) / 4096 + 1;
	assert_false(cm_pool_refresh(&pool, true));
	active--;
	assert_true(cm_pool_refresh(&pool, true));
	assert_false(cm_full_is(&pool));
}

static void free_pages_are_purged_only_when_they_help(void **state)
{
	(void)state;
	active = MIB / 4096 / 2;
	assert_false(cm_full_reclaim(&pool, MIB / 2 + 1, true));
	assert_int_equal(nr_purges, 0);
	assert_true(cm_full_reclaim(&pool, MIB / 2, true));
	assert_int_equal(nr_purges, 1);
	assert_false(cm_full_reclaim(&pool, 4096, true));
	assert_int_equal(nr_purges, 1);
}

/* A tier at its limit does not purge for every block another tier takes. */
static void little_is_purged_seldom(void **state)
{
	(void)state;
	active = MIB / 4096 * 9 / 10;
	pool.purged_ms = cm_room_now_ms() + 1000;	/* a moment ago */
	assert_true(cm_full_reclaim(&pool, 4096, true));
	pool.used = MIB;
	pool.purged_ms = cm_room_now_ms();
	assert_false(cm_full_reclaim(&pool, 4096, false));
	pool.purged_ms -= 1000;
	assert_true(cm_full_reclaim(&pool, 4096, false));
	pool.used = MIB;
	active = MIB / 4096 * 3 / 4;
	assert_true(cm_full_reclaim(&pool, 4096, false));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		TEST(a_size_class_is_remembered),
		TEST(classes_are_jemallocs),
		TEST(any_change_ends_it),
		TEST(one_that_was_forgotten_takes_the_others_along),
		TEST(a_full_tier_asks_for_caches),
		TEST(a_thread_that_never_came_here_has_nothing_to_flush),
		TEST(room_by_a_margin_ends_full),
		TEST(free_pages_are_purged_only_when_they_help),
		TEST(little_is_purged_seldom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
