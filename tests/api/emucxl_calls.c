/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every function of emucxl.h: what it returns, errno, where blocks are.
 *
 *	emucxl_calls		prints TAP
 *	emucxl_calls init	emucxl_init and emucxl_exit
 *	emucxl_calls left-out	node 1 is left out by order=ddr: refused
 */
#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>

#include <cxlmalloc.h>
#include <emucxl.h>

/* What EmuCXL's queue does; the same tokens are allowed. */
#define LOCAL_MEMORY 0
#define REMOTE_MEMORY 1

#include "../preload/check.h"

#define MIB	((size_t)1 << 20)

static int tiered;

static int refused(const void *p, int error)
{
	int good = !p && errno == error;

	errno = 0;
	return good;
}

static int is_on(void *p, int node)
{
	return p && emucxl_get_numa_node(p) == node &&
	       emucxl_is_local(p) == (node == 0) &&
	       cxlm_tier_of(p) == (tiered ? node : -1);
}

static void not_begun(void)
{
	errno = 0;
	check(refused(emucxl_alloc(8, 0), ENODEV),
	      "before emucxl_init: ENODEV");
	emucxl_exit();
	emucxl_free(&tiered, 4);
	check(emucxl_stats(0) == 0 && emucxl_stats(1) == 0 &&
		      emucxl_get_numa_node(&tiered) == -1,
	      "before emucxl_init: nothing is there");
}

static void nesting(void)
{
	char *p, *q;

	emucxl_init();
	emucxl_init();
	p = emucxl_alloc(100, 0);
	emucxl_exit();
	check(is_on(p, 0) && emucxl_get_size(p) == 100,
	      "emucxl_exit: not yet the last one");
	q = emucxl_alloc(4 * MIB, 1);
	check(is_on(q, 1) && emucxl_stats(0) == 100 &&
		      emucxl_stats(1) == 4 * MIB,
	      "two blocks are left");
	emucxl_exit();
	check(emucxl_stats(0) == 0 && emucxl_stats(1) == 0 &&
		      emucxl_get_size(p) == 0,
	      "the last emucxl_exit frees them");
	errno = 0;
	check(refused(emucxl_alloc(8, 0), ENODEV), "and ends it");
}

static void blocks(void)
{
	size_t n, sum[2] = { 0, 0 };
	void *p[2][40];
	int node, i, good;

	for (node = 0; node < 2; node++) {
		good = 1;
		for (n = 1, i = 0; n < 4 * MIB; n = n * 2 + 3, i++) {
			p[node][i] = emucxl_alloc(n, node);
			memset(p[node][i], 0xff, n);
			emucxl_free(p[node][i], n);
			p[node][i] = emucxl_alloc(n, node);
			good &= is_on(p[node][i], node) &&
				all_zero(p[node][i], n) &&
				emucxl_get_size(p[node][i]) == n &&
				(n < 4096 || aligned(p[node][i], 4096));
			sum[node] += n;
		}
		p[node][i] = NULL;
		check(good,
		      "emucxl_alloc on %d: zero, also where blocks were; from "
		      "a page on at a page",
		      node);
		check(emucxl_stats(node) == sum[node],
		      "emucxl_stats: as was asked for");
	}
	for (node = 0; node < 2; node++)
		for (i = 0; p[node][i]; i++)
			emucxl_free(p[node][i], 1);
	check(emucxl_stats(0) == 0 && emucxl_stats(1) == 0,
	      "emucxl_free: all of it, whatever size says");
	check(emucxl_stats(2) == 0 && emucxl_stats(-1) == 0 &&
		      emucxl_stats(INT_MAX) == 0,
	      "emucxl_stats of other nodes: 0");
	errno = 0;
	good = 1;
	for (i = -1; i < 3; i++)
		if (i != 0 && i != 1)
			good &= refused(emucxl_alloc(8, i), EINVAL);
	check(good && refused(emucxl_alloc(8, INT_MIN), EINVAL),
	      "emucxl_alloc on other nodes: EINVAL");
	check(refused(emucxl_alloc(0, 0), EINVAL), "emucxl_alloc of 0: EINVAL");
	check(refused(emucxl_alloc(hide(SIZE_MAX), 1), ENOMEM) &&
		      refused(emucxl_alloc(hide(PTRDIFF_MAX), 0), ENOMEM),
	      "emucxl_alloc of too much: ENOMEM");
}

static void addresses(void)
{
	char *p = emucxl_alloc(1000, 1), *heap = malloc(1000);

	check(emucxl_get_size(p + 999) == 1000 && !emucxl_is_local(p + 500) &&
		      emucxl_get_numa_node(p + 1) == 1,
	      "any address of a block is known");
	check(emucxl_get_size(heap) == 0 && emucxl_get_numa_node(heap) == -1 &&
		      !emucxl_is_local(heap) && emucxl_get_size(NULL) == 0 &&
		      emucxl_get_numa_node(NULL) == -1 &&
		      !emucxl_is_local(NULL),
	      "others are not");
	emucxl_free(NULL, 8);
	emucxl_free(heap, 1000);
	emucxl_free(p + 8, 992);
	fill(heap, 1000, 1);
	check(is_on(p, 1) && filled(heap, 1000, 1),
	      "emucxl_free where no block begins: nothing");
	p[0] = 1;
	check(emucxl_get_real_node(p) == cxlm_node_of(p) &&
		      (emucxl_get_real_node(p) >= 0 || errno == EPERM ||
		       errno == ENOSYS),
	      "emucxl_get_real_node: the kernel's");
	errno = 0;
	check(emucxl_get_real_node(heap) == -1 && errno == EINVAL &&
		      emucxl_get_real_node(NULL) == -1,
	      "emucxl_get_real_node of others: EINVAL");
	emucxl_free(p, 1000);
	emucxl_free(p, 1000);
	check(emucxl_stats(1) == 0, "freed twice: once");
	free(heap);
}

static void moving(void)
{
	char *around[200], *p, *q;
	int node;

	/* What is behind the old block is not copied. */
	for (int i = 0; i < 200; i++)
		memset(around[i] = emucxl_alloc(1000, 0), 0xff, 1000);
	p = around[100];
	fill(p, 1000, 7);
	q = emucxl_resize(p, 1, 1000, 5000);
	check(q != p && is_on(q, 1) && filled(q, 1000, 7) &&
		      all_zero(q + 1000, 4000) && emucxl_get_size(q) == 5000 &&
		      emucxl_get_size(p) == 0,
	      "emucxl_resize: larger, on the other node");
	for (int i = 0; i < 200; i++)
		emucxl_free(around[i], 1000);
	p = emucxl_resize(q, 1, 5000, 100);
	check(p != q && is_on(p, 1) && filled(p, 100, 7) &&
		      emucxl_stats(1) == 100 && emucxl_stats(0) == 0,
	      "emucxl_resize: smaller, only what fits is copied");
	q = emucxl_resize(p, 1, 100000, 100000);
	check(is_on(q, 1) && filled(q, 100, 7) &&
		      all_zero(q + 100, 100000 - 100),
	      "emucxl_resize: oldsize is not believed");
	for (node = 0; node < 2; node++) {
		p = q;
		q = emucxl_migrate(p, node, 100);
		check(q != p && is_on(q, node) && filled(q, 100, 7) &&
			      emucxl_get_size(p) == 0 &&
			      emucxl_get_size(q) == 100,
		      "emucxl_migrate to %d: a new address", node);
	}
	errno = 0;
	check(refused(emucxl_migrate(q, 2, 100), EINVAL) &&
		      refused(emucxl_resize(q, -1, 100, 100), EINVAL) &&
		      refused(emucxl_resize(q, 0, 100, 0), EINVAL) &&
		      refused(emucxl_migrate(q + 1, 0, 99), EINVAL) &&
		      refused(emucxl_migrate(NULL, 0, 8), EINVAL) &&
		      refused(emucxl_migrate(&node, 0, 4), EINVAL) &&
		      refused(emucxl_resize(q, 0, 100, hide(PTRDIFF_MAX)),
			      ENOMEM),
	      "emucxl_migrate, emucxl_resize: refused");
	check(is_on(q, 1) && filled(q, 100, 7), "and the block is as it was");
	emucxl_free(q, 100);
}

static void in_place(void)
{
	char *p = emucxl_alloc(64 * 4096, 0), *small = emucxl_alloc(4095, 0);

	fill(p, 64 * 4096, 9);
	errno = 0;
	check(emucxl_migrate_in_place(p, 2) == -1 && errno == EINVAL &&
		      emucxl_migrate_in_place(p + 4096, 1) == -1 &&
		      emucxl_migrate_in_place(small, 1) == -1 &&
		      emucxl_migrate_in_place(NULL, 1) == -1,
	      "emucxl_migrate_in_place: refused");
	if (emucxl_migrate_in_place(p, 1) == 0)
		check(emucxl_get_numa_node(p) == 1 && emucxl_stats(0) == 4095 &&
			      emucxl_stats(1) == 64 * 4096 &&
			      filled(p, 64 * 4096, 9),
		      "emucxl_migrate_in_place: it is on the other node");
	else
		check(errno == ENODEV || errno == EPERM || errno == ENOSYS,
		      "emucxl_migrate_in_place: refused by the kernel");
	emucxl_free(p, 1);
	emucxl_free(small, 1);
}

static void bytes(void)
{
	char *p = emucxl_alloc(100, 1), in[200], out[200];

	memset(in, 'i', sizeof(in));
	memset(out, 'o', sizeof(out));
	check(emucxl_write(p, 10, in, 20) && all_zero(p, 10) &&
		      memcmp(p + 10, in, 10) == 0 && all_zero(p + 20, 80),
	      "emucxl_write: from index to size");
	check(emucxl_read(p, 15, out, 25) && out[14] == 'o' && out[15] == 'i' &&
		      out[19] == 'i' && out[20] == 0 && out[24] == 0 &&
		      out[25] == 'o',
	      "emucxl_read: from index to size");
	check(emucxl_memset(p, 90, 7, 100) == p && p[89] == 0 && p[90] == 7 &&
		      p[99] == 7,
	      "emucxl_memset: from index to size");
	check(emucxl_read(p, 50, out, 30) && emucxl_write(p, 30, in, 30) &&
		      out[30] == 'o' && p[30] == 0,
	      "an index behind size: nothing");
	errno = 0;
	check(refused(emucxl_write(p, 0, in, 101) ? p : NULL, EINVAL) &&
		      refused(emucxl_read(p + 50, 0, out, 51) ? p : NULL,
			      EINVAL) &&
		      refused(emucxl_memset(p, 0, 1, 101), EINVAL) &&
		      refused(emucxl_memcpy(p + 1, in, 100), EINVAL) &&
		      refused(emucxl_memmove(out, p + 1, 100), EINVAL),
	      "a range that leaves its block: EINVAL");
	check(refused(emucxl_write(p, -1, in, 10) ? p : NULL, EINVAL) &&
		      refused(emucxl_read(p, INT_MIN, out, 10) ? p : NULL,
			      EINVAL) &&
		      refused(emucxl_memset(p, -1, 1, 10), EINVAL),
	      "a negative index: EINVAL");
	check(refused(emucxl_read(NULL, 0, out, 1) ? p : NULL, EINVAL) &&
		      refused(emucxl_read(p, 0, NULL, 1) ? p : NULL, EINVAL) &&
		      refused(emucxl_read(p, 0, out, 0) ? p : NULL, EINVAL) &&
		      refused(emucxl_write(NULL, 0, in, 1) ? p : NULL,
			      EINVAL) &&
		      refused(emucxl_write(p, 0, NULL, 1) ? p : NULL, EINVAL) &&
		      refused(emucxl_write(p, 0, in, 0) ? p : NULL, EINVAL) &&
		      refused(emucxl_memset(NULL, 0, 1, 1), EINVAL) &&
		      refused(emucxl_memset(p, 0, 1, 0), EINVAL) &&
		      refused(emucxl_memcpy(NULL, in, 1), EINVAL) &&
		      refused(emucxl_memcpy(p, NULL, 1), EINVAL) &&
		      refused(emucxl_memcpy(p, in, 0), EINVAL) &&
		      refused(emucxl_memmove(NULL, in, 1), EINVAL) &&
		      refused(emucxl_memmove(p, NULL, 1), EINVAL) &&
		      refused(emucxl_memmove(p, in, 0), EINVAL),
	      "NULL, or no bytes: EINVAL");
	check(emucxl_memcpy(p, in, 100) == p && memcmp(p, in, 100) == 0 &&
		      emucxl_memcpy(out, p, 50) == out && out[49] == 'i' &&
		      out[50] == 'o',
	      "emucxl_memcpy: in and out");
	fill(p, 100, 2);
	check(emucxl_memmove(p + 10, p, 90) == p + 10 &&
		      filled(p + 10, 90, 2) &&
		      emucxl_memmove(p, p + 10, 90) == p && filled(p, 90, 2),
	      "emucxl_memmove: overlapping, returns dest");
	emucxl_free(p, 100);
}

static void lists(void)
{
	data_t **list = dataAlloc();
	int a, b;

	addItem(list, &a, 10, 0);
	addItem(list, &b, 20, 1);
	addItem(list, &a, 30, 1);
	check(getItem(list, &a) == &a && getSize(list, &a) == 30 &&
		      getNumaNode(list, &b) == 1 &&
		      getSizeOfAllocatedMemory(list, 1) == 50 &&
		      getSizeOfAllocatedMemory(list, 0) == 0,
	      "a list of a program's own");
	deleteItem(list, &a);
	deleteItem(list, &a);
	check(!getItem(list, &a) && getSize(list, &a) == 0 &&
		      getNumaNode(list, &a) == -1 && getItem(list, &b) == &b,
	      "deleteItem");
	dataFree(list);
	check(strcmp(dev_file, "/dev/emucxl") == 0 && PAGE_SIZE == 4096 &&
		      sizeof(Key_value) == 64,
	      "what the headers define");
}

#define THREADS	4
#define ROUNDS	3000

static void *handed[THREADS][ROUNDS];

static void *thread_main(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg, other = (me + 1) % THREADS;
	uint32_t state = me + 1;
	long bad = 0;
	size_t n;
	char *p;

	for (unsigned i = 0; i < ROUNDS; i++) {
		n = next_random(&state) % 3000 + 1;
		p = emucxl_alloc(n, (int)(i % 2));
		fill(p, n, i);
		p = emucxl_migrate(p, (int)(i / 2 % 2), n);
		bad += !filled(p, n, i) || emucxl_get_size(p + n - 1) != n;
		p = __atomic_exchange_n(&handed[me][i], p, __ATOMIC_ACQ_REL);
		p = __atomic_exchange_n(&handed[other][i / 2], NULL,
					__ATOMIC_ACQ_REL);
		if (p)
			emucxl_free(p, 0);
	}
	return (void *)bad;
}

static void threads(void)
{
	pthread_t thread[THREADS];
	long bad = 0;
	pid_t child;
	void *one;
	int status;

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, thread_main, (void *)i);
	for (int i = 0; i < 50; i++) {
		child = fork();
		if (child == 0) {
			char *p = emucxl_alloc(100, i % 2);

			emucxl_free(p, 100);
			_exit(!p);
		}
		waitpid(child, &status, 0);
		bad += status != 0;
	}
	check(bad == 0, "children of a threaded process allocate and free");
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &one);
		bad += (long)one;
	}
	for (int i = 0; i < THREADS; i++)
		for (int j = 0; j < ROUNDS; j++)
			emucxl_free(handed[i][j], 0);
	check(bad == 0, "threads: blocks of one are freed by others");
	check(emucxl_stats(0) == 0 && emucxl_stats(1) == 0,
	      "threads: nothing is left");
}

int main(int argc, char **argv)
{
	void *p = cxlm_malloc(CXLM_TIER_POLICY, 100, 0);

	tiered = cxlm_tier_of(p) >= 0;
	cxlm_free(p);
	if (argc > 1 && strcmp(argv[1], "init") == 0) {
		emucxl_init();
		emucxl_exit();
		emucxl_init();
		printf("emulated: %d\n", emucxl_emulated());
		return 0;
	}
	if (argc == 1) {
		not_begun();
		nesting();
	}
	emucxl_init();
	if (argc > 1) {
		errno = 0;
		check(refused(emucxl_alloc(8, 1), ENOTSUP),
		      "a node that is left out: ENOTSUP");
		p = emucxl_alloc(8, 0);
		check(is_on(p, 0) &&
			      refused(emucxl_migrate(p, 1, 8), ENOTSUP) &&
			      is_on(p, 0),
		      "the other is there");
		return check_done();
	}
	blocks();
	addresses();
	moving();
	in_place();
	bytes();
	lists();
	threads();
	emucxl_exit();
	return check_done();
}
