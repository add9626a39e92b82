/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache - the most memory one thread's cache can hold of a pool
 *
 * jemalloc gives each size class a fixed number of slots (tcache.c,
 * tcache_ncached_max_compute; the same in 5.3.0 and 5.3.1): for small classes
 * by the blocks in a slab, for large ones the same number for all up to
 * tcache_max. Its options are read, not assumed. From 5.3.1 on a class may have a
 * number of its own, and this thread's cache tells it.
 */
#include "pool/report.h"

struct slots {
	unsigned min, max, large;
	ssize_t lg_mul;
};

static unsigned even(unsigned n)
{
	return n + n % 2;
}

static uint64_t small_slots(const struct slots *slots, uint32_t in_slab)
{
	unsigned n = even(slots->lg_mul < 0 ? in_slab >> -slots->lg_mul :
					      in_slab << slots->lg_mul);

	if (n < even(slots->min))
		n = even(slots->min);
	return n > slots->max ? slots->max : n;
}

static bool read_slots(const struct cm_je *je, struct slots *slots)
{
	size_t size = sizeof(unsigned), lg_size = sizeof(slots->lg_mul);

	return !je->mallctl("opt.tcache_nslots_small_min", &slots->min, &size,
			    NULL, 0) &&
	       !je->mallctl("opt.tcache_nslots_small_max", &slots->max, &size,
			    NULL, 0) &&
	       !je->mallctl("opt.tcache_nslots_large", &slots->large, &size,
			    NULL, 0) &&
	       !je->mallctl("opt.lg_tcache_nslots_mul", &slots->lg_mul,
			    &lg_size, NULL, 0);
}

/* False: this jemalloc has none of their own, or the thread no cache. */
static bool own_slots(const struct cm_je *je, size_t class_size, size_t *slots)
{
	size_t size = sizeof(*slots);

	return !je->mallctl("thread.tcache.ncached_max.read_sizeclass", slots,
			    &size, &class_size, sizeof(class_size));
}

uint64_t cm_pool_cache_bound(const struct cm_pool *pool)
{
	const struct cm_je *je = pool->je;
	uint64_t nr_small = cm_je_read(je, "arenas.nbins");
	uint64_t nr = cm_je_read(je, "arenas.nhbins");
	struct slots slots;
	uint64_t sum = 0;

	if (!read_slots(je, &slots))
		return 0;
	for (unsigned i = 0; i < nr; i++) {
		bool small = i < nr_small;
		uint64_t class_size =
			small ? cm_je_read_at(je, "arenas.bin.0.size", i) :
				cm_je_read_at(je, "arenas.lextent.0.size",
					      i - nr_small);
		size_t n = slots.large;

		if (!own_slots(je, (size_t)class_size, &n) && small)
			n = small_slots(&slots,
					(uint32_t)cm_je_read_at(
						je, "arenas.bin.0.nregs", i));
		sum += class_size * n;
	}
	return sum;
}
