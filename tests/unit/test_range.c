/* SPDX-License-Identifier: BSD-2-Clause */
/* range: what the program mapped, against a model of one byte a page */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "map/range.h"
#include "sys/sys.h"

#define PAGE	4096ul
#define BASE	(200 * GIB)	/* the start of an entry of the root */
#define PAGES	(3ul << 18)	/* three entries */
#define SIZE	(PAGES * PAGE)

static unsigned char model[PAGES];	/* place, 16: usable */
static void *(*real_more)(size_t);

static void *no_more(size_t size)
{
	(void)size;
	return NULL;
}

static int fresh(void **state)
{
	(void)state;
	if (!real_more)
		real_more = cm_range_more;
	cm_range_more = real_more;
	assert_int_equal(cm_range_init(PAGE), 0);
	cm_range_forget(BASE, SIZE);
	memset(model, 0, sizeof(model));
	return 0;
}

static void set_model(size_t page, size_t nr, unsigned char value)
{
	memset(model + page, value, nr);
}

static void protect_model(size_t page, size_t nr, bool usable)
{
	for (; nr--; page++)
		if (model[page])
			model[page] = (model[page] & 3) | (usable ? 16 : 0);
}

/* Every run, and the counts. */
static void assert_is_model(void)
{
	uint64_t usable[CM_RANGE_PLACES] = { 0 };
	struct cm_range_run run;
	uintptr_t at = BASE;
	size_t page = 0, end;

	for (;;) {
		while (page < PAGES && !model[page])
			page++;
		if (page == PAGES)
			break;
		for (end = page; end < PAGES && model[end] == model[page];)
			end++;
		assert_true(cm_range_next(at, BASE + SIZE, &run));
		assert_int_equal(run.at, BASE + page * PAGE);
		assert_int_equal(run.size, (end - page) * PAGE);
		assert_int_equal(run.place, model[page] & 3);
		assert_int_equal(run.usable, model[page] >> 4);
		assert_int_equal(cm_range_first(at, run.at + PAGE - at),
				 run.place);
		assert_int_equal(cm_range_first(at, run.at - at), 0);
		if (run.usable)
			usable[run.place] += run.size;
		at = run.at + run.size;
		page = end;
	}
	assert_false(cm_range_next(at, BASE + SIZE, &run));
	for (unsigned p = 1; p < CM_RANGE_PLACES; p++)
		assert_int_equal(cm_range_usable(p), usable[p]);
}

static uintptr_t at(size_t page)
{
	return BASE + page * PAGE;
}

static void add(size_t page, size_t nr, enum cm_range_place place, bool usable)
{
	assert_true(cm_range_add(at(page), nr * PAGE, place, usable));
	set_model(page, nr, (unsigned char)(place | (usable ? 16 : 0)));
}

static void forget(size_t page, size_t nr)
{
	cm_range_forget(at(page), nr * PAGE);
	set_model(page, nr, 0);
}

static void protect(size_t page, size_t nr, bool usable)
{
	cm_range_protect(at(page), nr * PAGE, usable);
	protect_model(page, nr, usable);
}

static void nothing_is_known_at_first(void **state)
{
	(void)state;
	assert_is_model();
}

static void parts_are_unmapped_split_and_joined(void **state)
{
	(void)state;
	add(100, 64, CM_RANGE_CXL, true);
	assert_is_model();
	forget(110, 3);			/* inside */
	forget(90, 15);			/* its start */
	forget(160, 40);		/* its end */
	assert_is_model();
	add(110, 3, CM_RANGE_CXL, true);	/* joined again */
	assert_is_model();
	add(112, 20, CM_RANGE_DDR, true);	/* another over it */
	assert_is_model();
	protect(120, 4, false);
	protect(0, 4096, true);			/* what is not known stays so */
	assert_is_model();
}

static void a_reservation_is_made_usable_bit_by_bit(void **state)
{
	(void)state;
	add(1000, 2ul << 18, CM_RANGE_CXL, false);	/* 2 GiB, not aligned */
	assert_is_model();
	assert_int_equal(cm_range_usable(CM_RANGE_CXL), 0);
	protect(1000, 1, true);
	add(5000, 700, CM_RANGE_CXL, true);
	protect((1 << 18) + 511, 2, true);
	protect(1000 + (2ul << 18) - 1, 1, true);
	assert_is_model();
	protect(900, 2ul << 18, false);
	forget(0, PAGES);
	assert_is_model();
}

static void whole_entries_cost_no_memory(void **state)
{
	struct cm_range_run run;
	uint64_t missed = cm_range_missed();

	(void)state;
	cm_range_more = no_more;
	assert_true(cm_range_add(TIB, TIB, CM_RANGE_DDR, false));
	assert_true(cm_range_next(0, 3 * TIB, &run));
	assert_int_equal(run.at, TIB);
	assert_int_equal(run.size, TIB);
	cm_range_protect(TIB, TIB, true);
	assert_int_equal(cm_range_usable(CM_RANGE_DDR), TIB);
	cm_range_forget(TIB, TIB);
	assert_int_equal(cm_range_usable(CM_RANGE_DDR), 0);
	assert_int_equal(cm_range_missed(), missed);
}

static void leaving_is_not_seen_and_can_be_taken_back(void **state)
{
	(void)state;
	add(10, 600, CM_RANGE_DDR, true);
	cm_range_leave(at(0), 1000 * PAGE);
	assert_is_model();
	cm_range_stay(at(0), 1000 * PAGE);
	cm_range_left(at(0), 1000 * PAGE);	/* nobody leaves */
	assert_is_model();
	cm_range_leave(at(20), 30 * PAGE);
	cm_range_left(at(0), 1000 * PAGE);
	set_model(20, 30, 0);
	assert_is_model();
}

/* Thread 1 unmaps, thread 2 gets the addresses before 1 comes back. */
static void who_maps_them_meanwhile_keeps_them(void **state)
{
	(void)state;
	add(500, 100, CM_RANGE_DDR, true);
	cm_range_leave(at(500), 100 * PAGE);
	add(520, 10, CM_RANGE_CXL, true);
	cm_range_left(at(500), 100 * PAGE);
	set_model(500, 20, 0);
	set_model(530, 70, 0);
	assert_is_model();
}

static void what_moves_is_alike_where_it_goes(void **state)
{
	(void)state;
	add(100, 40, CM_RANGE_DDR, true);
	add(150, 10, CM_RANGE_CXL, false);
	cm_range_leave(at(100), 60 * PAGE);
	add(105, 1, CM_RANGE_CXL, true);	/* another's, mapped since */
	assert_true(cm_range_copy(at(100), at(5000), 60 * PAGE));
	cm_range_left(at(100), 60 * PAGE);
	set_model(5000, 5, CM_RANGE_DDR | 16);
	set_model(5006, 34, CM_RANGE_DDR | 16);
	set_model(5050, 10, CM_RANGE_CXL);
	set_model(100, 60, 0);
	set_model(105, 1, CM_RANGE_CXL | 16);
	assert_is_model();
	/* it overlaps with what it was */
	cm_range_leave(at(5000), 40 * PAGE);
	assert_true(cm_range_copy(at(5000), at(5040), 5 * PAGE));
	cm_range_left(at(5000), 40 * PAGE);
	set_model(5000, 40, 0);
	set_model(5040, 5, CM_RANGE_DDR | 16);
	assert_is_model();
}

static void what_does_not_fit_is_not_known(void **state)
{
	uint64_t missed = cm_range_missed();

	(void)state;
	cm_range_more = no_more;
	/* Use up what is left of the chunk in hand, to the last branch. */
	for (uintptr_t p = 300 * GIB; cm_range_missed() < missed + 8 * PAGE;
	     p += GIB)
		(void)cm_range_add(p, PAGE, CM_RANGE_CXL, true);
	missed = cm_range_missed();
	assert_int_equal(missed % PAGE, 0);
	/* half of an entry that is alike cannot be told: all is forgotten */
	assert_true(cm_range_add(16 * TIB, GIB, CM_RANGE_DDR, true));
	assert_int_equal(cm_range_usable(CM_RANGE_DDR), GIB);
	cm_range_forget(16 * TIB, PAGE);
	assert_int_equal(cm_range_usable(CM_RANGE_DDR), 0);
	/* nor added: the old stays out, too */
	assert_true(cm_range_add(16 * TIB, GIB, CM_RANGE_DDR, true));
	assert_false(cm_range_add(16 * TIB + MIB, PAGE, CM_RANGE_CXL, true));
	assert_int_equal(cm_range_missed(), missed + PAGE);
	assert_int_equal(cm_range_usable(CM_RANGE_DDR), 0);
	cm_range_more = real_more;
	assert_true(cm_range_add(16 * TIB + MIB, PAGE, CM_RANGE_DDR, true));
	assert_int_equal(cm_range_usable(CM_RANGE_DDR), PAGE);
	cm_range_forget(300 * GIB, 20 * TIB);
	assert_int_equal(cm_range_usable(CM_RANGE_DDR), 0);
	assert_int_equal(cm_range_usable(CM_RANGE_CXL), 0);
}

static void what_is_no_range_does_not_fit(void **state)
{
	struct cm_range_run run;
	size_t rounded;

	(void)state;
	assert_true(cm_range_fits(PAGE, 1, &rounded));
	assert_int_equal(rounded, PAGE);
	assert_true(cm_range_fits(0, PAGE + 1, &rounded));
	assert_int_equal(rounded, 2 * PAGE);
	assert_true(cm_range_fits((1ul << 48) - PAGE, PAGE, &rounded));
	assert_false(cm_range_fits(PAGE, 0, &rounded));
	assert_false(cm_range_fits(PAGE + 1, 1, &rounded));
	assert_false(cm_range_fits((1ul << 48) - PAGE, PAGE + 1, &rounded));
	assert_false(cm_range_fits(1ul << 48, PAGE, &rounded));
	assert_false(cm_range_fits(PAGE, SIZE_MAX, &rounded));
	assert_false(cm_range_fits(-PAGE, PAGE, &rounded));
	assert_int_equal(cm_range_init(2048), -EINVAL);
	/* nor is there anything beyond */
	assert_false(cm_range_next(1ul << 48, UINTPTR_MAX, &run));
	assert_false(cm_range_next(0, UINTPTR_MAX, &run));
}

static uint64_t seed = 88172645463325252;

static uint64_t random_below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* Sizes of every level, starts near the edges of levels. */
static size_t random_span(size_t *page)
{
	size_t nr = 1 + random_below(1ul << random_below(20));

	*page = random_below(PAGES);
	if (random_below(3) == 0)
		*page &= ~511ul;
	if (random_below(3) == 0)
		nr = (nr + 511) & ~511ul;
	if (nr > PAGES - *page)
		nr = PAGES - *page;
	return nr;
}

static void it_is_its_model_after_many_changes(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		size_t page, nr = random_span(&page);
		enum cm_range_place place = (enum cm_range_place)(
			1 + random_below(2));

		switch (random_below(5)) {
		case 0:
		case 1:
			add(page, nr, place, random_below(2));
			break;
		case 2:
			protect(page, nr, random_below(2));
			break;
		case 3:
			forget(page, nr);
			break;
		case 4:
			cm_range_leave(at(page), nr * PAGE);
			if (random_below(2)) {
				cm_range_left(at(page), nr * PAGE);
				set_model(page, nr, 0);
			} else {
				cm_range_stay(at(page), nr * PAGE);
			}
			break;
		}
		if (i % 50 == 0)
			assert_is_model();
	}
	assert_is_model();
	assert_int_equal(cm_range_missed(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_known_at_first, fresh),
		cmocka_unit_test_setup(it_is_its_model_after_many_changes,
				       fresh),
		cmocka_unit_test_setup(parts_are_unmapped_split_and_joined,
				       fresh),
		cmocka_unit_test_setup(a_reservation_is_made_usable_bit_by_bit,
				       fresh),
		cmocka_unit_test_setup(whole_entries_cost_no_memory, fresh),
		cmocka_unit_test_setup(
			leaving_is_not_seen_and_can_be_taken_back, fresh),
		cmocka_unit_test_setup(who_maps_them_meanwhile_keeps_them,
				       fresh),
		cmocka_unit_test_setup(what_moves_is_alike_where_it_goes,
				       fresh),
		cmocka_unit_test_setup(what_does_not_fit_is_not_known, fresh),
		cmocka_unit_test_setup(what_is_no_range_does_not_fit, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
