/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmap_oracle - random maps at fixed addresses; what the kernel answers and
 * what memory then looks like, as text
 *
 *	mmap_oracle SEED OPERATIONS
 *
 * The same text must come out of a plain process and of a preloaded one: each
 * result (relative, or errno), and every few operations what /proc/self/maps,
 * mincore and the bytes say of the arena. So nothing is populated early, no
 * byte is lost, no error is ours. ORACLE_VERBOSE=1 has a line an operation.
 *
 * Under the library (with mmap.min=4k) a model of what is placed is kept too,
 * and what the library says is mapped must be its usable pages by
 * /proc/self/maps; that goes to stderr and to the exit status.
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include "tiers.h"

#define PAGE		4096ul
#define PAGES		1024ul
#define HUGE_PAGES	512ul
#define ARENA		((char *)0x1000000000)	/* below any window */
#define SIZE		(PAGES * PAGE)
#define EVERY		64

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

struct stat_mapped {
	size_t size;
	uint64_t used, limit, peak, over, over_peak, mapped;
};

static uint32_t seed;
static int file = -1, pattern = -1, verbose;

static char placed[PAGES];		/* by the library, says the model */
static uint64_t hash = 14695981039346656037u;
static unsigned long op_nr, nr_wrong;

static unsigned below(unsigned n)
{
	return next_random(&seed) % n;
}

static void mix(uint64_t x)
{
	hash = (hash ^ x) * 1099511628211u;
	hash ^= hash >> 29;
}

/* An address as it is in any process. */
static long relative(const void *p)
{
	if ((const char *)p >= ARENA && (const char *)p < ARENA + SIZE)
		return (const char *)p - ARENA;
	return -2;	/* elsewhere */
}

static void say(const char *what, size_t page, size_t nr, unsigned with,
		long result)
{
	mix(page), mix(nr), mix(with), mix((uint64_t)result);
	if (verbose)
		printf("%lu %s %zu+%zu %#x -> %ld\n", op_nr, what, page, nr,
		       with, result);
}

static long outcome(long result)
{
	return result == -1 ? -1000 - errno : result;
}

/*
 * A call that fails may have unmapped some all the same. What is then mapped
 * there without a call (a stack that grows) is not placed.
 */
static void failed(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, base = (unsigned long)ARENA;
	static char mapped[PAGES];
	char line[512];

	memset(mapped, 0, sizeof(mapped));
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || end <= base ||
		    start >= base + SIZE)
			continue;
		start = start < base ? 0 : (start - base) / PAGE;
		end = end > base + SIZE ? PAGES : (end - base) / PAGE;
		memset(mapped + start, 1, end - start);
	}
	if (maps)
		fclose(maps);
	for (size_t i = 0; i < PAGES; i++)
		placed[i] &= mapped[i];
}

static size_t span(size_t *page)
{
	size_t nr = 1 + below(1u << below(9));

	*page = below(PAGES);
	return nr < PAGES - *page ? nr : PAGES - *page;
}

static int random_prot(void)
{
	static const int prots[] = {
		PROT_NONE,
		PROT_NONE,
		PROT_READ,
		PROT_EXEC,
		PROT_WRITE,
		PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE,
		PROT_READ | PROT_EXEC,
		PROT_READ | PROT_WRITE | PROT_EXEC,
	};

	return prots[below(sizeof(prots) / sizeof(*prots))];
}

static int random_flags(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	switch (below(24)) {
	case 0:
		flags = MAP_SHARED | MAP_ANONYMOUS;
		break;
	case 1:
		flags = MAP_PRIVATE;
		break;
	case 2:
		flags = MAP_SHARED;
		break;
	case 3:
		flags |= MAP_HUGETLB;	/* there are none */
		break;
	case 4:
		flags |= MAP_GROWSDOWN;
		break;
	case 5:
		flags = MAP_ANONYMOUS;	/* neither: EINVAL */
		break;
	case 6:
		flags |= MAP_LOCKED;
		break;
	default:
		break;
	}
	/* One of huge pages that are not there could not be cut again. */
	if (below(4) == 0 && !(flags & MAP_HUGETLB))
		flags |= MAP_NORESERVE;
	if (below(6) == 0)
		flags |= MAP_POPULATE;
	if (below(20) == 0)
		flags |= MAP_NONBLOCK;
	return flags;
}

static int is_placed(int flags)
{
	return (flags & MAP_TYPE) == MAP_PRIVATE && flags & MAP_ANONYMOUS &&
	       !(flags & MAP_GROWSDOWN);
}

static void op_mmap(void)
{
	size_t page, nr = span(&page), off = 0;
	int prot = random_prot(), flags = random_flags();
	void *at = ARENA + page * PAGE, *p;
	size_t size = nr * PAGE - (below(8) ? 0 : below(PAGE));
	unsigned how = below(16);

	if (how < 12)
		flags |= MAP_FIXED;
	else if (how < 14)
		flags |= MAP_FIXED_NOREPLACE;
	else
		at = how == 14 ? NULL : at;
	if (below(64) == 0)
		at = (char *)at + 8;
	if (below(64) == 0)
		size = below(2) ? 0 : SIZE_MAX - below(100);
	if (below(64) == 0)
		off = 100;
	p = mmap(at, size, prot, flags, flags & MAP_ANONYMOUS ? -1 : file,
		 (off_t)off);
	if (p == MAP_FAILED) {
		say("mmap", page, nr, (unsigned)flags, outcome(-1));
		failed();
		return;
	}
	say("mmap", page, nr, (unsigned)flags, relative(p));
	if (flags & MAP_HUGETLB) {	/* the machine has some, after all */
		nr = (nr + HUGE_PAGES - 1) & ~(HUGE_PAGES - 1);
		size = nr * PAGE;
	}
	if (relative(p) >= 0) {
		memset(placed + relative(p) / (long)PAGE, is_placed(flags), nr);
		return;
	}
	/* Elsewhere: there it must do as well; then into the arena, or away. */
	if (prot & PROT_WRITE && prot & PROT_READ && flags & MAP_ANONYMOUS &&
	    !(flags & MAP_HUGETLB))
		fill(p, size, op_nr & 255);
	if (below(2) && mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			       ARENA + page * PAGE) != MAP_FAILED) {
		memset(placed + page, is_placed(flags), nr);
	} else {
		say("away", page, nr, 0, outcome(munmap(p, size)));
		failed();
	}
}

static void op_munmap(void)
{
	size_t page, nr = span(&page), size = nr * PAGE;
	char *at = ARENA + page * PAGE;
	int r;

	if (below(32) == 0)
		at++;
	if (below(32) == 0)
		size = below(2) ? 0 : SIZE_MAX - PAGE;
	r = munmap(at, size);
	say("munmap", page, nr, 0, outcome(r));
	if (r == 0)
		memset(placed + page, 0, nr);
}

static void op_mprotect(void)
{
	size_t page, nr = span(&page);
	int prot = random_prot();
	char *at = ARENA + page * PAGE + (below(64) ? 0 : 1);

	say("mprotect", page, nr, (unsigned)prot,
	    outcome(mprotect(at, nr * PAGE, prot)));
}

/*
 * Where what is mapped at a page ends, 0: nothing is. Maps alike count as one:
 * the kernel may keep them apart for their policies.
 */
static size_t mapping_end(size_t page)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, at = (unsigned long)(ARENA + page * PAGE);
	unsigned long inode, last_inode = 0, found = 0;
	char line[512], perm[8], last[8] = "";

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &start, &end, perm,
			   &inode) != 4)
			continue;
		if ((at >= start && at < end) ||
		    (found == start && !strcmp(last, perm) &&
		     last_inode == inode))
			found = end;
		strcpy(last, perm);
		last_inode = inode;
	}
	if (maps)
		fclose(maps);
	found = found ? (found - (unsigned long)ARENA) / PAGE : 0;
	return found > PAGES ? PAGES : found;
}

static void op_mremap(void)
{
	size_t page, nr = span(&page), to, new_nr = span(&to);
	int flags = (int)below(8);
	char *at = ARENA + page * PAGE;
	char was[PAGES];
	size_t both;
	char *p;

	/* Mostly within one mapping: what spans two is EFAULT. */
	if (below(8) && mapping_end(page) > page &&
	    nr > mapping_end(page) - page)
		nr = mapping_end(page) - page;
	if (new_nr > nr && below(2))
		new_nr = nr;
	if (below(64) == 0)
		at++;
	if (below(64) == 0)
		new_nr = 0;
	p = mremap(at, nr * PAGE, new_nr * PAGE, flags, ARENA + to * PAGE);
	if (p == MAP_FAILED) {
		say("mremap", page, nr, (unsigned)flags, outcome(-1));
		failed();
		return;
	}
	say("mremap", page, nr, (unsigned)flags, relative(p));
	memcpy(was, placed + page, nr);
	both = nr < new_nr ? nr : new_nr;
	if (p != at && !(flags & MREMAP_DONTUNMAP))
		memset(placed + page, 0, nr);
	if (p == at && new_nr < nr)
		memset(placed + page + new_nr, 0, nr - new_nr);
	if (relative(p) < 0) {
		say("away", page, new_nr, 0, outcome(munmap(p, new_nr * PAGE)));
		return;
	}
	page = (size_t)relative(p) / PAGE;
	/* a growing map may go on behind the arena */
	if (new_nr > PAGES - page) {
		munmap(ARENA + SIZE, (new_nr - (PAGES - page)) * PAGE);
		new_nr = PAGES - page;
	}
	memcpy(placed + page, was, both < new_nr ? both : new_nr);
	if (new_nr > nr)
		memset(placed + page + nr, was[nr - 1], new_nr - nr);
}

static void op_madvise(void)
{
	static const int advices[] = {
		MADV_DONTNEED,	     MADV_DONTNEED,   MADV_RANDOM,
		MADV_NORMAL,	     MADV_WILLNEED,   MADV_DONTFORK,
		MADV_DOFORK,	     MADV_NOHUGEPAGE, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_REMOVE,     12345,
	};
	int advice = advices[below(sizeof(advices) / sizeof(*advices))];
	size_t page, nr = span(&page);

	say("madvise", page, nr, (unsigned)advice,
	    outcome(madvise(ARENA + page * PAGE, nr * PAGE, advice)));
}

/*
 * Bytes into the arena by the kernel, which stops where it may not write. From
 * a file that is not mapped there: a copy onto itself would come out as it may.
 */
static void op_write(void)
{
	size_t page, nr = span(&page);
	off_t from = (off_t)below(PAGE);

	say("write", page, nr, (unsigned)from,
	    outcome(pread(pattern, ARENA + page * PAGE + below(PAGE),
			  nr * PAGE / 2, from)));
}

static void look_at_bytes(const char *at)
{
	uint64_t words[PAGE / 8];
	struct iovec to = { words, PAGE }, from = { (void *)at, PAGE };
	ssize_t n = process_vm_readv(getpid(), &to, 1, &from, 1, 0);

	mix((uint64_t)n);
	for (size_t i = 0; n == (ssize_t)PAGE && i < PAGE / 8; i++)
		hash = (hash ^ words[i]) * 1099511628211u;
}

static uint64_t mapped_now(void)
{
	uint64_t sum = 0;

	for (int tier = 0; tier_stat && tier < 2; tier++) {
		struct stat_mapped st = { .size = sizeof(st) };

		if (tier_stat(tier, (struct cxlm_tier_stat *)&st) == 0)
			sum += st.mapped;
	}
	return sum;
}

static uint64_t mapped_at_start;

static void compare(uint64_t wanted)
{
	uint64_t got = mapped_now() - mapped_at_start;

	if (!tier_stat || got == wanted)
		return;
	fprintf(stderr, "operation %lu: mapped %lu KiB, should be %lu KiB\n",
		op_nr, (unsigned long)(got >> 10),
		(unsigned long)(wanted >> 10));
	nr_wrong++;
}

/*
 * Page by page: where one map of the kernel's ends and the next begins may
 * differ, as neighbours of two policies do not become one.
 */
static void look(void)
{
	static char perms[PAGES][8];
	static unsigned char core[PAGES];
	unsigned long start, end, base = (unsigned long)ARENA;
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], perm[8];
	unsigned long inode;
	uint64_t usable = 0;

	memset(perms, 0, sizeof(perms));
	memset(core, 2, sizeof(core));
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &start, &end, perm,
			   &inode) != 4 ||
		    end <= base || start >= base + SIZE)
			continue;
		start = start < base ? base : start;
		end = end > base + SIZE ? base + SIZE : end;
		for (size_t i = (start - base) / PAGE; start < end;
		     start += PAGE, i++) {
			memcpy(perms[i], perm, sizeof(perm));
			usable += (placed[i] && strncmp(perm, "---", 3)) * PAGE;
			if (!inode)	/* a file's are the system's */
				mincore(ARENA + i * PAGE, PAGE, &core[i]);
		}
	}
	if (maps)
		fclose(maps);
	for (size_t i = 0; i < PAGES; i++) {
		mix((uint64_t)perms[i][0] | (uint64_t)perms[i][1] << 8 |
		    (uint64_t)perms[i][2] << 16 | (uint64_t)perms[i][3] << 24);
		mix(core[i] & 3);
		if (verbose > 1)
			printf("  %zu %s %d\n", i, perms[i], core[i] & 3);
		if (perms[i][0] == 'r')
			look_at_bytes(ARENA + i * PAGE);
	}
	compare(usable);
	printf("%lu %016lx\n", op_nr, (unsigned long)hash);
}

static void one(void)
{
	unsigned what = below(100);

	if (what < 30)
		op_mmap();
	else if (what < 45)
		op_munmap();
	else if (what < 60)
		op_mprotect();
	else if (what < 75)
		op_mremap();
	else if (what < 85)
		op_madvise();
	else
		op_write();
}

int main(int argc, char **argv)
{
	unsigned long nr = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000;
	unsigned char bytes[PAGE];

	verbose = getenv("ORACLE_VERBOSE") ? atoi(getenv("ORACLE_VERBOSE")) : 0;
	*(void **)&tier_stat = dlsym(RTLD_DEFAULT, "cxlm_tier_stat");
	seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) | 1 : 1;
	file = memfd_create("oracle", 0);
	pattern = memfd_create("pattern", 0);
	for (size_t i = 0; i < PAGES / 2; i++) {
		fill(bytes, sizeof(bytes), (unsigned)i);
		if (write(file, bytes, sizeof(bytes)) != sizeof(bytes) ||
		    write(pattern, bytes, sizeof(bytes)) != sizeof(bytes))
			return 99;
	}
	mapped_at_start = mapped_now();
	for (op_nr = 1; op_nr <= nr; op_nr++) {
		one();
		if (op_nr % EVERY == 0)
			look();
	}
	munmap(ARENA, SIZE);
	memset(placed, 0, sizeof(placed));
	compare(0);
	printf("end %016lx\n", (unsigned long)hash);
	return nr_wrong != 0;
}
