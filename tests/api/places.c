/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places - place.h where there is one node, or whatever nodes there are: what
 * is said is held against /proc/self/pagemap's and mincore's view
 */
#include "../preload/check.h"

#include <cxlmalloc.h>
#include <fcntl.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

/* Pages present or swapped, by the kernel's own table. */
static size_t pages_there(const void *p, size_t size)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	size_t there = 0;

	for (size_t at = 0; at < size; at += 4096) {
		uint64_t entry = 0;

		if (pread(fd, &entry, 8,
			  (off_t)(((uintptr_t)p + at) / 4096 * 8)) == 8)
			there += entry >> 62 != 0;
	}
	close(fd);
	return there;
}

static uint64_t sum(const uint64_t *bytes, unsigned nr)
{
	uint64_t all = 0;

	while (nr-- > 0)
		all += bytes[nr];
	return all;
}

static void of_tier(int tier)
{
	char *p = cxlm_aligned_alloc(tier, 4096, MIB, 0);
	const char *name = tier ? "cxl" : "ddr";
	uint64_t bytes[1024];

	check(cxlm_node_of(p) == -1 && errno == ENOENT,
	      "%s: no page, no node: ENOENT", name);
	check(cxlm_resident(p, MIB, bytes, 1024) == 0 && !sum(bytes, 1024),
	      "%s: nothing is resident", name);
	check(cxlm_migrate(p, MIB, tier, CXLM_STRICT) == 0 &&
		      !pages_there(p, MIB),
	      "%s: migrating makes no pages", name);
	memset(p, 9, 4096 * 3);
	check(cxlm_resident(p, MIB, bytes, 1024) == 3 * 4096 &&
		      sum(bytes, 1024) == 3 * 4096,
	      "%s: three are there, cxlm_resident says so", name);
	check(cxlm_resident(p + 4095, 2, NULL, 0) == 2 * 4096,
	      "%s: a range counts the pages it touches", name);
	check(!cxlm_populate(p, MIB) && pages_there(p, MIB) == 256 &&
		      cxlm_resident(p, MIB, NULL, 0) == (int64_t)MIB,
	      "%s: populated, all are", name);
	check(p[0] == 9 && p[3 * 4096 - 1] == 9 && !p[3 * 4096] && !p[MIB - 1],
	      "%s: contents are kept, new pages zero", name);
	check(cxlm_node_of(p) >= 0 && bytes[cxlm_node_of(p)] > 0,
	      "%s: cxlm_node_of agrees with cxlm_resident", name);
	for (int to = 0; to < 2; to++)
		check(cxlm_migrate(p, MIB, to, CXLM_STRICT) == (int64_t)MIB &&
			      p[0] == 9 && cxlm_tier_of(p) == tier,
		      "%s: all of it to %s's nodes, its address stays", name,
		      to ? "cxl" : "ddr");
	check(cxlm_migrate_node(p, MIB, 0, CXLM_STRICT) == (int64_t)MIB &&
		      cxlm_resident(p, MIB, bytes, 1) == (int64_t)MIB &&
		      bytes[0] == MIB,
	      "%s: all of it to node 0", name);
	check(cxlm_migrate(p + 1, 8191, tier, 0) == 4096,
	      "%s: only pages that lie in a range whole move", name);
	check(cxlm_migrate(p + 1, 4096, tier, 0) == 0, "%s: or none", name);
	for (int advice = CXLM_HOT; advice <= CXLM_WILLNEED; advice++)
		check(!cxlm_advise(p, MIB, advice) && p[0] == 9 &&
			      cxlm_resident(p, MIB, NULL, 0) == (int64_t)MIB,
		      "%s: advice %d loses nothing", name, advice);
	cxlm_free(p);
}

#define FAILS(call, with) \
	(errno = 0, \
	 check((call) == -1 && errno == (with), "%s: %s", #call, #with))

static void refusals(void)
{
	char *hole = mmap(NULL, 3 * 4096, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = cxlm_malloc(CXLM_TIER_CXL, 100, 0);
	volatile char seen = hole[0];

	(void)seen;
	FAILS(cxlm_node_of(hole), ENOENT);	/* the page of zeroes */
	FAILS(cxlm_populate(hole, 4096), EFAULT);
	munmap(hole + 4096, 4096);
	FAILS(cxlm_node_of(hole + 4096), EFAULT);
	FAILS(cxlm_resident(hole + 4096, 4096, NULL, 0), EFAULT);
	FAILS(cxlm_migrate(hole + 4096, 4096, CXLM_TIER_DDR, 0), EFAULT);
	FAILS(cxlm_populate(hole + 4096, 4096), ENOMEM);
	FAILS(cxlm_advise(hole, 3 * 4096, CXLM_HOT), ENOMEM);
	FAILS(cxlm_advise(p, 1, 17), EINVAL);
	FAILS(cxlm_advise(p, 1, -1), EINVAL);
	FAILS(cxlm_advise(p, SIZE_MAX, CXLM_COLD), EINVAL);
	FAILS(cxlm_migrate(p, 1, CXLM_TIER_POLICY, 0), EINVAL);
	FAILS(cxlm_migrate(p, 1, 2, 0), EINVAL);
	FAILS(cxlm_migrate(p, 1, 0, 1), EINVAL);
	FAILS(cxlm_migrate(p, SIZE_MAX, 0, 0), EINVAL);
	FAILS(cxlm_migrate_node(p, 1, -1, 0), EINVAL);
	FAILS(cxlm_migrate_node(p, 1, 1000, 0), EINVAL);
	FAILS(cxlm_migrate_node(p, 1, 100000, 0), EINVAL);
	FAILS(cxlm_resident(p, SIZE_MAX, NULL, 0), EINVAL);
	FAILS(cxlm_populate(p, SIZE_MAX), EINVAL);
	check(!cxlm_populate(p, 0) && cxlm_resident(p, 0, NULL, 0) == 0 &&
		      cxlm_migrate(p, 0, 0, 0) == 0,
	      "nothing of a range is nothing");
	cxlm_free(p);
	munmap(hole, 3 * 4096);
}

int main(void)
{
	of_tier(CXLM_TIER_DDR);
	of_tier(CXLM_TIER_CXL);
	refusals();
	return check_done();
}
