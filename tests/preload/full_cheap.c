/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * full_cheap - a million allocations that two full tiers refuse
 *
 *	full_cheap SIZE
 *
 * They leave nothing behind, and jemalloc hears of next to none of them: the
 * script reads the count of refused requests for pages in the report.
 */
#include <malloc.h>
#include <pthread.h>

#include "tiers.h"

#define MILLION 1000000

static int refused_once;

static void *fill_up(void *arg)
{
	size_t size = *(size_t *)arg;
	void **list = NULL, **p;

	while ((p = malloc(size)) != NULL) {
		memset(p, 1, size);
		*p = list;
		list = p;
	}
	refused_once = errno == ENOMEM;
	return list;
}

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoul(argv[1], NULL, 0) : 0;
	void **list, **next;
	size_t before, after;
	int nr_refused = 0;

	if (size < sizeof(void *) || !tiers_found())
		return check_done();
	list = fill_up(&size);
	check(refused_once, "both tiers are full: ENOMEM");
	check(stat_of(DDR).used > stat_of(DDR).limit / 10 * 9 &&
		      stat_of(CXL).used > stat_of(CXL).limit / 10 * 9,
	      "each has taken its limit");
	/* The reader of /proc has its own first time. */
	before = resident();
	before = resident();
	for (int i = 0; i < MILLION; i++) {
		void *p = malloc(size);

		if (p) {
			*(void **)p = list;
			list = p;
		} else {
			nr_refused++;
		}
	}
	after = resident();
	check(nr_refused > MILLION - 100, "%d of a million are refused",
	      nr_refused);
	check(after < before + MIB, "and leave nothing: %zd KiB",
	      ((ssize_t)after - (ssize_t)before) / 1024);
	/* Room is noticed at once, by the very next call. */
	next = *list;
	free(list);
	check((list = malloc(size)) != NULL, "a block freed is had again");
	if (list)
		*list = next;
	else
		list = next;
	for (int i = 0; list && (i < 64 || size < 1000); i++) {
		next = *list;
		free(list);
		list = next;
	}
	check(malloc(size) != NULL, "so are many");
	return check_done();
}
