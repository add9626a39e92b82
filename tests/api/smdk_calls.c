/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every function of smdk_opt_api.h: what it returns, errno, where blocks are.
 *
 *	smdk_calls		prints TAP
 *	smdk_calls print UNIT	both tables on stderr
 *	smdk_calls left-out	EXMEM is left out by order=ddr: refused
 *	smdk_calls limited	NORMAL may have 8 MiB, EXMEM what it wants
 */
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <cxlmalloc.h>
#include <smdk_opt_api.h>

#include "../preload/check.h"

#define MIB		((size_t)1 << 20)
#define NORMAL		SMDK_MEM_NORMAL
#define EXMEM		SMDK_MEM_EXMEM
#define MPOL_INTERLEAVE	3

static const smdk_memtype_t types[] = { NORMAL, EXMEM };
static const smdk_memtype_t no_types[] = { (smdk_memtype_t)-1,
					   (smdk_memtype_t)2,
					   (smdk_memtype_t)INT_MAX };
static int tiered;

#define each(i, array) (size_t i = 0; i < sizeof(array) / sizeof(array[0]); i++)

static int is_of(const void *p, smdk_memtype_t type)
{
	return p && cxlm_tier_of(p) == (tiered ? (int)type : -1);
}

static int refused(const void *p, int error)
{
	int good = !p && errno == error;

	errno = 0;
	return good;
}

static void blocks(void)
{
	for each(i, types) {
		smdk_memtype_t type = types[i];
		void *p = s_malloc(type, 100);
		unsigned char *old;
		size_t n;

		check(is_of(p, type), "s_malloc: type %d", type);
		memset(p, 0xaa, 100);
		s_free(p);
		p = s_malloc(type, 0);
		check(is_of(p, type), "s_malloc of 0 bytes: a block");
		s_free(p);
		for (n = 1; n < 4 * MIB; n = n * 3 + 1) {
			old = s_malloc(type, n);
			memset(old, 0xff, n);
			s_free(old);
			p = s_calloc(type, n, 1);
			if (!is_of(p, type) || !all_zero(p, n))
				break;
			s_free(p);
		}
		check(n >= 4 * MIB, "s_calloc: zero, also where blocks were");
		errno = 0;
		check(refused(s_calloc(type, hide(SIZE_MAX / 4 + 2), 4),
			      ENOMEM),
		      "s_calloc: a product that overflows");
		check(refused(s_malloc(type, hide(SIZE_MAX)), ENOMEM),
		      "s_malloc: more than there can be");
	}
}

static void no_type(void)
{
	void *p = &p, *kept = s_malloc(NORMAL, 64);

	fill(kept, 64, 1);
	for each(i, no_types) {
		smdk_memtype_t type = no_types[i];
		int good;

		errno = 0;
		good = refused(s_malloc(type, 8), EINVAL) &&
		       refused(s_calloc(type, 1, 8), EINVAL) &&
		       refused(s_realloc(type, kept, 8), EINVAL) &&
		       refused(s_realloc(type, kept, 0), EINVAL) &&
		       refused(s_realloc(type, NULL, 8), EINVAL) &&
		       refused(s_malloc_node(type, 8, (char *)"0"), EINVAL) &&
		       s_posix_memalign(type, &p, 64, 8) == EINVAL && p == &p;
		check(good, "type %d: nothing is allocated", (int)type);
		check(!s_get_memsize_total(type) && !s_get_memsize_used(type) &&
			      !s_get_memsize_available(type) &&
			      !s_get_memsize_node_total(type, 0) &&
			      !s_get_memsize_node_available(type, 0),
		      "type %d: has no memory", (int)type);
		s_free_type(type, kept);
	}
	for (int i = 0; i < 1000; i++)
		if (s_malloc(NORMAL, 64) == kept)
			errno = EEXIST;
	check(errno != EEXIST && filled(kept, 64, 1),
	      "no type: nothing is freed or written");
	s_free(kept);
}

/*
 * Use is counted in pages, and jemalloc may let go of some that earlier blocks
 * left in the thread's cache.
 */
static int about(size_t used, size_t wanted)
{
	return used < wanted + MIB / 2 && wanted < used + MIB / 2;
}

static void resizing(void)
{
	for each(i, types) {
		smdk_memtype_t to = types[i], from = types[!i];
		char *p = s_realloc(from, NULL, 100), *q;
		size_t before;

		check(is_of(p, from), "s_realloc of NULL: a block");
		fill(p, 100, 3);
		p = s_realloc(from, p, 100000);
		check(is_of(p, from) && filled(p, 100, 3), "s_realloc: larger");
		fill(p, 100000, 4);
		p = s_realloc(to, p, 200000);
		check(is_of(p, to) && filled(p, 100000, 4),
		      "s_realloc: larger, type %d", to);
		p = s_realloc(from, p, 50);
		check(is_of(p, from) && filled(p, 50, 4),
		      "s_realloc: smaller, type %d", from);
		p = s_realloc(from, p, MIB);
		fill(p, MIB, 5);
		errno = 0;
		q = s_realloc(from, p, hide(PTRDIFF_MAX));
		check(refused(q, ENOMEM) && filled(p, MIB, 5),
		      "s_realloc: no memory, same type: the block is there");
		q = s_realloc(to, p, hide(PTRDIFF_MAX));
		check(refused(q, ENOMEM) && filled(p, MIB, 5),
		      "s_realloc: no memory, other type: the block is there");
		before = s_get_memsize_used(from);
		q = s_realloc(to, p, 0);
		check(!q && (!tiered ||
			     about(s_get_memsize_used(from) + MIB, before)),
		      "s_realloc to 0: freed, whatever the type");
	}
}

static void alignment(void)
{
	static const size_t bad[] = { 0, 1, 2, 4, 3, 24, 48, SIZE_MAX };

	for each(i, types) {
		int good = 1;
		void *p;

		for (size_t to = sizeof(void *); to <= 4 * MIB; to *= 2) {
			errno = E2BIG;
			good &= s_posix_memalign(types[i], &p, to, 100) == 0 &&
				aligned(p, to) && is_of(p, types[i]) &&
				errno == E2BIG;
			s_free(p);
		}
		check(good, "s_posix_memalign: 8 to 4 MiB, type %d", types[i]);
		p = &p;
		for each(j, bad)
			good &= s_posix_memalign(types[i], &p, hide(bad[j]),
						 8) == EINVAL;
		good &= s_posix_memalign(types[i], NULL, 8, 8) == EINVAL;
		check(good && p == &p && errno == E2BIG,
		      "s_posix_memalign: EINVAL, and nothing else changes");
		check(s_posix_memalign(types[i], &p, 64, hide(PTRDIFF_MAX)) ==
				      ENOMEM &&
			      p == &p && errno == E2BIG,
		      "s_posix_memalign: ENOMEM, and nothing else changes");
	}
}

static void freeing(void)
{
	size_t before;
	void *p;

	s_free(NULL);
	s_free_type(NORMAL, NULL);
	s_free_node(EXMEM, NULL, 0);
	if (!tiered)
		return;
	for each(i, types) {
		before = s_get_memsize_used(types[i]);
		p = s_malloc(types[i], 8 * MIB);
		check(about(s_get_memsize_used(types[i]), before + 8 * MIB),
		      "s_get_memsize_used: 8 MiB more");
		errno = E2BIG;
		s_free_type(types[!i], p);
		check(about(s_get_memsize_used(types[i]), before) &&
			      errno == E2BIG,
		      "s_free_type with the other type frees");
		p = s_malloc(types[i], 8 * MIB);
		check(about(s_get_memsize_used(types[i]), before + 8 * MIB),
		      "s_get_memsize_used: again");
		s_free_node(types[!i], p, 1);
		check(about(s_get_memsize_used(types[i]), before),
		      "s_free_node frees all, whatever type and size");
	}
}

static size_t held_by_malloc(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Whichever malloc the process has, s_free takes its blocks. */
static void malloc_blocks(void)
{
	size_t before = held_by_malloc();
	char *p = malloc(8 * MIB);
	int held = held_by_malloc() >= before + 8 * MIB;

	memset(p, 1, 8 * MIB);
	s_free(p);
	check(held && held_by_malloc() < before + MIB,
	      "s_free of malloc's block frees it");
}

/* A node that a type has, as text; "" when there is none. */
static const char *node_of(smdk_memtype_t type, char text[12])
{
	struct cxlm_tier_info info = { .size = sizeof(info) };
	int node;

	text[0] = '\0';
	cxlm_tier_info(type, &info);
	for (node = 0; node < 1024; node++)
		if (info.nodes[node / 64] >> node % 64 & 1) {
			snprintf(text, 12, "%d", node);
			break;
		}
	return text;
}

static void on_nodes(void)
{
	static const char *const bad[] = {
		"",    " ",  "x",    "-1",   "1x",   "0x0",
		"0-",  "-",  "1-0",  "0,,0", "0,",   ",0",
		"0 0", "99", "0-99", "1023", "1024", "99999999999999999999"
	};
	char text[12], list[32];
	int node;

	for each(i, types) {
		smdk_memtype_t type = types[i];
		char *p;

		errno = 0;
		for each(j, bad)
			check(refused(s_malloc_node(type, 8, (char *)bad[j]),
				      EINVAL),
			      "s_malloc_node on \"%s\": EINVAL", bad[j]);
		check(refused(s_malloc_node(type, 8, NULL), EINVAL),
		      "s_malloc_node on NULL: EINVAL");
		if (!tiered)
			continue;
		node = atoi(node_of(type, text));
		errno = 0;
		p = s_malloc_node(type, MIB, text);
		if (!p && errno == EPERM) {
			check(1, "s_malloc_node(%d) # SKIP mbind is refused",
			      type);
			continue;
		}
		check(is_of(p, type), "s_malloc_node(%d) on \"%s\"", type,
		      text);
		memset(p, 1, MIB);
		check((cxlm_node_of(p) == node &&
		       cxlm_node_of(p + MIB - 1) == node) ||
			      errno == EPERM,
		      "its pages are there");
		p = s_realloc(type, p, 2 * MIB);
		check(is_of(p, type) && p[MIB - 1] == 1,
		      "s_realloc takes it, and keeps the contents");
		s_free(p);
		snprintf(list, sizeof(list), " %d , %d-%d", node, node, node);
		p = s_malloc_node(type, 100, list);
		check(is_of(p, type), "s_malloc_node on \"%s\"", list);
		s_free_node(type, p, 100);
	}
}

static void sizes(void)
{
	char text[12];
	size_t total;
	int node;

	for each(i, types) {
		smdk_memtype_t type = types[i];

		total = s_get_memsize_total(type);
		if (!tiered && type == EXMEM)
			continue;
		check(total > 0 && s_get_memsize_available(type) > 0 &&
			      s_get_memsize_available(type) <= total &&
			      s_get_memsize_used(type) < total,
		      "total, used and available of type %d", type);
		node = atoi(node_of(type, text));
		check(s_get_memsize_node_total(type, node) > 0 &&
			      s_get_memsize_node_total(type, node) <= total &&
			      s_get_memsize_node_available(type, node) > 0 &&
			      s_get_memsize_node_available(type, node) <= total,
		      "total and available of node %d", node);
		check(!s_get_memsize_node_total(type, 99) &&
			      !s_get_memsize_node_total(type, -1) &&
			      !s_get_memsize_node_available(type, INT_MAX) &&
			      !s_get_memsize_node_available(type, INT_MIN),
		      "nodes that are not there have none");
	}
}

static int policy_mode(unsigned long *nodes)
{
	unsigned long mask[16] = { 0 };
	int mode = -1;

	syscall(SYS_get_mempolicy, &mode, mask, 1024ul, NULL, 0ul);
	*nodes = mask[0];
	return mode;
}

static void *other_policy(void *result)
{
	unsigned long nodes;

	*(int *)result = policy_mode(&nodes);
	return NULL;
}

static void interleave(void)
{
	unsigned long nodes;
	pthread_t thread;
	int other = -1;

	if (policy_mode(&nodes) != 0) {
		check(1, "interleave # SKIP get_mempolicy is refused here");
		return;
	}
	pthread_create(&thread, NULL, other_policy, &other);
	pthread_join(thread, NULL);
	s_enable_node_interleave((char *)"0");
	check(policy_mode(&nodes) == MPOL_INTERLEAVE && nodes == 1,
	      "s_enable_node_interleave: this thread's policy");
	s_enable_node_interleave((char *)"0-x");
	s_enable_node_interleave((char *)"999");
	s_enable_node_interleave(NULL);
	check(policy_mode(&nodes) == MPOL_INTERLEAVE && nodes == 1,
	      "s_enable_node_interleave: no such nodes, no change");
	s_disable_node_interleave();
	check(policy_mode(&nodes) == 0, "s_disable_node_interleave: default");
	s_enable_node_interleave((char *)"all");
	check(policy_mode(&nodes) == MPOL_INTERLEAVE && (nodes & 1),
	      "s_enable_node_interleave: all");
	s_disable_node_interleave();
	check(other == 0, "another thread's policy is its own");
}

/* A type that is full is full: the other one is not taken. */
static void limited(void)
{
	char *p = NULL, *block[64], *other;
	int n;

	for (n = 0; n < 64; n++) {
		block[n] = s_malloc(NORMAL, MIB);
		if (!block[n])
			break;
		fill(block[n], MIB, (unsigned)n);
	}
	check(n > 0 && n <= 8 && errno == ENOMEM, "full: %d blocks, ENOMEM", n);
	check(s_get_memsize_available(NORMAL) < 2 * MIB,
	      "s_get_memsize_available: next to nothing");
	errno = 0;
	check(refused(s_calloc(NORMAL, MIB, 1), ENOMEM) &&
		      refused(s_realloc(NORMAL, block[0], 9 * MIB), ENOMEM) &&
		      filled(block[0], MIB, 0) &&
		      s_posix_memalign(NORMAL, (void **)&p, 64, MIB) ==
			      ENOMEM &&
		      !p,
	      "all refuse, and blocks are as they were");
	other = s_malloc(EXMEM, 16 * MIB);
	check(is_of(other, EXMEM), "the other type has room");
	errno = 0;
	check(refused(s_realloc(NORMAL, other, 16 * MIB), ENOMEM) &&
		      is_of(other, EXMEM),
	      "s_realloc to the full type: ENOMEM, and it stays");
	p = s_realloc(EXMEM, block[0], 2 * MIB);
	check(is_of(p, EXMEM) && filled(p, MIB, 0),
	      "s_realloc from the full type to the other");
	block[0] = s_malloc(NORMAL, MIB);
	check(is_of(block[0], NORMAL), "its room is used again");
}

int main(int argc, char **argv)
{
	void *p = cxlm_malloc(CXLM_TIER_POLICY, 100, 0);

	tiered = cxlm_tier_of(p) >= 0;
	cxlm_free(p);
	if (argc > 2 && strcmp(argv[1], "print") == 0) {
		s_stats_print(argv[2][0]);
		s_stats_node_print(argv[2][0]);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "limited") == 0) {
		limited();
		return check_done();
	}
	if (argc > 1) {
		errno = 0;
		check(refused(s_malloc(EXMEM, 8), ENOTSUP) &&
			      refused(s_calloc(EXMEM, 1, 8), ENOTSUP) &&
			      refused(s_realloc(EXMEM, NULL, 8), ENOTSUP) &&
			      s_posix_memalign(EXMEM, &p, 8, 8) == ENOMEM,
		      "a type that is left out: ENOTSUP");
		p = s_malloc(NORMAL, 8);
		check(is_of(p, NORMAL), "the other type is there");
		errno = 0;
		check(refused(s_realloc(EXMEM, p, 8), ENOTSUP) &&
			      is_of(p, NORMAL),
		      "s_realloc to it: ENOTSUP, and the block stays");
		return check_done();
	}
	blocks();
	no_type();
	resizing();
	alignment();
	freeing();
	malloc_blocks();
	on_nodes();
	sizes();
	interleave();
	return check_done();
}
