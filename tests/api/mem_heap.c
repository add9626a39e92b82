/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_heap - a program linked with libcxlmem, in one thread
 *
 *	mem_heap own | same | off	own: libcxlmem's heap beside malloc's;
 *					same: libcxlmalloc is preloaded;
 *					off: not tiered
 */
#include <cxlmalloc.h>

#include <malloc.h>

#include "../preload/check.h"

static int own, tiered;

/* The page that cxlctl reads comes with the heap. */
static int heap_has_started(void)
{
	char line[512];
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, "memfd:cxlmalloc") != NULL;
	if (maps)
		fclose(maps);
	return found;
}

static void check_tiers(void)
{
	static const size_t sizes[] = { 0,    1,     100,     1000,
					5000, 70000, 1 << 20, 5 << 20 };

	for (int tier = CXLM_TIER_DDR; tier <= CXLM_TIER_CXL; tier++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			void *p = cxlm_malloc(tier, sizes[i], CXLM_STRICT);
			int where = cxlm_tier_of(p);

			if (p)
				memset(p, 1, sizes[i]);
			check(p && where == tier &&
				      cxlm_usable_size(p) >= sizes[i],
			      "%zu bytes of tier %d, from %d", sizes[i], tier,
			      where);
			cxlm_free(p);
		}
}

/* A sanitizer keeps freed blocks for a while. */
static int is_freed(void)
{
#ifdef SANITIZED
	return 1;
#else
	size_t before = resident();

	for (int i = 0; i < 100000; i++)
		cxlm_free(memset(malloc(1000), 1, 1000));
	return resident() < before + (20 << 20);
#endif
}

static void check_malloc_beside(void)
{
	void *theirs = malloc(1000);
	unsigned char *p;
	int tier = cxlm_tier_of(theirs);

	check(own ? tier == -1 : !tiered || tier >= 0,
	      "malloc's block is of tier %d", tier);
	check(cxlm_usable_size(theirs) == malloc_usable_size(theirs),
	      "its usable size is malloc's");
	cxlm_free(theirs);
	for (size_t size = 1; size <= 1 << 20; size *= 4)
		cxlm_free(malloc(size));
	check(is_freed(), "cxlm_free gives malloc's blocks back");
	p = malloc(1000);
	fill(p, 1000, 1);
	p = cxlm_realloc(p, 100000);
	tier = cxlm_tier_of(p);
	check(filled(p, 1000, 1) && (!tiered || tier >= 0),
	      "cxlm_realloc of malloc's block is one of ours, tier %d", tier);
	cxlm_free(p);
	if (own)
		return;
	for (size_t size = 1; size <= 1 << 20; size *= 4)
		free(cxlm_malloc(CXLM_TIER_CXL, size, 0));
	check(1, "free takes cxlm_malloc's blocks");
	p = cxlm_malloc(CXLM_TIER_CXL, 1000, 0);
	fill(p, 1000, 2);
	p = realloc(p, 2000);
	check(filled(p, 1000, 2) &&
		      (!tiered || cxlm_tier_of(p) == CXLM_TIER_CXL),
	      "realloc keeps its tier");
	free(p);
}

static void check_resize(void)
{
	unsigned char *p = cxlm_malloc(CXLM_TIER_CXL, 100, 0);

	fill(p, 100, 3);
	for (size_t size = 1000; size <= 4 << 20; size *= 3)
		p = cxlm_realloc(p, size);
	check(filled(p, 100, 3) &&
		      (!tiered || cxlm_tier_of(p) == CXLM_TIER_CXL),
	      "cxlm_realloc keeps bytes and tier");
	p = cxlm_realloc_to(p, CXLM_TIER_DDR, 50, 0);
	check(filled(p, 50, 3) && (!tiered || cxlm_tier_of(p) == CXLM_TIER_DDR),
	      "cxlm_realloc_to changes it");
	check(!cxlm_realloc(p, 0), "cxlm_realloc to 0 frees");
}

static void check_zero(void)
{
	int zero = 1;

	for (size_t size = 16; size <= 1 << 20; size *= 2) {
		unsigned char *p = cxlm_malloc(CXLM_TIER_CXL, size, 0);

		memset(p, 0xff, size);
		cxlm_free(p);
		p = cxlm_calloc(CXLM_TIER_CXL, 1, size, 0);
		zero &= all_zero(p, size);
		cxlm_free(p);
	}
	check(zero, "cxlm_calloc is zero where blocks were used");
	for (size_t align = 16; align <= 1 << 21; align *= 2) {
		void *p = cxlm_aligned_alloc(CXLM_TIER_CXL, align, 100, 0);

		zero &= p && (uintptr_t)p % align == 0;
		cxlm_free(p);
	}
	check(zero, "cxlm_aligned_alloc up to 2 MiB");
}

static void check_errors(void)
{
	void *p;

	errno = 0;
	check(!cxlm_malloc(7, 100, 0) && errno == EINVAL, "no such tier");
	errno = 0;
	check(!cxlm_malloc(0, 100, 64) && errno == EINVAL, "unknown flag");
	errno = 0;
	p = cxlm_calloc(0, SIZE_MAX / 2, 3, 0);
	check(!p && errno == ENOMEM, "a product that overflows");
	errno = 0;
	p = cxlm_aligned_alloc(0, 24, 100, 0);
	check(!p && errno == EINVAL, "no power of two");
	p = cxlm_malloc(0, 100, 0);
	errno = 77;
	cxlm_free(p);
	cxlm_free(NULL);
	check(errno == 77, "cxlm_free keeps errno");
	if (tiered)
		return;
	errno = 0;
	p = cxlm_malloc(CXLM_TIER_CXL, 100, CXLM_STRICT);
	check(!p && errno == ENOTSUP, "strict in a process that is not tiered");
	p = cxlm_malloc(CXLM_TIER_CXL, 100, 0);
	check(p && cxlm_tier_of(p) == -1, "preferred: a block of no tier");
	cxlm_free(p);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "own";

	own = strcmp(how, "same") != 0;
	tiered = strcmp(how, "off") != 0;
	if (own)
		check(!heap_has_started(), "no heap before the first call");
	check(!strncmp(cxlm_version(), "0.", 2), "cxlm_version");
	if (tiered)
		check(heap_has_started(), "a page for cxlctl after it");
	if (tiered)
		check_tiers();
	check_malloc_beside();
	check_resize();
	check_zero();
	check_errors();
	return check_done();
}
