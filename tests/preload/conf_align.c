/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_align - what glibc promises of alignments, good and bad
 *
 * memalign, aligned_alloc, posix_memalign, valloc, pvalloc, and the natural
 * alignment of plain blocks.
 */
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>

#include "check.h"

static const size_t sizes[] = { 0,   1,	   7,	 16,   63,    64,
				100, 4095, 4096, 4097, 65537, 300000 };

#define NR_SIZES	(sizeof(sizes) / sizeof(sizes[0]))
#define MAX_ALIGN	((size_t)8 << 20)

/* Allocate, check, write, resize, free: alignment as asked, bytes our own. */
static int usable_block(unsigned char *p, size_t align, size_t n)
{
	size_t usable;
	int good;

	if (!p || !aligned(p, align))
		return 0;
	usable = malloc_usable_size(p);
	if (usable < n)
		return 0;
	fill(p, usable, (unsigned)align);
	good = filled(p, usable, (unsigned)align);
	if (n > 1) {	/* a block stays one through realloc */
		fill(p, n, 3);
		p = realloc(p, n * 2);
		good &= p && filled(p, n, 3);
	}
	free(p);
	return good;
}

static void powers_of_two(void)
{
	int by_memalign = 1, by_aligned = 1, by_posix = 1;

	for (size_t align = 1; align <= MAX_ALIGN; align *= 2) {
		for (unsigned i = 0; i < NR_SIZES; i++) {
			size_t n = sizes[i];
			void *p = NULL;

			by_memalign &= usable_block(memalign(align, n), align,
						    n);
			by_aligned &= usable_block(aligned_alloc(align, n),
						   align, n);
			if (align < sizeof(void *))
				continue;
			by_posix &= posix_memalign(&p, align, n) == 0 &&
				    usable_block(p, align, n);
		}
	}
	check(by_memalign, "memalign gives alignments 1 to 8 MiB");
	check(by_aligned, "aligned_alloc gives them, for any size");
	check(by_posix, "posix_memalign gives them");
}

static void other_alignments_are_rounded_up_by_memalign(void)
{
	static const size_t pairs[][2] = {
		{ 0, 16 },	   { 3, 16 },
		{ 9, 16 },	   { 17, 32 },
		{ 24, 32 },	   { 48, 64 },
		{ 65, 128 },	   { 100, 128 },
		{ 1000, 1024 },	   { 4095, 4096 },
		{ 4097, 8192 },	   { 5000, 8192 },
		{ 65537, 131072 }, { (1 << 20) + 1, 2 << 20 },
	};
	int good = 1;

	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		for (unsigned s = 0; s < NR_SIZES; s++) {
			size_t to = pairs[i][1], n = sizes[s];
			void *p;

			if (to == 16 && n < 16)
				to = 1;	/* as malloc */
			errno = 0;
			p = memalign(hide(pairs[i][0]), n);
			if (!p)
				note("memalign(%zu, %zu): errno %d",
				     pairs[i][0], n, errno);
			good &= usable_block(p, to, n);
		}
	}
	check(good, "memalign rounds other alignments up to a power of two");
}

static void aligned_alloc_of_an_odd_alignment_is_sound(void)
{
	int good = 1;

	/* glibc before 2.38 rounds up, later ones say EINVAL: both are C. */
	for (size_t align = 3; align < 100000; align = align * 2 + 1) {
		void *p;

		errno = 0;
		p = aligned_alloc(hide(align), 300);
		good &= p ? usable_block(p, (align + 1), 300) : errno == EINVAL;
	}
	check(good, "aligned_alloc of an odd alignment: EINVAL or aligned");
}

static void posix_memalign_refuses_bad_alignments(void)
{
	static const size_t bad[] = {
		0,
		1,
		2,
		3,
		4,
		6,
		7,
		9,
		12,
		20,
		24,
		40,
		56,
		100,
		4095,
		4097,
		12288,
		SIZE_MAX,
		SIZE_MAX - 7,
		SIZE_MAX / 2,
		SIZE_MAX / 3,
	};
	int said = 1, pointer = 1, number = 1;
	char mark;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (unsigned s = 0; s < NR_SIZES; s++) {
			void *p = &mark;

			errno = 77;
			said &= posix_memalign(&p, hide(bad[i]), sizes[s]) ==
				EINVAL;
			pointer &= p == &mark;
			number &= errno == 77;
		}
	}
	check(said, "posix_memalign says EINVAL to bad alignments");
	check(pointer, "posix_memalign leaves the pointer alone then");
	check(number, "posix_memalign leaves errno alone then");
}

static void posix_memalign_that_fails_leaves_the_pointer(void)
{
	char mark;
	void *p = &mark;
	int good;

	good = posix_memalign(&p, 4096, hide(SIZE_MAX - 4096)) == ENOMEM;
	good &= posix_memalign(&p, 64, hide(PTRDIFF_MAX)) == ENOMEM;
	good &= posix_memalign(&p, (size_t)1 << 62, 16) == ENOMEM;
	check(good, "posix_memalign returns ENOMEM");
	check(p == &mark, "posix_memalign leaves the pointer alone then too");
}

static void alignments_beyond_the_address_space_fail(void)
{
	int good = 1;

	errno = 0;
	good &= !memalign(hide(SIZE_MAX), 16) && errno == EINVAL;
	errno = 0;
	good &= !memalign(hide(SIZE_MAX / 2 + 2), 16) && errno == EINVAL;
	check(good, "memalign beyond 2^63 fails with EINVAL");
	good = 1;
	errno = 0;
	good &= !memalign(hide(SIZE_MAX / 2 + 1), 16) && errno == ENOMEM;
	errno = 0;
	good &= !memalign(hide((size_t)1 << 62), 16) && errno == ENOMEM;
	errno = 0;
	good &= !aligned_alloc(hide((size_t)1 << 62), 16) && errno == ENOMEM;
	check(good, "alignment 2^62 or 2^63 fails with ENOMEM");
	errno = 0;
	check(!memalign(hide(1 << 20), hide(SIZE_MAX - (1 << 20))) &&
		      errno == ENOMEM,
	      "alignment plus size may overflow: ENOMEM");
}

static void pages(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int by_valloc = 1, by_pvalloc = 1, whole = 1;

	for (unsigned i = 0; i < NR_SIZES; i++) {
		size_t n = sizes[i];
		size_t rounded = (n + page - 1) & ~(page - 1);
		void *p = valloc(n), *q = pvalloc(n);

		whole &= q && malloc_usable_size(q) >= rounded;
		by_valloc &= usable_block(p, page, n);
		by_pvalloc &= usable_block(q, page, n);
	}
	check(by_valloc, "valloc gives blocks on page boundaries");
	check(by_pvalloc, "pvalloc gives blocks on page boundaries");
	check(whole, "pvalloc gives whole pages");
}

/* C: aligned for any object that fits, 16 bytes for those of 16 or more. */
static void plain_blocks_are_aligned(void)
{
	static void *block[4096];
	int by_malloc = 1, by_calloc = 1, by_realloc = 1;

	for (size_t n = 1; n < 4096; n++) {
		size_t want = n >= 16 ? 16 : n >= 8 ? 8 : n >= 4 ? 4 : 1;

		block[n] = malloc(n);
		by_malloc &= block[n] && aligned(block[n], want);
	}
	for (size_t n = 1; n < 4096; n++) {
		block[n] = realloc(block[n], n + 40);
		by_realloc &= block[n] && aligned(block[n], 16);
	}
	for (size_t n = 1; n < 4096; n++)
		free(block[n]);
	for (size_t n = 16; n < 4 << 20; n = n * 5 / 4) {
		void *p = calloc(1, n), *q = malloc(n);

		by_calloc &= p && aligned(p, 16);
		by_malloc &= q && aligned(q, _Alignof(max_align_t));
		free(p);
		free(q);
	}
	check(by_malloc, "malloc aligns for any object that fits");
	check(by_calloc, "calloc does");
	check(by_realloc, "realloc does");
}

/* An allocator that loses aligned blocks on free grows without end. */
static void churn_of_aligned_blocks_does_not_grow(void)
{
	size_t before, after;
	int good = 1;

	before = resident();
	for (unsigned i = 0; i < 20000; i++) {
		size_t align = (size_t)64 << (i % 10);
		char *a = memalign(align, 30000), *b = valloc(20000);
		char *c = aligned_alloc(align, 10000), *d = pvalloc(5000);
		void *e = NULL;

		good &= !posix_memalign(&e, align, 40000);
		good &= a && b && c && d && e;
		if (!good)
			break;
		a[0] = b[0] = c[0] = d[0] = *(char *)e = 1;
		a[29999] = b[19999] = c[9999] = d[4999] = 1;
		free(a);
		free(b);
		free(c);
		free(d);
		free(e);
	}
	after = resident();
	check(good, "a hundred thousand aligned blocks are had");
	check(before && after < before + (64 << 20),
	      "freed aligned blocks are used again");
}

int main(void)
{
	powers_of_two();
	other_alignments_are_rounded_up_by_memalign();
	aligned_alloc_of_an_odd_alignment_is_sound();
	posix_memalign_refuses_bad_alignments();
	posix_memalign_that_fails_leaves_the_pointer();
	alignments_beyond_the_address_space_fail();
	pages();
	plain_blocks_are_aligned();
	churn_of_aligned_blocks_does_not_grow();
	return check_done();
}
