/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed_blocks - policy=interleave: large blocks lie on both tiers
 *
 *	mixed_blocks share DDR CXL	bytes, by address and by account
 *	mixed_blocks resize		contents, growing and shrinking
 *	mixed_blocks limit		until nothing is left, both limits hold
 *	mixed_blocks stress COUNT	threads, every block checked
 *	mixed_blocks fork		children of a threaded process
 *	mixed_blocks maps GIB MOST	mappings, for so much untouched memory
 *	mixed_blocks live CXLCTL	weights change while it runs
 */
#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>

#include "tiers.h"

#define PAGE	((size_t)4096)
#define GIB	((size_t)1 << 30)

static uint64_t used_of_both(uint64_t used[2])
{
	used[DDR] = stat_of(DDR).used;
	used[CXL] = stat_of(CXL).used;
	return used[DDR] + used[CXL];
}

static size_t on_ddr(const char *p, size_t size)
{
	size_t sum = 0;

	for (size_t at = 0; at < size; at += PAGE)
		sum += tier_of(p + at) == DDR ? PAGE : 0;
	return sum;
}

static int near(double got, double want, double within)
{
	return got > want - within && got < want + within;
}

static void *kept(void *p)
{
	if (!p) {
		check_write("Bail out! an allocation failed\n");
		_exit(1);
	}
	return p;
}

/* Large blocks among them are nobody's turn. */
static void small_among_large(double want)
{
	static char *small[30000];
	size_t nr = sizeof(small) / sizeof(small[0]), on[2] = { 0, 0 };

	for (size_t i = 0; i < nr; i++) {
		if (i % 100 == 0)
			free(kept(malloc(3 * MIB)));
		small[i] = kept(malloc(3000));
		on[tier_of(small[i]) == CXL]++;
	}
	for (size_t i = 0; i < nr; i++)
		free(small[i]);
	check(near((double)on[DDR] / (double)nr, want, 0.01),
	      "small blocks among them: %.2f %% on ddr, %.2f wanted",
	      (double)on[DDR] / (double)nr * 100, want * 100);
}

static void share(double ddr, double cxl)
{
	static const size_t sizes[] = { 2, 5, 40, 64, 400 };
	double want = ddr / (ddr + cxl);
	uint64_t before[2], after[2];
	char *block[128];
	double all;

	free(kept(malloc(2 * MIB)));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i] * MIB;
		char *p = kept(malloc(size));
		double got = (double)on_ddr(p, size);

		check(near(got, (double)size * want,
			   (double)size / 100 + 2.01 * MIB),
		      "%zu MiB: %.1f on ddr, %.1f wanted", sizes[i], got / MIB,
		      (double)size * want / MIB);
		free(p);
	}
	(void)used_of_both(before);
	for (int i = 0; i < 128; i++)
		block[i] = kept(i % 2 ? calloc(1, 31 * MIB + 77) :
					aligned_alloc(64, 31 * MIB));
	all = (double)used_of_both(after) - (double)(before[0] + before[1]);
	check(near((double)(after[DDR] - before[DDR]) / all, want, 0.01),
	      "%.0f MiB of blocks: ddr's used grew by %.2f %%, %.2f wanted",
	      all / MIB, (double)(after[DDR] - before[DDR]) / all * 100,
	      want * 100);
	small_among_large(want);
	for (int i = 0; i < 128; i++)
		free(block[i]);
	check(malloc_trim(0) == 1, "what is free goes back");
	(void)used_of_both(after);
	check(after[DDR] < 32 * MIB && after[CXL] < 32 * MIB,
	      "and counts no more: ddr %zu KiB, cxl %zu KiB",
	      (size_t)after[DDR] >> 10, (size_t)after[CXL] >> 10);
}

/*
 * Windows are 16 GiB at least, and used from their start: what is so near is in
 * the same.
 */
static int same_window(const char *a, const char *b)
{
	return (a > b ? a - b : b - a) < (ptrdiff_t)(8 * GIB);
}

static void resize(void)
{
	static const size_t sizes[] = {
		100,	 3 * MIB,	 5 * MIB,  50 * MIB,
		2 * MIB, 2 * MIB - 5000, 20 * MIB, 7,
		4 * MIB, 4 * MIB - 1,	 300000,   2 * MIB,
	};
	size_t n = sizeof(sizes) / sizeof(sizes[0]), have = 0;
	int good = 1, mixed = 1, plain = 1;
	char *p = NULL, *q;

	for (size_t round = 0; round < 3 * n; round++) {
		size_t size = sizes[round * 5 % n];
		size_t least = size < have ? size : have;

		p = kept(realloc(p, size));
		good &= filled(p, least, (unsigned)round);
		good &= malloc_usable_size(p) >= size;
		if (size >= 8 * MIB)
			mixed &= on_ddr(p, size) > 0 && on_ddr(p, size) < size;
		if (size < MIB)
			plain &= on_ddr(p, size) == 0 ||
				 tier_of(p + size - 1) == DDR;
		fill(p, size, (unsigned)round + 1);
		have = size;
	}
	check(good, "realloc keeps what is in a block, both ways");
	check(mixed, "what has grown large lies on both tiers");
	check(plain, "what has become small on one");
	free(p);
	/* A small block that stayed would be handed out by a thread's cache. */
	good = 1;
	for (int i = 0; i < 2000; i++) {
		char *large = kept(malloc(3 * MIB));

		p = kept(realloc(kept(malloc(3 * MIB)), 3000));
		q = kept(malloc(3000));
		good &= p != q && !same_window(p, large) &&
			!same_window(q, large);
		free(p);
		free(q);
		free(large);
	}
	check(good, "shrunk blocks go and come like others");
	p = kept(malloc(30 * MIB));
	memset(p, 1, 30 * MIB);
	free(p);
	p = kept(calloc(30, MIB));
	check(all_zero(p, 30 * MIB),
	      "calloc is zero where there was something");
	free(p);
	good = 1;
	for (size_t to = 64; to <= 64 * MIB; to *= 4) {
		p = kept(aligned_alloc(to, 4 * MIB));
		good &= aligned(p, to);
		p[4 * MIB - 1] = 1;
		free(p);
	}
	check(good, "aligned to up to 64 MiB");
}

static int within_limits(void)
{
	int good = 1;

	for (int t = 0; t < 2; t++)
		good &= stat_of(t).peak <= stat_of(t).limit;
	return good;
}

static size_t take_all(char **block, size_t most, size_t *nr)
{
	size_t sum = 0;

	for (*nr = 0; *nr < most; ++*nr) {
		size_t size = (2 + *nr % 7) * MIB;

		block[*nr] = malloc(size);
		if (!block[*nr])
			break;
		fill(block[*nr], 4096, (unsigned)*nr);
		sum += size;
	}
	return sum;
}

static void limit(void)
{
	static char *block[4096];
	size_t nr, first = 0, sum;
	int good = 1;

	for (int round = 0; round < 5; round++) {
		sum = take_all(block, 4096, &nr);
		if (!round)
			first = sum;
		note("round %d: %zu MiB in %zu blocks", round, sum / MIB, nr);
		check(nr < 4096 && sum > first * 9 / 10,
		      "round %d: full again at the same place", round);
		for (size_t i = 0; i < nr; i++) {
			good &= filled(block[i], 4096, (unsigned)i);
			free(block[i]);
		}
	}
	check(good, "every block has its bytes");
	check(within_limits(), "no tier had more than its limit");
	check(stat_of(DDR).peak > stat_of(DDR).limit * 8 / 10 &&
		      stat_of(CXL).peak > stat_of(CXL).limit * 8 / 10,
	      "and both were used up");
}

#define SLOTS	12
#define THREADS 4

static long nr_ops;
static int harmed;

struct slot {
	unsigned char *at;
	size_t size;
	unsigned seed;
};

/* Marks in each page that was ever small enough to reach, and at the end. */
static void mark(struct slot *s, unsigned seed)
{
	s->seed = seed;
	for (size_t at = 0; at < s->size; at += 509 * 1024)
		memcpy(s->at + at, &seed, 4 < s->size - at ? 4 : s->size - at);
	if (s->size >= 4)
		memcpy(s->at + s->size - 4, &seed, 4);
}

static int is_marked(const struct slot *s, size_t size)
{
	for (size_t at = 0; at + 4 <= size && at + 4 <= s->size - 4;
	     at += 509 * 1024)
		if (memcmp(s->at + at, &s->seed, 4))
			return 0;
	return size < s->size || size < 4 ||
	       !memcmp(s->at + size - 4, &s->seed, 4);
}

static size_t any_size(uint32_t *random)
{
	static const size_t most[] = { 3000, MIB, 3 * MIB, 5 * MIB };

	return 8 + next_random(random) % most[next_random(random) % 4];
}

static void *work(void *arg)
{
	uint32_t random = 77 + (uint32_t)(uintptr_t)arg;
	struct slot slot[SLOTS] = { { NULL, 0, 0 } };

	for (long i = 0; i < nr_ops; i++) {
		struct slot *s = &slot[next_random(&random) % SLOTS];
		size_t size = any_size(&random);
		unsigned char *p;

		if (s->at && !is_marked(s, s->size))
			__atomic_store_n(&harmed, 1, __ATOMIC_RELAXED);
		if (s->at && next_random(&random) % 3) {
			free(s->at);
			s->at = NULL;
			continue;
		}
		p = realloc(s->at, size);
		if (!p)
			continue;
		if (s->at) {
			struct slot moved = { p, s->size, s->seed };

			if (!is_marked(&moved,
				       size < s->size ? 0 : s->size - 4))
				__atomic_store_n(&harmed, 1, __ATOMIC_RELAXED);
		}
		s->at = p;
		s->size = size;
		mark(s, next_random(&random));
	}
	for (int i = 0; i < SLOTS; i++) {
		if (slot[i].at && !is_marked(&slot[i], slot[i].size))
			__atomic_store_n(&harmed, 1, __ATOMIC_RELAXED);
		free(slot[i].at);
	}
	return NULL;
}

static void stress(long count)
{
	pthread_t thread[THREADS];
	uint64_t used[2];

	nr_ops = count / THREADS;
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)i))
			return check(0, "threads start");
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	check(!harmed, "%ld operations: every block keeps its bytes", count);
	check(within_limits(), "and both limits hold");
	(void)malloc_trim(0);
	(void)used_of_both(used);
	check(used[DDR] < 16 * MIB && used[CXL] < 16 * MIB,
	      "afterwards nothing is left: ddr %zu KiB, cxl %zu KiB",
	      (size_t)used[DDR] >> 10, (size_t)used[CXL] >> 10);
}

static int stop;

static void *churn(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		char *p = kept(malloc(3 * MIB));

		p[0] = 1;
		free(kept(realloc(p, 9 * MIB)));
	}
	return arg;
}

static int child(char *p)
{
	char *q = malloc(20 * MIB);

	if (!q || !filled(p, 10 * MIB, 3) || tier_of(q) < 0)
		return 1;
	fill(q, 20 * MIB, 5);
	p = realloc(p, 25 * MIB);
	if (!p || !filled(p, 10 * MIB, 3) || !filled(q, 20 * MIB, 5))
		return 1;
	free(p);
	free(q);
	return 0;
}

static void forks(void)
{
	pthread_t thread[2];
	char *p = kept(malloc(10 * MIB));
	int good = 1, status;

	fill(p, 10 * MIB, 3);
	for (int i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, churn, NULL))
			return check(0, "threads start");
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(child(p));
		good &= pid > 0 && waitpid(pid, &status, 0) == pid &&
			status == 0;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	check(good, "children resize and free what their parent made");
	check(filled(p, 10 * MIB, 3), "and the parent has it as it was");
}

static size_t mappings(void)
{
	static char buf[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t lines = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	close(fd);
	return lines;
}

static void maps(size_t gib, size_t most)
{
	size_t before = mappings(), now, nr = 0;

	for (; nr < gib * 2; nr++)
		if (!malloc(GIB / 2))
			break;
	now = mappings();
	/* Nodes without room for all of it refuse the rest. */
	check(nr >= 2 && now > before + 2 * nr && now <= before + most,
	      "%zu MiB of untouched blocks make %zu mappings, at most %zu",
	      nr * 512, now - before, most);
}

/* Blocks come and go until one is shared out by the new weights. */
static int follows(double want)
{
	for (int i = 0; i < 5000; i++) {
		char *p = kept(malloc(64 * MIB));
		double got = (double)on_ddr(p, 64 * MIB) / (64 * MIB);

		free(p);
		if (near(got, want, 0.05))
			return 1;
		usleep(1000);
	}
	return 0;
}

static void live(const char *cxlctl)
{
	static const struct {
		const char *text;
		double ddr;
	} weights[] = { { "3:1", 0.75 }, { "1:1", 0.5 }, { "1:4", 0.2 } };
	char command[512], *before = kept(malloc(50 * MIB));
	size_t first = 0, now = 0;
	int good = 1;

	fill(before, 50 * MIB, 9);
	for (int i = 0; i < 60; i++) {
		snprintf(command, sizeof(command),
			 "exec env -u LD_PRELOAD '%s' policy set -w 1 %d "
			 "interleave=%s >/dev/null",
			 cxlctl, (int)getpid(), weights[i % 3].text);
		(void)!system(command);
		good &= follows(weights[i % 3].ddr);
		now = mappings();
		if (i == 2)
			first = now;
	}
	check(good, "60 changes of weights, and blocks follow");
	check(now <= first + 16, "no mappings more for it: %zu, then %zu",
	      first, now);
	check(filled(before, 50 * MIB, 9), "an older block is as it was");
	before = kept(realloc(before, 90 * MIB));
	check(filled(before, 50 * MIB, 9), "and grows by its own weights");
	free(before);
}

int main(int argc, char **argv)
{
	if (argc < 2 || !tiers_found())
		return 2;
	if (argc == 4 && !strcmp(argv[1], "share"))
		share(atof(argv[2]), atof(argv[3]));
	else if (!strcmp(argv[1], "resize"))
		resize();
	else if (!strcmp(argv[1], "limit"))
		limit();
	else if (argc == 3 && !strcmp(argv[1], "stress"))
		stress(atol(argv[2]));
	else if (!strcmp(argv[1], "fork"))
		forks();
	else if (argc == 3 && !strcmp(argv[1], "live"))
		live(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "maps"))
		maps((size_t)atol(argv[2]), (size_t)atol(argv[3]));
	else
		return 2;
	return check_done();
}
