/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_info - the functions that tell of the heap or tune it, cfree, and the
 * sized frees of C23
 *
 * Looked up by name where glibc 2.36 declares none: a program linked against
 * an old or a later glibc calls them.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>

#include "check.h"

#define BLOCKS	512
#define BLOCK	((size_t)128 << 10)

static void *block[BLOCKS];

static void take(void)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		block[i] = malloc(BLOCK);
		memset(block[i], 1, BLOCK);
	}
}

static void give(void)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		free(block[i]);
}

static void mallinfo2_counts_blocks(void)
{
	const size_t total = BLOCKS * BLOCK, slack = total / 4;
	struct mallinfo2 before = mallinfo2(), full, after;
	size_t grown;

	take();
	full = mallinfo2();
	grown = full.uordblks + full.hblkhd - before.uordblks - before.hblkhd;
	check(grown >= total && grown <= total + slack,
	      "mallinfo2 counts 64 MiB more in use (%zu)", grown);
	check(full.arena + full.hblkhd >= full.uordblks,
	      "mallinfo2: what is in use is not more than what is held");
	/*
	 * glibc: arena == uordblks + fordblks. A concurrent decay may move it
	 * by an extent; this process has one thread.
	 */
	check(full.arena >= full.uordblks + full.fordblks -
				      (full.uordblks + full.fordblks) / 16 &&
		      full.arena <= full.uordblks + full.fordblks +
					    full.arena / 16 + (1 << 20),
	      "mallinfo2: in use and free add up to what is held");
	give();
	after = mallinfo2();
	check(after.uordblks + after.hblkhd <=
		      full.uordblks + full.hblkhd - total + slack,
	      "mallinfo2 counts them no more after free");
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void mallinfo_agrees(void)
{
	struct mallinfo2 two;
	struct mallinfo one;

	take();
	one = mallinfo();
	two = mallinfo2();
	check(two.uordblks && (size_t)one.uordblks == two.uordblks,
	      "mallinfo says in int what mallinfo2 says");
	give();
}
#pragma GCC diagnostic pop

static void trim_gives_memory_back(void)
{
	size_t before, full, after;
	int said;

	malloc_trim(0);
	before = resident();
	take();
	full = resident();
	give();
	said = malloc_trim(0);
	after = resident();
	check(full >= before + BLOCKS * BLOCK / 2 &&
		      after < before + BLOCKS * BLOCK / 8,
	      "malloc_trim gives 64 MiB back (%zu KiB left)",
	      (after - before) >> 10);
	check(said == 0 || said == 1, "malloc_trim says 0 or 1");
	malloc_trim(0);
	check(malloc_trim(0) == 0, "malloc_trim says 0 with nothing to give");
}

static void mallopt_accepts_what_programs_set(void)
{
	static const int params[][2] = {
		{ M_MMAP_THRESHOLD, 128 << 10 },
		{ M_TRIM_THRESHOLD, 1 << 20 },
		{ M_TOP_PAD, 64 << 10 },
		{ M_MMAP_MAX, 100 },
		{ M_ARENA_MAX, 2 },
		{ M_ARENA_TEST, 2 },
		{ M_MXFAST, 64 },
		{ M_PERTURB, 0 },
		{ M_CHECK_ACTION, 3 },
	};
	int good = 1;
	void *p;

	for (unsigned i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (mallopt(params[i][0], params[i][1]) != 1) {
			note("mallopt(%d) failed", params[i][0]);
			good = 0;
		}
	}
	check(good, "mallopt returns 1 for glibc's parameters");
	p = malloc(1 << 20);
	check(p != NULL, "the heap works after mallopt");
	free(p);
}

static void malloc_info_writes_xml(void)
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);
	int said = malloc_info(0, f);

	fclose(f);
	check(said == 0, "malloc_info returns 0");
	check(text && !strncmp(text, "<malloc", 7) &&
		      strstr(text, "</malloc>\n") == text + length - 10,
	      "malloc_info writes one <malloc> element");
	free(text);
	f = open_memstream(&text, &length);
	check(malloc_info(1, f) != 0, "malloc_info refuses unknown options");
	fclose(f);
	check(length == 0, "malloc_info writes nothing then");
	free(text);
}

static void malloc_stats_writes_to_stderr(void)
{
	char path[] = "/tmp/cxlm-stats.XXXXXX", text[4096];
	int file = mkstemp(path), saved = dup(STDERR_FILENO);
	ssize_t n;

	unlink(path);
	fflush(stderr);
	dup2(file, STDERR_FILENO);
	malloc_stats();
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	n = pread(file, text, sizeof(text) - 1, 0);
	check(n > 10 && memchr(text, '\n', (size_t)n),
	      "malloc_stats writes to stderr");
	close(file);
	close(saved);
}

static void cfree_frees(void)
{
	void (*cfree_)(void *);
	size_t before;

	*(void **)&cfree_ = dlsym(RTLD_DEFAULT, "cfree");
	check(cfree_ != NULL, "cfree is there for old programs");
	if (!cfree_)
		return;
	before = resident();
	for (unsigned i = 0; i < 20000; i++) {
		char *p = malloc(16000);

		memset(p, 1, 16000);
		errno = 77;
		cfree_(p);
	}
	cfree_(NULL);
	check(errno == 77 && resident() < before + (32 << 20),
	      "cfree frees and keeps errno");
}

static void sized_frees_free(void)
{
	void (*sized)(void *, size_t);
	void (*aligned_sized)(void *, size_t, size_t);
	size_t before;

	*(void **)&sized = dlsym(RTLD_DEFAULT, "free_sized");
	*(void **)&aligned_sized = dlsym(RTLD_DEFAULT, "free_aligned_sized");
	check(sized && aligned_sized, "C23's sized frees are there");
	if (!sized || !aligned_sized)
		return;
	before = resident();
	errno = 77;
	for (size_t i = 0; i < 40000; i++) {
		size_t n = 1 + i * 7919 % 20000, align = 64u << i % 8;
		char *p = malloc(n), *q = aligned_alloc(align, align * 3);

		memset(p, 1, n);
		memset(q, 1, align * 3);
		sized(p, n);
		aligned_sized(q, align, align * 3);
	}
	sized(calloc(10, 30), 300);
	sized(realloc(malloc(10), 5000), 5000);
	sized(malloc(0), 0);
	sized(malloc(3 << 20), 3 << 20);
	sized(NULL, 0);
	aligned_sized(NULL, 64, 0);
	check(errno == 77, "sized frees keep errno");
	check(resident() < before + (32 << 20), "sized frees free");
}

int main(void)
{
	mallinfo2_counts_blocks();
	mallinfo_agrees();
	trim_gives_memory_back();
	mallopt_accepts_what_programs_set();
	malloc_info_writes_xml();
	malloc_stats_writes_to_stderr();
	cfree_frees();
	sized_frees_free();
	return check_done();
}
