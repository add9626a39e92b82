/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * puppet - a program that holds memory and does what its stdin says
 *
 * One answer, one line, for each command. N numbers a block, 0 to 63.
 *   alloc N BYTES    malloc, all of it written: tier of it, or "NULL ENOMEM"
 *   where N          pages by node, as the kernel answers: "1:4096 absent:3"
 *   window TIER      the same for all of the window of a tier (0 or 1)
 *   verify N         is what was written still there: "good" or "bad"
 *   free N
 *   trim             malloc_trim
 *   pageout N        asks the kernel to swap the block out
 *   fill TIER BYTES  blocks of 1 MiB, kept, until one is not of this tier, NULL
 *                    or all are taken: "MIB reason"
 *   drop             frees what fill has taken, when it is still unharmed
 *   wait NODE MS     allocates in a loop; from the moment that NODE has memory
 *                    (60 s at most), milliseconds until a block lies on it, or
 *                    "never" when that takes more than MS
 *   leave NODE MS    allocates in a loop; milliseconds until none of 20 blocks
 *                    lies on NODE; "NULL" when some of them are
 *   stat TIER        "used limit"
 *   sparse 0 BYTES   blocks of 4 pages, of which each 16th is kept: tier of them
 *   kept             are these still what was written: "good" or "bad"
 *   zeros N BYTES    calloc: "good" when every byte is zero, then written full
 *   lock FLAGS       mlockall
 *   report           malloc_stats, to stderr
 */
#include <malloc.h>
#include <sys/mman.h>
#include <time.h>

#include "pages.h"

#define MAX_NAMED	64
#define MAX_FILL	4096
#define MAX_SPARSE	16384

static struct {
	char *at;
	size_t size;
} named[MAX_NAMED];
static char *filling[MAX_FILL];
static int nr_filling;
static char *sparse[MAX_SPARSE];

__attribute__((format(printf, 1, 2))) static void answer(const char *fmt, ...)
{
	char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text) - 1, fmt, args);
	va_end(args);
	strcat(text, "\n");
	check_write(text);
}

static void answer_pages(const struct pages *pages)
{
	char text[200];

	format_pages(pages, text, sizeof(text));
	answer("%s", text);
}

static const char *error_name(void)
{
	return errno == ENOMEM ? "ENOMEM" : "another errno";
}

static void alloc(int n, size_t size)
{
	char *at = malloc(size);

	if (!at) {
		answer("NULL %s", error_name());
		return;
	}
	fill(at, size, (unsigned)n);
	named[n].at = at;
	named[n].size = size;
	answer("%d", tier_of(at));
}

static void where(int n)
{
	struct pages pages = { 0 };

	count_pages(named[n].at, named[n].size, &pages);
	answer_pages(&pages);
}

static void window(int tier)
{
	struct pages pages = { 0 };

	count_window(tier, &pages);
	answer_pages(&pages);
}

static void page_out(int n)
{
	uintptr_t from = ((uintptr_t)named[n].at + PAGE - 1) & ~(PAGE - 1);
	uintptr_t to = ((uintptr_t)named[n].at + named[n].size) & ~(PAGE - 1);

	answer("%s", madvise((void *)from, to - from, 21 /* MADV_PAGEOUT */) ?
			     strerror(errno) :
			     "done");
}

static void take_all(int tier, size_t size)
{
	const char *reason = "all";
	size_t taken = 0;

	errno = 0;
	while (taken < size && nr_filling < MAX_FILL) {
		char *at = malloc(MIB);

		if (!at) {
			reason = error_name();
			break;
		}
		for (size_t i = 0; i < MIB; i += PAGE)
			memcpy(at + i, &at, sizeof(at));
		filling[nr_filling++] = at;
		if (tier_of(at) != tier) {
			reason = "tier";
			break;
		}
		taken += MIB;
	}
	answer("%zu %s", taken / MIB, reason);
}

static void drop(void)
{
	size_t bad = 0;

	while (nr_filling) {
		char *at = filling[--nr_filling];

		for (size_t i = 0; i < MIB; i += PAGE)
			bad += memcmp(at + i, &at, sizeof(at)) != 0;
		free(at);
	}
	answer("%s", bad ? "bad" : "good");
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int has_memory(int node)
{
	char list[100];
	int fd = open("/sys/devices/system/node/has_memory", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, list, sizeof(list) - 1);

	close(fd);
	list[n > 0 ? n : 0] = '\0';
	return node_mask(list) >> node & 1;
}

/*
 * Blocks are freed as they come, and given back to the kernel: pages that the
 * allocator keeps for reuse were touched before, and stay where they are.
 */
static void wait_for(int node, long limit)
{
	char *kept[8] = { NULL };
	long start = now(), online = 0, found = 0;
	unsigned i;

	for (i = 0; !found; i++) {
		struct pages pages = { 0 };
		char **slot = &kept[i % 8];

		free(*slot);
		malloc_trim(0);
		*slot = malloc(MIB / 4 + i % 7 * 50000);
		if (!*slot)
			break;
		memset(*slot, 1, MIB / 4);
		if (!online && has_memory(node))
			online = now();
		count_pages(*slot, MIB / 4, &pages);
		if (pages.on[node])
			found = now();
		else if (now() - (online ? online : start) >
			 (online ? limit : 60000))
			break;
	}
	for (i = 0; i < 8; i++)
		free(kept[i]);
	if (found)
		answer("%ld", online ? found - online : 0);
	else
		answer(online ? "never" : "not online");
}

/* The 20 are freed again, to the kernel too: what comes next is another block.
 */
static void wait_until_left(int node, long limit)
{
	long start = now(), took;
	char *block[20];
	size_t there, refused;

	do {
		struct pages pages = { 0 };

		refused = 0;
		for (int i = 0; i < 20; i++) {
			block[i] = malloc(MIB / 4);
			refused += !block[i];
			if (block[i]) {
				memset(block[i], 1, MIB / 4);
				count_pages(block[i], MIB / 4, &pages);
			}
		}
		for (int i = 0; i < 20; i++)
			free(block[i]);
		malloc_trim(0);
		there = pages.on[node];
		took = now() - start;
	} while (there && took <= limit);
	if (there)
		answer("never");
	else if (refused)
		answer("NULL");
	else
		answer("%ld", took);
}

static void stat(int tier)
{
	struct cxlm_tier_stat st = stat_of(tier);

	answer("%llu %lld", (unsigned long long)st.used, (long long)st.limit);
}

static void take_sparse(size_t size)
{
	/* large ones: small ones share slabs of many pages */
	size_t nr = size / (4 * PAGE);

	if (nr > MAX_SPARSE)
		nr = MAX_SPARSE;
	for (size_t i = 0; i < nr; i++) {
		sparse[i] = malloc(4 * PAGE);
		if (sparse[i])
			memset(sparse[i], (int)(i / 16 + 1), 4 * PAGE);
	}
	for (size_t i = 0; i < nr; i++) {
		if (i % 16 == 0)
			continue;
		free(sparse[i]);
		sparse[i] = NULL;
	}
	answer("%d", nr && sparse[0] ? tier_of(sparse[0]) : -1);
}

static void verify_sparse(void)
{
	size_t bad = 0, n = 0;

	for (size_t i = 0; i < MAX_SPARSE; i++)
		for (size_t k = 0; sparse[i] && k < 4 * PAGE; k++, n++)
			bad += sparse[i][k] != (char)(i / 16 + 1);
	answer("%s", bad || !n ? "bad" : "good");
}

static void take_zeros(int n, size_t size)
{
	char *at = calloc(size / 16, 16);
	size_t bad = 0;

	for (size_t i = 0; at && i < size; i++)
		bad += at[i] != 0;
	if (at)
		memset(at, 0xa5, size);
	named[n].at = at;
	named[n].size = size;
	answer("%s", !at ? "NULL" : bad ? "bad" : "good");
}

static void obey(const char *word, size_t n, size_t size)
{
	if (n >= MAX_NAMED)
		answer("no such block");
	else if (!strcmp(word, "alloc"))
		alloc((int)n, size);
	else if (!strcmp(word, "where"))
		where((int)n);
	else if (!strcmp(word, "window"))
		window((int)n);
	else if (!strcmp(word, "verify"))
		answer("%s", filled(named[n].at, named[n].size, (unsigned)n) ?
				     "good" :
				     "bad");
	else if (!strcmp(word, "free"))
		free(named[n].at), answer("freed");
	else if (!strcmp(word, "trim"))
		malloc_trim(0), answer("trimmed");
	else if (!strcmp(word, "pageout"))
		page_out((int)n);
	else if (!strcmp(word, "fill"))
		take_all((int)n, size);
	else if (!strcmp(word, "drop"))
		drop();
	else if (!strcmp(word, "wait"))
		wait_for((int)n, (long)size);
	else if (!strcmp(word, "leave"))
		wait_until_left((int)n, (long)size);
	else if (!strcmp(word, "stat"))
		stat((int)n);
	else if (!strcmp(word, "sparse"))
		take_sparse(size);
	else if (!strcmp(word, "kept"))
		verify_sparse();
	else if (!strcmp(word, "zeros"))
		take_zeros((int)n, size);
	else if (!strcmp(word, "lock"))
		answer("%s", mlockall((int)n) ? strerror(errno) : "locked");
	else if (!strcmp(word, "report"))
		malloc_stats(), answer("done");
	else
		answer("no such command: %s", word);
}

int main(void)
{
	char line[100], word[20];

	*(void **)&tier_of = dlsym(RTLD_DEFAULT, "cxlm_tier_of");
	*(void **)&tier_stat = dlsym(RTLD_DEFAULT, "cxlm_tier_stat");
	if (!tier_of || !tier_stat) {
		answer("no library");
		return 1;
	}
	answer("ready");
	while (fgets(line, sizeof(line), stdin)) {
		size_t n = 0, size = 0;

		if (sscanf(line, "%19s %zu %zu", word, &n, &size) >= 1)
			obey(word, n, size);
	}
	return 0;
}
