/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * where TIERS DDR-NODES CXL-NODES - blocks of every shape, and where they lie
 *
 * TIERS: ddr, cxl: all blocks are of this tier. both: some of each. Whatever
 * the tier, each page of each block must be on its nodes, and what a tier has
 * committed must be within its limit at any time.
 */
#include <malloc.h>
#include <pthread.h>

#include "pages.h"

#define MAX_BLOCKS	8192
#define MAX_THREADS	4
#define KIB		((size_t)1 << 10)

struct block {
	void *at;
	size_t size;
};

static struct block blocks[MAX_BLOCKS];
static size_t nr_blocks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *wanted;
static unsigned nodes[TIERS];
static size_t blocks_of[TIERS];
static uint64_t most_over;	/* the limit was passed by so many bytes */

static void watch_limits(void)
{
	for (int tier = 0; tier < TIERS; tier++) {
		struct cxlm_tier_stat st = stat_of(tier);

		if (st.used > st.limit && st.used - st.limit > most_over)
			most_over = st.used - st.limit;
		if (st.over_peak > most_over)
			most_over = st.over_peak;
	}
}

/* Every page is written, so that it is somewhere. */
static void keep(void *at, size_t size)
{
	if (!at) {
		check_write("Bail out! an allocation failed\n");
		_exit(1);
	}
	fill(at, size < PAGE ? size : 1, 1);
	for (size_t i = 0; i < size; i += PAGE)
		((char *)at)[i] = 1;
	((char *)at)[size - 1] = 1;
	pthread_mutex_lock(&lock);
	blocks[nr_blocks++ % MAX_BLOCKS] = (struct block){ at, size };
	watch_limits();
	pthread_mutex_unlock(&lock);
}

static void judge(const char *shape)
{
	struct pages seen[TIERS];
	size_t stray = 0, wrong_tier = 0;
	char text[TIERS][100];

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < nr_blocks; i++) {
		int tier = tier_of(blocks[i].at);

		if (tier < 0 || (!strcmp(wanted, "ddr") && tier != DDR) ||
		    (!strcmp(wanted, "cxl") && tier != CXL)) {
			wrong_tier++;
			continue;
		}
		blocks_of[tier]++;
		count_pages(blocks[i].at, blocks[i].size, &seen[tier]);
	}
	for (int tier = 0; tier < TIERS; tier++) {
		stray += elsewhere(&seen[tier], nodes[tier]);
		format_pages(&seen[tier], text[tier], sizeof(text[tier]));
	}
	check(nr_blocks && !stray && !wrong_tier,
	      "%s: every page is on a node of its tier", shape);
	if (stray || wrong_tier)
		note("%zu blocks, %zu of a wrong tier; pages of ddr on %s; of "
		     "cxl on %s",
		     nr_blocks, wrong_tier, text[DDR], text[CXL]);
}

static void drop(void)
{
	while (nr_blocks)
		free(blocks[--nr_blocks].at);
}

static void small(void)
{
	uint32_t random = 7;

	for (int i = 0; i < 3000; i++) {
		size_t size = 16 + next_random(&random) % 2000;

		keep(malloc(size), size);
	}
}

static void large(void)
{
	for (size_t size = 16 * KIB; size <= 1024 * KIB; size *= 2)
		for (int i = 0; i < 2; i++)
			keep(malloc(size + 1), size + 1);
}

static void huge(void)
{
	keep(malloc(2 * MIB), 2 * MIB);
	keep(malloc(5 * MIB), 5 * MIB);
}

static void aligned_blocks(void)
{
	void *at;

	for (size_t to = 64; to <= 2 * MIB; to *= 8) {
		if (posix_memalign(&at, to, 100 * KIB))
			at = NULL;
		keep(at, 100 * KIB);
		keep(aligned_alloc(to, 2 * to), 2 * to);
		keep(memalign(to, 3000), 3000);
	}
}

static void zeroed(void)
{
	for (size_t n = 1; n < 60000; n = n * 5 + 1)
		keep(calloc(n, 40), n * 40);
}

static void resized(void)
{
	for (int i = 0; i < 3; i++) {
		char *at = malloc(100);

		for (size_t size = 1000; at && size < 2 * MIB; size *= 3) {
			at = realloc(at, size);
			if (at)
				at[size - 1] = 1;
		}
		at = realloc(at, (size_t)(i + 1) * 300 * KIB);
		keep(at, (size_t)(i + 1) * 300 * KIB);
	}
}

static pthread_barrier_t filled_up, judged;

static void *thread(void *arg)
{
	uint32_t random = 11 + (uint32_t)(uintptr_t)arg;

	for (int i = 0; i < 200; i++) {
		size_t size = 8 + next_random(&random) % (6 * KIB);

		keep(malloc(size), size);
	}
	keep(malloc(300 * KIB), 300 * KIB);
	pthread_barrier_wait(&filled_up);
	pthread_barrier_wait(&judged);
	return NULL;
}

static void threads(void)
{
	pthread_t id[MAX_THREADS];

	pthread_barrier_init(&filled_up, NULL, MAX_THREADS + 1);
	pthread_barrier_init(&judged, NULL, MAX_THREADS + 1);
	for (size_t i = 0; i < MAX_THREADS; i++)
		if (pthread_create(&id[i], NULL, thread, (void *)i))
			abort();
	pthread_barrier_wait(&filled_up);
	judge("blocks of four threads");
	pthread_barrier_wait(&judged);
	for (size_t i = 0; i < MAX_THREADS; i++)
		pthread_join(id[i], NULL);
	drop();
}

static void windows(void)
{
	for (int tier = 0; tier < TIERS; tier++) {
		struct pages seen = { 0 };
		char text[100];

		count_window(tier, &seen);
		format_pages(&seen, text, sizeof(text));
		check(!elsewhere(&seen, nodes[tier]) &&
			      (all_pages(&seen) || !blocks_of[tier]),
		      "numa_maps: all of the window of %s is on its nodes",
		      tier == DDR ? "ddr" : "cxl");
		check(all_pages(&seen) * PAGE <= stat_of(tier).limit,
		      "numa_maps: %s has no more pages than its limit",
		      tier == DDR ? "ddr" : "cxl");
		note("window of %s: pages by node: %s",
		     tier == DDR ? "ddr" : "cxl", text);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*make)(void);
	} shapes[] = {
		{ "small blocks", small },
		{ "blocks of 16 KiB to 1 MiB", large },
		{ "blocks of 2 MiB and more", huge },
		{ "aligned blocks", aligned_blocks },
		{ "calloc", zeroed },
		{ "realloc", resized },
	};

	if (argc != 4)
		return 2;
	wanted = argv[1];
	nodes[DDR] = node_mask(argv[2]);
	nodes[CXL] = node_mask(argv[3]);
	if (!tiers_found())
		return check_done();
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		shapes[i].make();
		judge(shapes[i].name);
		if (i + 1 < sizeof(shapes) / sizeof(shapes[0]))
			drop();
	}
	windows();
	drop();
	threads();
	check(most_over == 0, "no tier commits more than its limit");
	if (!strcmp(wanted, "both"))
		check(blocks_of[DDR] && blocks_of[CXL],
		      "some blocks are on ddr, some on cxl");
	return check_done();
}
