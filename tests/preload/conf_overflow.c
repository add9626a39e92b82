/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_overflow - a size that cannot be had gives NULL and ENOMEM
 *
 * Every allocating function, every kind of impossible size, and no side
 * effect. With an argument, that one function is the process's first call:
 * allocators that set up lazily lose errno on the way (peers.md, 3.2).
 */
#include <malloc.h>
#include <stdint.h>

#include "check.h"

static void *by_malloc(size_t n)
{
	return malloc(n);
}
static void *by_calloc_one(size_t n)
{
	return calloc(1, n);
}
static void *by_calloc_many(size_t n)
{
	return calloc(n, 1);
}
static void *by_realloc_null(size_t n)
{
	return realloc(NULL, n);
}
static void *by_reallocarray(size_t n)
{
	return reallocarray(NULL, 1, n);
}
static void *by_reallocarray_many(size_t n)
{
	return reallocarray(NULL, n, 1);
}
static void *by_memalign(size_t n)
{
	return memalign(64, n);
}
static void *by_memalign_small(size_t n)
{
	return memalign(8, n);
}
static void *by_memalign_huge(size_t n)
{
	return memalign(1 << 21, n);
}
static void *by_aligned_alloc(size_t n)
{
	return aligned_alloc(64, n);
}
static void *by_valloc(size_t n)
{
	return valloc(n);
}
static void *by_pvalloc(size_t n)
{
	return pvalloc(n);
}

/* This one returns the error; give it the others' form. */
static void *by_posix_memalign(size_t n)
{
	void *p = NULL;
	int error = posix_memalign(&p, 64, n);

	if (error)
		errno = error;
	return p;
}

static const struct {
	const char *name;
	void *(*call)(size_t n);
} functions[] = {
	{ "malloc(n)", by_malloc },
	{ "calloc(1, n)", by_calloc_one },
	{ "calloc(n, 1)", by_calloc_many },
	{ "realloc(NULL, n)", by_realloc_null },
	{ "reallocarray(NULL, 1, n)", by_reallocarray },
	{ "reallocarray(NULL, n, 1)", by_reallocarray_many },
	{ "memalign(64, n)", by_memalign },
	{ "memalign(8, n)", by_memalign_small },
	{ "memalign(2 MiB, n)", by_memalign_huge },
	{ "aligned_alloc(64, n)", by_aligned_alloc },
	{ "posix_memalign(p, 64, n)", by_posix_memalign },
	{ "valloc(n)", by_valloc },
	{ "pvalloc(n)", by_pvalloc },
};

#define NR_FUNCTIONS	(sizeof(functions) / sizeof(functions[0]))

/* The i-th size that no object can have; 0 when there are no more. */
static size_t impossible(unsigned i)
{
	static const size_t edges[] = {
		SIZE_MAX,
		SIZE_MAX - 1,
		SIZE_MAX - 7,
		SIZE_MAX - 15,
		SIZE_MAX - 63,
		SIZE_MAX - 4094,
		SIZE_MAX - 4095,
		SIZE_MAX - 4096,
		SIZE_MAX - 8191,
		SIZE_MAX - (2 << 20),
		SIZE_MAX / 4 * 3,
		(size_t)PTRDIFF_MAX + 4097,
		(size_t)PTRDIFF_MAX + 2,
		(size_t)PTRDIFF_MAX + 1,
		/* legal for an object, impossible on this machine */
		PTRDIFF_MAX,
		PTRDIFF_MAX - 1,
		PTRDIFF_MAX - 4096,
		PTRDIFF_MAX - (4 << 20),
		PTRDIFF_MAX / 2 + 1,
	};
	const unsigned nr_edges = sizeof(edges) / sizeof(edges[0]);

	if (i < nr_edges)
		return edges[i];
	i -= nr_edges;
	if (i < 256)	/* all the way through the size classes' last steps */
		return SIZE_MAX - (size_t)i * 0x1fff1;
	return 0;
}

static int refused(void *(*call)(size_t), size_t n)
{
	void *p;

	errno = 0;
	p = call(hide(n));
	if (!p && errno == ENOMEM)
		return 1;
	note("n = %#zx gave %p, errno %d", n, p, errno);
	return 0;
}

static void every_function_refuses_every_impossible_size(void)
{
	for (unsigned f = 0; f < NR_FUNCTIONS; f++) {
		int good = 1;

		for (unsigned i = 0; good && impossible(i); i++)
			good = refused(functions[f].call, impossible(i));
		check(good, "%s refuses impossible sizes with ENOMEM",
		      functions[f].name);
	}
}

/* Products that wrap to 0, to small and to plausible numbers. */
static void products_that_overflow_are_refused(void)
{
	static const size_t pairs[][2] = {
		{ SIZE_MAX / 4 + 2, 4 },
		{ 4, SIZE_MAX / 4 + 2 },
		{ (size_t)1 << 32, (size_t)1 << 32 },
		{ ((size_t)1 << 32) + 1, (size_t)1 << 32 },
		{ SIZE_MAX, 2 },
		{ 2, SIZE_MAX },
		{ SIZE_MAX, SIZE_MAX },
		{ SIZE_MAX / 2 + 1, 2 },
		{ SIZE_MAX / 16 + 1, 16 },
		{ PTRDIFF_MAX, 2 },
		{ 3, (size_t)PTRDIFF_MAX },
		{ (size_t)PTRDIFF_MAX / 8 + 1, 8 },
	};
	unsigned char *volatile keep = malloc(100);
	int calloc_good = 1, null_good = 1, block_good = 1;

	fill(keep, 100, 5);
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		size_t a = hide(pairs[i][0]), b = hide(pairs[i][1]);

		errno = 0;
		calloc_good &= !calloc(a, b) && errno == ENOMEM;
		errno = 0;
		null_good &= !reallocarray(NULL, a, b) && errno == ENOMEM;
		errno = 0;
		block_good &= !reallocarray(keep, a, b) && errno == ENOMEM;
	}
	check(calloc_good, "calloc refuses products that overflow");
	check(null_good, "reallocarray refuses products that overflow");
	check(block_good, "reallocarray of a block refuses them too");
	check(filled(keep, 100, 5), "the block survives refused reallocarrays");
	free(keep);
}

static void a_refused_realloc_keeps_the_block(void)
{
	static const size_t sizes[] = { 1, 24, 4000, 70000, 5 << 20 };
	int good = 1;

	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		void *p = malloc(sizes[s]), *q;

		fill(p, sizes[s], s);
		for (unsigned i = 0; i < 40; i++) {
			errno = 0;
			q = realloc(p, hide(impossible(i)));
			good &= !q && errno == ENOMEM;
		}
		good &= filled(p, sizes[s], s);
		q = realloc(p, sizes[s] + 100);
		good &= q && filled(q, sizes[s], s);
		free(q ? q : p);
	}
	check(good, "a refused realloc keeps the block and its bytes");
}

static void errno_of_the_past_does_not_matter(void)
{
	void *p, *q = NULL;
	int good = 1;

	for (size_t n = 1; n < 4 << 20; n = n * 3 + 1) {
		errno = ENOMEM;
		p = malloc(n);
		good &= p != NULL;
		errno = ENOMEM;
		p = realloc(p, n * 2);
		good &= p != NULL;
		errno = ENOMEM;
		good &= posix_memalign(&q, 64, n) == 0;
		free(p);
		free(q);
	}
	check(good, "ENOMEM in errno before a call does not make it fail");
}

static void success_leaves_errno_alone(void)
{
	int good = 1;

	for (unsigned f = 0; f < NR_FUNCTIONS; f++) {
		for (size_t n = 1; n <= 8 << 20; n *= 4) {
			void *p;

			errno = 77;
			p = functions[f].call(n);
			if (!p || errno != 77)
				note("%s of %zu: %p, errno %d",
				     functions[f].name, n, p, errno);
			good &= p && errno == 77;
			free(p);
		}
	}
	check(good, "calls that succeed leave errno alone");
}

static void the_heap_works_after_refusals(void)
{
	void *block[1000];
	int good = 1;

	for (unsigned i = 0; i < 1000; i++) {
		block[i] = malloc(i * 11 + 1);
		good &= block[i] != NULL;
		if (block[i])
			fill(block[i], i * 11 + 1, i);
	}
	for (unsigned i = 0; i < 1000; i++) {
		good &= block[i] && filled(block[i], i * 11 + 1, i);
		free(block[i]);
	}
	check(good, "the heap works after a thousand refusals");
}

static int first_call(const char *index)
{
	unsigned f = (unsigned)atoi(index);
	void *p;

	if (f >= NR_FUNCTIONS)
		return 2;
	errno = 0;
	p = functions[f].call(hide((size_t)PTRDIFF_MAX + 1));
	if (p || errno != ENOMEM) {
		fprintf(stderr, "%s: %p, errno %d\n", functions[f].name, p,
			errno);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return first_call(argv[1]);
	every_function_refuses_every_impossible_size();
	products_that_overflow_are_refused();
	a_refused_realloc_keeps_the_block();
	errno_of_the_past_does_not_matter();
	success_leaves_errno_alone();
	the_heap_works_after_refusals();
	return check_done();
}
