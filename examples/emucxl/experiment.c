/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EmuCXL's two experiments (arXiv 2404.08311), beside the figures its repository
 * has (results/kv_results.txt, results/queue_stats.txt). Exit status 1: a share
 * of local hits is not what it should be; times are not judged.
 */
#include <emucxl.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kv.h"
#include "queue.h"

#define KEYS		1000
#define LOCAL_KEYS	300
#define GETS		50000
#define HOT_GETS	45000
#define SEED		1

static const struct row {
	int hot;		/* % of the keys that get 90 % of the gets */
	unsigned promote, stay;	/* published: gets that were local */
	double lru_least;	/* % that a true LRU has to reach */
} rows[] = {
	{ 0, 14896, 15009, 30 },  { 10, 40687, 1645, 93 },
	{ 20, 25475, 1887, 93 },  { 30, 14293, 2143, 93 },
	{ 40, 9016, 2471, 70 },	  { 50, 7436, 2972, 58 },
	{ 60, 6339, 3785, 51 },	  { 70, 6342, 5000, 47 },
	{ 80, 11113, 10588, 42 }, { 90, 15216, 14978, 39 },
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void get(struct kv *kv, int number)
{
	char key[16];

	snprintf(key, sizeof(key), "key%d", number);
	if (!kv_get(kv, key))
		die(key);
}

/* Keys are drawn as EmuCXL does, from the same generator: glibc's rand. */
static unsigned local_gets(enum kv_policy policy, int hot)
{
	struct kv *kv = kv_create(policy, LOCAL_KEYS);
	int i, hot_keys = KEYS * hot / 100;
	struct kv_counts counts;
	char key[16], value[16];

	if (!kv)
		die("kv_create");
	srand(SEED);
	for (i = 1; i <= KEYS; i++) {
		snprintf(key, sizeof(key), "key%d", i);
		snprintf(value, sizeof(value), "value%d", i);
		if (kv_put(kv, key, value) < 0)
			die("kv_put");
	}
	for (i = 0; i < GETS; i++)
		if (hot == 0)
			get(kv, rand() % KEYS + 1);
		else if (i < HOT_GETS)
			get(kv, rand() % hot_keys + 1);
		else
			get(kv, rand() % (KEYS - hot_keys) + hot_keys + 1);
	counts = kv_counts(kv);
	kv_destroy(kv);
	return counts.local_gets;
}

/* Digits behind the second are cut, as in what is published. */
static double percent(unsigned gets)
{
	return gets * 10000ull / GETS / 100.0;
}

static int kv_table(void)
{
	unsigned promote, stay, lru;
	int bad = 0, is_bad;
	size_t i;

	printf("Key-value store: %% of %d gets served from local memory\n"
	       "(%d keys, %d of them local; 90 %% of the gets go to the hot "
	       "keys, then 10 %%\nto the others; seed %d)\n\n",
	       GETS, KEYS, LOCAL_KEYS, SEED);
	printf("   hot   policy 1: promote      policy 0: stay    true LRU\n"
	       "  keys  published     here   published    here      here\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		promote = local_gets(KV_PROMOTE_LAST, rows[i].hot);
		stay = local_gets(KV_STAY, rows[i].hot);
		lru = local_gets(KV_LRU, rows[i].hot);
		is_bad = promote != rows[i].promote || stay != rows[i].stay ||
			 percent(lru) < rows[i].lru_least;
		bad |= is_bad;
		printf("%4d %%%11.2f%9.2f%12.2f%8.2f%10.2f%s\n", rows[i].hot,
		       percent(rows[i].promote), percent(promote),
		       percent(rows[i].stay), percent(stay), percent(lru),
		       is_bad ? "  WRONG" : "");
	}
	return bad;
}

#define ITEMS	15000
#define RUNS	11

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Medians of RUNS, in ns for one operation. */
static int queue_times(int node, double *put, double *take)
{
	struct queue queue = { .node = node };
	double puts[RUNS], takes[RUNS], start;
	int run, i, value, bad = 0;

	for (run = 0; run < RUNS; run++) {
		start = now();
		for (i = 0; i < ITEMS; i++)
			if (!queue_put(&queue, i))
				die("queue_put");
		puts[run] = (now() - start) / ITEMS;
		start = now();
		for (i = 0; i < ITEMS; i++)
			bad |= !queue_get(&queue, &value) || value != i;
		takes[run] = (now() - start) / ITEMS;
	}
	qsort(puts, RUNS, sizeof(puts[0]), by_value);
	qsort(takes, RUNS, sizeof(takes[0]), by_value);
	*put = puts[RUNS / 2];
	*take = takes[RUNS / 2];
	return bad;
}

static int queue_table(void)
{
	static const struct {
		const char *name;
		int node;
		double put, take;	/* published, ms for 15,000 */
	} kinds[] = {
		{ "local", LOCAL_MEMORY, 502.98, 417.69 },
		{ "remote", REMOTE_MEMORY, 567.21, 500.40 },
		{ "malloc", QUEUE_MALLOC, 0, 0 },
	};
	double put, take;
	int bad = 0;
	size_t i;

	printf("\nQueue: %d enqueues, then as many dequeues; ns of CPU time "
	       "for one, median of %d\n\n",
	       ITEMS, RUNS);
	printf("           enqueue              dequeue\n"
	       "           published     here   published     here\n");
	emucxl_init();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bad |= queue_times(kinds[i].node, &put, &take);
		printf("  %-6s", kinds[i].name);
		if (kinds[i].put > 0)
			printf("%12.0f%9.0f%12.0f%9.0f\n",
			       kinds[i].put * 1e6 / ITEMS, put,
			       kinds[i].take * 1e6 / ITEMS, take);
		else
			printf("%12s%9.0f%12s%9.0f\n", "-", put, "-", take);
	}
	emucxl_exit();
	printf("\nA published operation is a system call, a page and a search "
	       "of a list as long as\nthe queue; here it is an allocation. "
	       "Neither says anything of CXL's latency%s.\n",
	       emucxl_emulated() ? ":\nboth nodes are ordinary memory here" :
				   "");
	if (bad)
		printf("WRONG: numbers came out of order\n");
	return bad;
}

int main(void)
{
	int bad = kv_table();

	return queue_table() | bad;
}
