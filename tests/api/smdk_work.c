/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What SMDK's own tests of its optimization API do (test_opt_api 1 to 8,
 * test_metadata_api, test_alloc_onnode, test_policy_ctl), written anew: a program
 * as its users write them, of its header alone. What depended on jemalloc giving
 * the same address again compares use instead.
 *
 *	smdk_work [test N] [size N] [iter N] [nthreads N] [vsizes] [exmem] [mib N]
 */
#include <pthread.h>
#include <smdk_opt_api.h>

#include "../preload/check.h"

#define KIB	1024ul
#define MIB	(1024 * KIB)

/*
 * A thread's cache may keep so many blocks. Larger ones are counted to the page,
 * of which each has one more than it says.
 */
#define CACHED_MAX	(32 * KIB)
#define CACHED_BLOCKS	200
#define PAGE		(4 * KIB)

struct work {
	size_t size, iter, mib;
	int vsizes;
	smdk_memtype_t type;
	unsigned seed;
	const char *error;
};

static smdk_memtype_t other(smdk_memtype_t type)
{
	return type == SMDK_MEM_NORMAL ? SMDK_MEM_EXMEM : SMDK_MEM_NORMAL;
}

static size_t nth_size(const struct work *work, size_t i)
{
	static const size_t sizes[] = { 8, 512, 4 * KIB, 16 * KIB, 64 * KIB };

	return work->vsizes ? sizes[i % 5] : work->size;
}

static const char *basic(struct work *work)
{
	void *p;

	s_free_type(work->type, s_malloc(work->type, work->size));
	p = s_calloc(work->type, 1, work->size);
	if (!p || !all_zero(p, work->size))
		return "s_calloc";
	p = s_realloc(work->type, p, 2 * work->size);
	if (!p || !all_zero(p, work->size))
		return "s_realloc";
	s_free_type(work->type, p);
	if (s_posix_memalign(work->type, &p, sizeof(void *), work->size) != 0)
		return "s_posix_memalign";
	s_free_type(work->type, p);
	return NULL;
}

static const char *use(smdk_memtype_t type, smdk_memtype_t free_as, size_t size)
{
	void *p = s_malloc(type, size);

	if (!p)
		return "s_malloc";
	fill(p, size, (unsigned)size);
	if (!filled(p, size, (unsigned)size))
		return "contents";
	s_free_type(free_as, p);
	return NULL;
}

enum how {
	SAME,
	IN_TURN,
	RANDOM,
	OTHER
};

static const char *many(struct work *work, enum how how)
{
	smdk_memtype_t type = work->type;
	const char *error = NULL;
	size_t i;

	for (i = 0; i < work->iter && !error; i++) {
		if (how == IN_TURN)
			type = other(type);
		if (how == RANDOM)
			type = (smdk_memtype_t)(next_random(&work->seed) % 2);
		error = use(type, how == OTHER ? other(type) : type,
			    nth_size(work, i));
	}
	return error;
}

static const char *same_type(struct work *work)
{
	return many(work, SAME);
}

static const char *in_turn(struct work *work)
{
	return many(work, IN_TURN);
}

static const char *random_type(struct work *work)
{
	return many(work, RANDOM);
}

static const char *freed_as_other(struct work *work)
{
	return many(work, OTHER);
}

static const char *no_type(struct work *work)
{
	static const smdk_memtype_t bad[] = { (smdk_memtype_t)-1,
					      (smdk_memtype_t)2 };
	void *p, *q;
	int i;

	for (i = 0; i < 2; i++)
		if (s_malloc(bad[i], work->size) ||
		    s_calloc(bad[i], 1, work->size) ||
		    s_realloc(bad[i], NULL, work->size) ||
		    s_posix_memalign(bad[i], &p, 8, work->size) == 0)
			return "a type that is none";
	p = s_malloc(SMDK_MEM_NORMAL, work->size);
	q = s_realloc(SMDK_MEM_EXMEM, p, work->size);
	if (!q || s_realloc(SMDK_MEM_NORMAL, q, 0))
		return "s_realloc to another type, and to 0";
	return NULL;
}

static const char *retyped(struct work *work)
{
	smdk_memtype_t type = work->type;
	size_t i, size;
	void *p, *q;

	for (i = 0; i < work->iter; i++, type = other(type)) {
		size = nth_size(work, i);
		p = s_malloc(type, size);
		if (!p)
			return "s_malloc";
		fill(p, size, (unsigned)i);
		q = s_realloc(other(type), p, size);
		if (!q || !filled(q, size, (unsigned)i))
			return "s_realloc";
		s_free(q);
	}
	return NULL;
}

/* Use of a type goes up by what is allocated, and down again. */
static const char *counted(struct work *work, smdk_memtype_t type, size_t size)
{
	size_t n = work->mib * MIB / size, cached, pad, i, before, after;
	void **p = malloc(n * sizeof(*p));

	cached = size > CACHED_MAX ? MIB : CACHED_BLOCKS * size;
	pad = size < 16 * KIB ? 0 : n * PAGE;
	before = s_get_memsize_used(type);
	for (i = 0; i < n; i++) {
		p[i] = s_malloc(type, size);
		if (!p[i])
			return "s_malloc";
	}
	after = s_get_memsize_used(type);
	if (after + cached < before + n * size ||
	    after > before + n * size + cached + pad)
		return "used, after s_malloc";
	for (i = 0; i < n; i++)
		s_free_type(type, p[i]);
	after = s_get_memsize_used(type);
	if (after > before + cached)
		return "used, after s_free";
	free(p);
	return NULL;
}

static const char *metadata(struct work *work)
{
	const char *error = NULL;
	int type;

	for (type = SMDK_MEM_NORMAL; type <= SMDK_MEM_EXMEM && !error; type++) {
		error = counted(work, (smdk_memtype_t)type, 4 * KIB);
		if (!error)
			error = counted(work, (smdk_memtype_t)type, 16 * KIB);
		if (!error)
			error = counted(work, (smdk_memtype_t)type, 64 * KIB);
	}
	return error;
}

static const char *interleaved(struct work *work)
{
	const char *error = NULL;
	size_t i;

	s_enable_node_interleave((char *)"all");
	for (i = 0; i < 10 && !error; i++) {
		if (i == 5)
			s_disable_node_interleave();
		error = use(SMDK_MEM_EXMEM, SMDK_MEM_EXMEM,
			    work->mib * MIB / 10);
	}
	return error;
}

static const struct {
	const char *name;
	const char *(*run)(struct work *);
} tests[] = {
	{ "each call", basic },
	{ "many blocks of a type", same_type },
	{ "of the types in turn", in_turn },
	{ "of either type", random_type },
	{ "what is no type", no_type },
	{ "realloc to the other type", retyped },
	{ "freed as the other type", freed_as_other },
	{ "either type, freed without it", random_type },
	{ "metadata: used", metadata },
	{ "under an interleave policy", interleaved },
};

static int nth;

static void *thread_main(void *arg)
{
	struct work *work = arg;

	work->error = tests[nth].run(work);
	return NULL;
}

int main(int argc, char **argv)
{
	struct work work = { .size = 8, .iter = 10, .mib = 32 }, all[100];
	pthread_t thread[100];
	int i, first = 1, last = 8, nr = 1;

	for (i = 1; i < argc; i++) {
		const char *next = argv[i + 1] ? argv[i + 1] : "0";

		if (!strcmp(argv[i], "vsizes"))
			work.vsizes = 1;
		else if (!strcmp(argv[i], "exmem"))
			work.type = SMDK_MEM_EXMEM;
		else if (!strcmp(argv[i], "test"))
			first = last = atoi(next);
		else if (!strcmp(argv[i], "nthreads"))
			nr = atoi(next);
		else if (!strcmp(argv[i], "size"))
			work.size = (size_t)atol(next);
		else if (!strcmp(argv[i], "iter"))
			work.iter = (size_t)atol(next);
		else if (!strcmp(argv[i], "mib"))
			work.mib = (size_t)atol(next);
	}
	for (; first <= last; first++) {
		const char *error = NULL;

		nth = first - 1;
		for (i = 0; i < nr; i++) {
			all[i] = work;
			all[i].seed = (unsigned)i + 1;
			pthread_create(&thread[i], NULL, thread_main, &all[i]);
		}
		for (i = 0; i < nr; i++) {
			pthread_join(thread[i], NULL);
			error = all[i].error ? all[i].error : error;
		}
		check(!error, "%d, %d threads: %s%s%s", first, nr,
		      tests[nth].name, error ? ": " : "", error ? error : "");
	}
	return check_done();
}
