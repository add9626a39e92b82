/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmap_calls - where maps are made: handlers, children, threads; and what the
 * library says is mapped of them
 *
 *	mmap_calls TIER		under mmap.policy=TIER (0 DDR, 1 CXL)
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tiers.h"

#define K	((size_t)1024)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define RW	(PROT_READ | PROT_WRITE)

struct stat_mapped {
	size_t size;
	uint64_t used, limit, peak, over, over_peak, mapped;
};

static int tier;

static long mapped(void)
{
	struct stat_mapped st = { .size = sizeof(st) };

	if (tier_stat(tier, (struct cxlm_tier_stat *)&st))
		return -1;
	return (long)st.mapped;
}

static char *map(size_t size, int prot, int flags)
{
	char *p = mmap(NULL, size, prot, flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void counts(void)
{
	long before = mapped();
	char *p = map(MIB, RW, ANON), *q;

	check(mapped() - before == (long)MIB, "a map counts");
	check(munmap(p + 64 * K, 64 * K) == 0 &&
		      mapped() - before == (long)(MIB - 64 * K),
	      "its middle unmapped does not");
	check(mmap(p + 64 * K, 64 * K, RW, ANON | MAP_FIXED, -1, 0) ==
			      p + 64 * K &&
		      mapped() - before == (long)(MIB - 64 * K),
	      "a small map in the hole is none of ours");
	check(mprotect(p, 32 * K, PROT_NONE) == 0 &&
		      mapped() - before == (long)(MIB - 96 * K),
	      "what may not be touched does not count");
	check(madvise(p + MIB / 2, MIB / 4, MADV_DONTNEED) == 0 &&
		      mapped() - before == (long)(MIB - 96 * K),
	      "what was given back still may be touched");
	q = mremap(p + MIB / 2, MIB / 2, 4 * MIB, MREMAP_MAYMOVE);
	check(q != MAP_FAILED && mapped() - before == (long)(MIB - 96 * K -
							     MIB / 2 + 4 * MIB),
	      "what mremap adds counts");
	check(mmap(q, MIB, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			      q &&
		      mapped() - before ==
			      (long)(MIB - 96 * K - MIB / 2 + 3 * MIB),
	      "a shared map over it does not");
	munmap(p, MIB / 2);
	munmap(q, 4 * MIB);
	check(mapped() == before, "all unmapped, nothing is left");
}

static void reservation(void)
{
	long before = mapped();
	char *p = map(64 * MIB, PROT_NONE, ANON | MAP_NORESERVE);

	check(mapped() == before, "a reservation costs nothing");
	check(mmap(p + MIB, 16 * K, RW, ANON | MAP_FIXED, -1, 0) == p + MIB &&
		      mapped() - before == (long)(16 * K),
	      "made usable by a second map it counts, however little");
	check(mprotect(p + 2 * MIB, MIB, RW) == 0 &&
		      mapped() - before == (long)(MIB + 16 * K),
	      "and by mprotect");
	check(mmap(p, 64 * MIB, PROT_NONE, ANON | MAP_FIXED | MAP_NORESERVE, -1,
		   0) == p &&
		      mapped() == before,
	      "and is given back by a third");
	munmap(p, 64 * MIB);
}

static void left_alone(void)
{
	static const struct {
		size_t size;
		int flags;
		const char *name;
	} cases[] = {
		{ MIB, MAP_SHARED | MAP_ANONYMOUS, "shared" },
		{ MIB, ANON | MAP_STACK, "a stack" },
		{ MIB, ANON | MAP_GROWSDOWN, "growing down" },
#ifdef MAP_32BIT
		{ MIB, ANON | MAP_32BIT, "in 32 bits" },
#endif
		{ 252 * K, ANON, "smaller than mmap.min" },
	};
	long before = mapped();
	char *p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		p = map(cases[i].size, RW, cases[i].flags);
		check(p && mapped() == before, "%s: left alone", cases[i].name);
		munmap(p, cases[i].size);
	}
}

static void errors(void)
{
	errno = 0;
	check(mmap(NULL, 0, RW, ANON, -1, 0) == MAP_FAILED && errno == EINVAL,
	      "a map of nothing: EINVAL");
	check(mmap(NULL, hide(SIZE_MAX - 8191), RW, ANON, -1, 0) ==
			      MAP_FAILED &&
		      errno == ENOMEM,
	      "a map of everything: ENOMEM");
	check(munmap((void *)1, MIB) == -1 && errno == EINVAL,
	      "munmap of no page: EINVAL");
	check(mremap((void *)(64 * K), MIB, 2 * MIB, 0) == MAP_FAILED &&
		      errno == EFAULT,
	      "mremap of nothing: EFAULT");
	errno = 77;
	munmap(map(MIB, RW, ANON | MAP_POPULATE), MIB);
	check(errno == 77, "errno is kept by what succeeds");
}

static unsigned char core[256];

static int resident_pages(char *p, size_t size)
{
	int nr = 0;

	mincore(p, size, core);
	for (size_t i = 0; i < size / (4 * K); i++)
		nr += core[i] & 1;
	return nr;
}

static void laziness(void)
{
	char *p = map(MIB, RW, ANON), *q = map(MIB, RW, ANON | MAP_POPULATE);

	check(resident_pages(p, MIB) == 0, "nothing is filled early");
	check(resident_pages(q, MIB) == 256, "MAP_POPULATE fills");
	munmap(p, MIB);
	munmap(q, MIB);
}

/* Alarms at any moment of maps, each makes maps of its own. */
static volatile sig_atomic_t nr_alarms, bad_alarms;

static void on_alarm(int sig)
{
	int saved = errno;
	char *p = mmap(NULL, MIB, RW, ANON, -1, 0);

	(void)sig;
	if (p != MAP_FAILED)
		p[5] = 1;
	if (p == MAP_FAILED || munmap(p, MIB))
		bad_alarms++;
	nr_alarms++;
	errno = saved;
}

static void handlers(void)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { 0 };
	long before = mapped();
	int bad = 0;

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 20000 || nr_alarms < 100; i++) {
		char *p = map(2 * MIB, RW, ANON);

		bad += !p || mprotect(p, MIB, PROT_NONE) ||
		       munmap(p + MIB / 2, MIB) || munmap(p, MIB / 2) ||
		       munmap(p + 3 * MIB / 2, MIB / 2);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	check(!bad && !bad_alarms, "maps in a handler that interrupts maps");
	check(mapped() == before, "nothing is lost by that (%d signals)",
	      (int)nr_alarms);
}

static void *mapper(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	long bad = 0;

	for (int i = 0; i < 4000; i++) {
		size_t size = (64 + next_random(&seed) % 64) * 16 * K;
		char *p = map(size, RW, ANON);

		if (!p) {
			bad++;
			continue;
		}
		p[size / 2] = 1;
		if (i % 3 == 0)
			p = mremap(p, size, size / 2, 0), size /= 2;
		if (i % 5 == 0)
			p = mremap(p, size, size * 3, MREMAP_MAYMOVE),
			size *= 3;
		bad += munmap(p, size) != 0;
	}
	return (void *)bad;
}

static void threads(void)
{
	pthread_t thread[8];
	long before = mapped(), bad = 0;
	void *result;

	for (uintptr_t i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, mapper, (void *)(i + 1));
	for (int i = 0; i < 8; i++) {
		pthread_join(thread[i], &result);
		bad += (long)result;
	}
	check(!bad && mapped() == before, "eight threads map and unmap");
}

static void children(void)
{
	char *p = map(MIB, RW, ANON), *volatile q = NULL;
	long before = mapped();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int good = mapped() == before && munmap(p, MIB) == 0 &&
			   mapped() == before - (long)MIB &&
			   map(4 * MIB, RW, ANON) &&
			   mapped() == before + 3 * (long)MIB;
		_exit(!good);
	}
	waitpid(pid, &status, 0);
	check(status == 0, "fork's child has the same, and its own after that");
	check(mapped() == before, "its parent keeps what it had");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	pid = vfork();
#pragma GCC diagnostic pop
	if (pid == 0) {
		q = map(MIB, RW, ANON);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	check(q && mapped() == before + (long)MIB,
	      "what vfork's child maps is the parent's");
	munmap(p, MIB);
	munmap(q, MIB);
}

int main(int argc, char **argv)
{
	tier = argc > 1 ? atoi(argv[1]) : 0;
	if (!tiers_found())
		return check_done();
	counts();
	reservation();
	left_alone();
	errors();
	laziness();
	handlers();
	threads();
	children();
	return check_done();
}
