/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapper NODES OTHER-NODES [LIMIT-MIB] - maps of the program's own: every page
 * of them must be on NODES; with a limit, what goes beyond it on the others
 */
#include <sys/mman.h>

#include "pages.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define RW	(PROT_READ | PROT_WRITE)

static unsigned nodes, others;

static char *map(char *at, size_t size, int prot, int flags)
{
	char *p = mmap(at, size, prot, flags, -1, 0);

	if (p == MAP_FAILED) {
		check_write("Bail out! mmap failed\n");
		_exit(1);
	}
	return p;
}

static void touch(char *p, size_t size)
{
	for (size_t i = 0; i < size; i += PAGE)
		p[i] = 1;
}

/* Touched here unless touched is set: it must have been. */
static void lies(char *p, size_t size, unsigned on, int touched,
		 const char *what)
{
	struct pages pages = { 0 };
	char text[128];

	if (!touched)
		touch(p, size);
	count_pages(p, size, &pages);
	format_pages(&pages, text, sizeof(text));
	check(!elsewhere(&pages, on), "%s (pages by node: %s)", what, text);
}

static void is_absent(char *p, size_t size, const char *what)
{
	struct pages pages = { 0 };

	count_pages(p, size, &pages);
	check(pages.absent == all_pages(&pages), "%s: nothing is there yet",
	      what);
}

static void plain(void)
{
	char *p = map(NULL, 4 * MIB, RW, ANON);

	is_absent(p, 4 * MIB, "a map");
	lies(p, 4 * MIB, nodes, 0, "a map");
	madvise(p, 4 * MIB, MADV_DONTNEED);
	lies(p, 4 * MIB, nodes, 0, "after MADV_DONTNEED");
	munmap(p, 4 * MIB);
	p = map(NULL, 4 * MIB, RW, ANON | MAP_POPULATE);
	lies(p, 4 * MIB, nodes, 1, "MAP_POPULATE, filled");
	munmap(p, 4 * MIB);
	p = map(NULL, 4 * MIB, RW, ANON | MAP_LOCKED);
	lies(p, 4 * MIB, nodes, 1, "MAP_LOCKED, filled");
	munmap(p, 4 * MIB);
	p = map(NULL, 4 * MIB, RW, ANON | MAP_NORESERVE);
	lies(p, 4 * MIB, nodes, 0, "MAP_NORESERVE");
	madvise(p, 4 * MIB, MADV_HUGEPAGE);
	munmap(p, 4 * MIB);
	p = map(NULL, 8 * MIB, RW, ANON);
	madvise(p, 8 * MIB, MADV_HUGEPAGE);
	lies(p, 8 * MIB, nodes, 0, "MADV_HUGEPAGE");
	munmap(p, 8 * MIB);
}

/* As a JVM does it. */
static void reservation(void)
{
	char *p = map(NULL, 256 * MIB, PROT_NONE, ANON | MAP_NORESERVE);

	map(p, 8 * MIB, RW, ANON | MAP_FIXED | MAP_NORESERVE);
	lies(p, 8 * MIB, nodes, 0, "a reservation, its start mapped anew");
	map(p + 64 * MIB, 64 * 1024, RW, ANON | MAP_FIXED);
	lies(p + 64 * MIB, 64 * 1024, nodes, 0, "64 KiB in its middle");
	mprotect(p + 128 * MIB, 8 * MIB, RW);
	lies(p + 128 * MIB, 8 * MIB, nodes, 0, "made usable by mprotect");
	map(p, 8 * MIB, PROT_NONE, ANON | MAP_FIXED | MAP_NORESERVE);
	map(p, 4 * MIB, RW, ANON | MAP_FIXED | MAP_NORESERVE);
	lies(p, 4 * MIB, nodes, 0, "given back, and mapped once more");
	munmap(p + 130 * MIB, 2 * MIB);
	lies(p + 128 * MIB, 2 * MIB, nodes, 0, "before a hole");
	lies(p + 132 * MIB, 2 * MIB, nodes, 0, "behind it");
	munmap(p, 256 * MIB);
}

static void moves(void)
{
	char *p = map(NULL, 2 * MIB, RW, ANON), *wall, *q;

	p[0] = 1;
	wall = map(p + 2 * MIB, PAGE, PROT_NONE, ANON | MAP_FIXED_NOREPLACE);
	q = mremap(p, 2 * MIB, 8 * MIB, MREMAP_MAYMOVE);
	check(q != MAP_FAILED && q != p, "mremap moves it");
	lies(q, 8 * MIB, nodes, 0, "moved and grown");
	q = mremap(q, 8 * MIB, 3 * MIB, 0);
	lies(q, 3 * MIB, nodes, 0, "made smaller");
	q = mremap(q, 3 * MIB, 6 * MIB, 0);
	if (q != MAP_FAILED)
		lies(q, 6 * MIB, nodes, 0, "grown where it is");
	munmap(wall, PAGE);
}

static void elsewhere_than_ours(void)
{
	static const struct {
		int flags;
		const char *what;
	} cases[] = {
		{ ANON | MAP_STACK, "a stack" },
		{ MAP_SHARED | MAP_ANONYMOUS, "a shared map" },
	};
	char *p;

	for (size_t i = 0; i < 2; i++) {
		p = map(NULL, MIB, RW, cases[i].flags);
		lies(p, MIB, 1, 0, cases[i].what);
		munmap(p, MIB);
	}
	p = map(NULL, 128 * 1024, RW, ANON);
	lies(p, 128 * 1024, 1, 0, "less than mmap.min");
	p = map(NULL, MIB, RW, ANON);
	map(p, MIB, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED);
	lies(p, MIB, 1, 0, "a shared map over one of ours");
}

static void within(size_t limit)
{
	char *p = map(NULL, limit / 2, RW, ANON), *q, *r;

	lies(p, limit / 2, nodes, 0, "half of the limit");
	q = map(NULL, limit, RW, ANON);
	lies(q, limit, others, 0, "what does not fit beside it");
	munmap(p, limit / 2);
	r = map(NULL, limit / 2, RW, ANON);
	lies(r, limit / 2, nodes, 0, "what fits when it is unmapped");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	nodes = node_mask(argv[1]);
	others = node_mask(argv[2]);
	if (argc > 3) {
		within(strtoul(argv[3], NULL, 0) * MIB);
		return check_done();
	}
	plain();
	reservation();
	moves();
	elsewhere_than_ours();
	if (mlockall(MCL_FUTURE) == 0) {
		char *p = map(NULL, 4 * MIB, RW, ANON);

		lies(p, 4 * MIB, nodes, 1, "under mlockall, filled");
	}
	return check_done();
}
