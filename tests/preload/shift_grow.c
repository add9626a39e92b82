/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shift_grow - huge blocks grow by realloc, and keep what was in them
 *
 * shift_grow moves|copies: their pages are moved, or cannot be (locked memory, a
 * refused call). As many page faults as a copy would take tell which.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tiers.h"

#define PAGE	((size_t)4096)
#define LEAST	(2 * MIB)
#define MOST	(96 * MIB)
#define THREADS	4

static void write_pages(unsigned char *p, size_t from, size_t to, unsigned mark)
{
	for (size_t at = from; at < to; at += PAGE) {
		p[at] = (unsigned char)(at / PAGE * 31 + mark);
		p[at + PAGE - 1] = (unsigned char)(p[at] ^ 0x5a);
	}
}

static int pages_are(const unsigned char *p, size_t size, unsigned mark)
{
	for (size_t at = 0; at < size; at += PAGE)
		if (p[at] != (unsigned char)(at / PAGE * 31 + mark) ||
		    p[at + PAGE - 1] != (unsigned char)(p[at] ^ 0x5a))
			return 0;
	return 1;
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static size_t next_size(size_t size)
{
	return (size + size / 4 + PAGE - 1) & ~(PAGE - 1);
}

/* NULL: what was in it is not. Else the block, of *size. */
static unsigned char *grow(size_t *size, size_t most, unsigned mark)
{
	unsigned char *p = malloc(*size = LEAST), *q;

	write_pages(p, 0, *size, mark);
	while (next_size(*size) <= most) {
		size_t old = *size;

		q = realloc(p, next_size(old));
		if (!q || !pages_are(q, old, mark))
			return NULL;
		p = q;
		*size = next_size(old);
		write_pages(p, old, *size, mark);
	}
	return p;
}

/* jemalloc 5.3.0 begins them anywhere in a page (cache_oblivious). */
static int are_whole_pages(void)
{
	uintptr_t all = 0;

	for (size_t i = 0; i < 8; i++) {
		void *p = malloc(3 * MIB + i * PAGE);

		all |= (uintptr_t)p;
		free(p);
	}
	return all % PAGE == 0;
}

static void one(int moves)
{
	long before = faults(), pages;
	struct cxlm_tier_stat now;
	unsigned char *p;
	size_t size;
	int tier;

	p = grow(&size, MOST, 1);
	check(p != NULL, "a block of %zu MiB has what was in it", size / MIB);
	if (!p)
		return;
	tier = tier_of(p);
	now = stat_of(tier);
	check(now.used >= size, "it counts in its tier");
	pages = (long)(size / PAGE);
	note("%ld pages, %ld page faults", pages, faults() - before);
	if (moves)
		check(faults() - before < pages + pages / 2,
		      "its pages were moved");
	/* The old ranges, when they serve again. */
	for (int i = 0; i < 8; i++) {
		size_t part = (size_t)(i + 2) * MIB;
		unsigned char *q = malloc(part), *z = calloc(1, part);
		size_t at;

		write_pages(q, 0, part, 7);
		for (at = 0; at < part && !z[at]; at += 512)
			;
		if (at < part || !pages_are(q, part, 7))
			check(0, "what was left of it serves");
		free(q);
		free(z);
	}
	check(pages_are(p, size, 1), "and is nobody else's");
	p = realloc(p, LEAST);
	check(p && pages_are(p, LEAST, 1), "it shrinks");
	free(p);
}

static void *many(void *arg)
{
	unsigned mark = (unsigned)(uintptr_t)arg;
	uintptr_t good = 1;

	for (int i = 0; i < 6; i++) {
		size_t size;
		unsigned char *p = grow(&size, 24 * MIB, mark);

		good &= p && pages_are(p, size, mark);
		free(p);
	}
	return (void *)good;
}

static void threads(void)
{
	pthread_t thread[THREADS];
	void *good;
	int all = 1;

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, many, (void *)(i + 10));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &good);
		all &= good != NULL;
	}
	check(all, "threads' blocks do, too");
}

/* The pages are shared with the child's, until one of them writes. */
static void forked(void)
{
	size_t size, more;
	unsigned char *p = grow(&size, 16 * MIB, 3), *q;
	int status = -1;
	pid_t child = fork();

	more = next_size(size);
	if (child == 0) {
		q = realloc(p, more);
		if (!q || !pages_are(q, size, 3))
			_exit(1);
		write_pages(q, 0, more, 4);
		_exit(!pages_are(q, more, 4));
	}
	waitpid(child, &status, 0);
	check(status == 0, "a child's grows");
	check(pages_are(p, size, 3), "its parent's is as it was");
	p = realloc(p, more);
	check(p && pages_are(p, size, 3), "and grows");
	free(p);
}

/* To the kernel a block is two mappings. */
static void in_two_parts(void)
{
	unsigned char *p = malloc(8 * MIB), *behind = malloc(8 * MIB);

	write_pages(p, 0, 8 * MIB, 5);
	write_pages(behind, 0, 8 * MIB, 8);
	madvise(p + 4 * MIB, 4 * MIB, MADV_DONTDUMP);
	p = realloc(p, 12 * MIB);
	check(p && pages_are(p, 8 * MIB, 5), "one in two parts grows");
	if (p)
		write_pages(p, 0, 12 * MIB, 6);
	check(p && pages_are(p, 12 * MIB, 6), "and can be written");
	check(pages_are(behind, 8 * MIB, 8), "its neighbour is as it was");
	free(p);
	free(behind);
}

/*
 * The kernel unmaps where the pages are to go, and then lets nobody map there:
 * neither them nor what was there.
 */
static int without_room(void)
{
	unsigned char *p = malloc(8 * MIB), *behind = malloc(8 * MIB);
	struct rlimit limit;
	char line[128];
	size_t pages = 0;
	FILE *f;

	/* It cannot grow in place, and there is room elsewhere. */
	write_pages(p, 0, 8 * MIB, 5);
	write_pages(behind, 0, 8 * MIB, 8);
	free(malloc(64 * MIB));
	f = fopen("/proc/self/statm", "r");
	if (f && fgets(line, sizeof(line), f))
		pages = strtoul(line, NULL, 10);
	if (f)
		fclose(f);
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = pages * PAGE - 4 * MIB;
	setrlimit(RLIMIT_AS, &limit);
	p = realloc(p, 12 * MIB);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_AS, &limit);
	if (!p || !pages_are(p, 8 * MIB, 5))
		return 1;
	write_pages(p, 0, 12 * MIB, 6);
	p = realloc(p, 20 * MIB);
	return !p || !pages_are(p, 12 * MIB, 6) ||
	       !pages_are(behind, 8 * MIB, 8);
}

int main(int argc, char **argv)
{
	int status = -1, moves = argc == 2 && !strcmp(argv[1], "moves");
	char *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc != 2)
		return 2;
	moves &= are_whole_pages();
	if (moves && syscall(SYS_mremap, a, PAGE, PAGE, 7L, b) == -1)
		moves = 0;	/* before Linux 5.7 */
	if (!strcmp(argv[1], "locked") && mlockall(MCL_CURRENT | MCL_FUTURE)) {
		check_write("ok 1 # SKIP mlockall is refused here\n1..1\n");
		return 0;
	}
	if (!tiers_found())
		return check_done();
	one(moves);
	threads();
	forked();
	if (!strcmp(argv[1], "locked"))
		return check_done();
	/* The first that fails is the last: each in a process of its own. */
	if (fork() == 0)
		_exit(without_room());
	wait(&status);
	check(status == 0, "without address space to spare one grows");
	in_two_parts();
	return check_done();
}
