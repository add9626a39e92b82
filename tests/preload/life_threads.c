/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * life_threads - threads that come, go, and free each other's blocks
 *
 * Includes the part of a thread's life after its TSD destructors, where an
 * allocator's own thread state is already gone.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "check.h"

#define NR_SHORT	2000
#define NR_KEYS		60

static pthread_key_t key[NR_KEYS];
static atomic_int late_calls, late_bad;

static void late(void *value)
{
	size_t round = (size_t)value & 0xff, k = (size_t)value >> 8;
	char *p = malloc(round * 5000 + k + 1);

	if (p)
		memset(p, (int)round, round * 5000 + k + 1);
	else
		atomic_fetch_add(&late_bad, 1);
	free(p);
	p = calloc(1, 100000);
	if (!p || !all_zero(p, 100000))
		atomic_fetch_add(&late_bad, 1);
	free(p);
	atomic_fetch_add(&late_calls, 1);
	/* once more, in each of glibc's four rounds */
	if (round < 4)
		pthread_setspecific(key[k], (void *)(k << 8 | (round + 1)));
}

static void *with_late_destructors(void *arg)
{
	(void)arg;
	for (size_t k = 0; k < NR_KEYS; k++)
		pthread_setspecific(key[k], (void *)(k << 8 | 1));
	free(malloc(100));
	return NULL;
}

/* A thread whose first malloc ever is in a destructor. */
static void *without_a_heap(void *arg)
{
	(void)arg;
	pthread_setspecific(key[0], (void *)(size_t)1);
	return NULL;
}

static void destructors_allocate_in_every_round(void)
{
	pthread_t thread[8];

	for (unsigned k = 0; k < NR_KEYS; k++)
		pthread_key_create(&key[k], late);
	for (unsigned i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL,
			       i % 2 ? with_late_destructors : without_a_heap,
			       NULL);
	for (unsigned i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	check(atomic_load(&late_calls) == 4 * NR_KEYS * 4 + 4 * 4,
	      "TSD destructors run in four rounds (%d)", late_calls);
	check(!atomic_load(&late_bad), "they allocate and free in each");
	for (unsigned k = 0; k < NR_KEYS; k++)
		pthread_key_delete(key[k]);
}

static void *short_life(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;
	unsigned char *keep = malloc(1000);
	void *p[20];

	for (unsigned i = 0; i < 20; i++)
		p[i] = malloc((seed * 31 + i * 977) % 9000 + 1);
	fill(keep, 1000, seed);
	for (unsigned i = 0; i < 20; i++)
		free(p[i]);
	return keep;
}

static void two_thousand_short_threads(void)
{
	size_t after_some = 0, after_all;
	int good = 1, made = 1;

	for (size_t i = 0; i < NR_SHORT; i += 4) {
		pthread_t thread[4];

		for (size_t k = 0; k < 4; k++)
			made &= !pthread_create(&thread[k], NULL, short_life,
						(void *)(i + k));
		if (!made)
			break;
		for (size_t k = 0; k < 4; k++) {
			void *block;

			pthread_join(thread[k], &block);
			good &= block && filled(block, 1000, (unsigned)(i + k));
			free(block);
		}
		if (i == 200)
			after_some = resident();
	}
	after_all = resident();
	check(made && good, "blocks of 2,000 short threads outlive them");
	check(after_all < after_some + (8 << 20),
	      "a thread that ended leaves nothing behind (%zd KiB in 1,800)",
	      ((ssize_t)after_all - (ssize_t)after_some) / 1024);
}

/* A ring of blocks from makers to threads that only free. */
#define RING	1024

static void *_Atomic ring[RING];
static atomic_int makers_left, free_bad;

static void *maker(void *arg)
{
	uint32_t state = (uint32_t)(size_t)arg * 7919 + 1;

	for (unsigned i = 0; i < 100000; i++) {
		uint32_t r = next_random(&state);
		size_t n = 16 + r % (i % 64 ? 600 : 100000);
		unsigned char *p = malloc(n);

		memcpy(p, &n, sizeof(n));
		p[n - 1] = (unsigned char)n;
		free(atomic_exchange(&ring[r >> 8 & (RING - 1)], p));
	}
	atomic_fetch_sub(&makers_left, 1);
	return NULL;
}

static void *freer(void *arg)
{
	uint32_t state = (uint32_t)(size_t)arg * 104729 + 1;

	while (atomic_load(&makers_left)) {
		unsigned i = next_random(&state) % RING;
		unsigned char *p = atomic_exchange(&ring[i], NULL);
		size_t n;

		if (!p)
			continue;
		memcpy(&n, p, sizeof(n));
		if (n > sizeof(n) + 8 && p[n - 1] != (unsigned char)n)
			atomic_fetch_add(&free_bad, 1);
		free(p);
	}
	return NULL;
}

static void threads_that_only_free(void)
{
	pthread_t make[3], drop[3];
	size_t before = resident();

	atomic_store(&makers_left, 3);
	for (size_t i = 0; i < 3; i++) {
		pthread_create(&make[i], NULL, maker, (void *)(i + 1));
		pthread_create(&drop[i], NULL, freer, (void *)(i + 1));
	}
	for (size_t i = 0; i < 3; i++) {
		pthread_join(make[i], NULL);
		pthread_join(drop[i], NULL);
	}
	for (unsigned i = 0; i < RING; i++)
		free(atomic_exchange(&ring[i], NULL));
	check(!atomic_load(&free_bad),
	      "300,000 blocks reach threads that only free, intact");
	check(resident() < before + (160 << 20),
	      "what other threads free is used again");
}

static void *fill_table(void *arg)
{
	unsigned char **table = arg;

	for (unsigned i = 0; i < 5000; i++) {
		table[i] = malloc(i % 700 + 1);
		fill(table[i], i % 700 + 1, i);
	}
	return NULL;
}

static void *resize_table(void *arg)
{
	unsigned char **table = arg;
	size_t good = 1;

	for (unsigned i = 0; i < 5000; i++) {
		table[i] = realloc(table[i], i % 700 + 500);
		good &= table[i] && filled(table[i], i % 700 + 1, i);
	}
	return (void *)good;
}

static void a_dead_threads_blocks_can_grow(void)
{
	static unsigned char *table[5000];
	pthread_t thread;
	void *good;

	pthread_create(&thread, NULL, fill_table, table);
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, resize_table, table);
	pthread_join(thread, &good);
	for (unsigned i = 0; i < 5000; i++)
		free(table[i]);
	check(good != NULL, "a dead thread's blocks are resized by another");
}

static void *on_a_small_stack(void *arg)
{
	void *p[64];

	(void)arg;
	for (unsigned i = 0; i < 64; i++)
		p[i] = malloc((size_t)i * i * 20 + 1);
	for (unsigned i = 0; i < 64; i++)
		free(p[i]);
	free(memalign(4096, 100000));
	free(realloc(calloc(10, 10), 3 << 20));
	return "done";
}

/* Every byte of static TLS and stack that we take is taken from here. */
static void the_smallest_stack_is_enough(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *said = NULL;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	error = pthread_create(&thread, &attr, on_a_small_stack, NULL);
	if (!error)
		pthread_join(thread, &said);
	pthread_attr_destroy(&attr);
	check(said != NULL, "a thread with a 32 KiB stack can allocate");
}

int main(void)
{
	destructors_allocate_in_every_round();
	two_thousand_short_threads();
	threads_that_only_free();
	a_dead_threads_blocks_can_grow();
	the_smallest_stack_is_enough();
	return check_done();
}
