/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work_threads - columns of several threads
 *
 * cross  one thread allocates 16..1024 B, another frees them
 * churn  threads that each allocate 20 blocks of 16..1024 B, free them and end,
 *        four at a time
 * alive  1,000 such threads that hold their blocks until all have them
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "work.h"

enum {
	BATCH = 128,
	BATCHES = 16,
	BLOCKS = 20,
	AT_ONCE = 4,
	ALIVE = 1000,
};

/*
 * The queue between the two threads: they wait in the kernel, not in a loop,
 * so that waiting costs no CPU time. A batch passes at a time, which makes the
 * lock's share of an operation small.
 */
struct batch {
	void *block[BATCH];
	size_t size[BATCH];
	int n;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	long put, taken;	/* under lock */
	struct batch batch[BATCHES];	/* of whose turn it is */
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER };

/* Waits until fewer than `most` batches are (put) or one is (take) there. */
static struct batch *turn(const long *mine, const long *other, long most)
{
	pthread_mutex_lock(&queue.lock);
	while (*mine - *other >= most)
		pthread_cond_wait(&queue.changed, &queue.lock);
	pthread_mutex_unlock(&queue.lock);
	return &queue.batch[*mine % BATCHES];
}

static void done(long *mine)
{
	pthread_mutex_lock(&queue.lock);
	++*mine;
	pthread_cond_signal(&queue.changed);
	pthread_mutex_unlock(&queue.lock);
}

static void *consumer(void *arg)
{
	struct batch *b;
	int n;

	do {
		b = turn(&queue.taken, &queue.put, 0);
		n = b->n;
		for (int i = 0; i < n; i++) {
			work_check(b->block[i], b->size[i], (unsigned char)i);
			free(b->block[i]);
		}
		done(&queue.taken);
	} while (n);
	return arg;
}

void work_cross(long count)
{
	uint64_t seed = 88172645463325252u;
	struct batch *b;
	pthread_t thread;
	int n;

	work_started(pthread_create(&thread, NULL, consumer, NULL));
	work_start();
	do {	/* the last batch is empty and ends the consumer */
		b = turn(&queue.put, &queue.taken, BATCHES);
		n = b->n = count < BATCH ? (int)count : BATCH;
		count -= n;
		for (int i = 0; i < n; i++) {
			b->size[i] = 16 + work_random(&seed) % (1024 - 16 + 1);
			b->block[i] = malloc(b->size[i]);
			work_mark(b->block[i], b->size[i], (unsigned char)i);
		}
		done(&queue.put);
	} while (n);
	pthread_join(thread, NULL);
	work_stop();
}

/* The threads that churn and those that stay alive do the same. */
static pthread_barrier_t all_have;

static void *few_blocks(void *together)
{
	static atomic_ulong threads;
	uint64_t seed = 88172645463325252u * (2 * threads++ + 1);
	void *block[BLOCKS];
	size_t size[BLOCKS];

	for (int i = 0; i < BLOCKS; i++) {
		size[i] = 16 + work_random(&seed) % (1024 - 16 + 1);
		block[i] = malloc(size[i]);
		work_mark(block[i], size[i], (unsigned char)i);
	}
	if (together)
		pthread_barrier_wait(&all_have);
	for (int i = 0; i < BLOCKS; i++) {
		work_check(block[i], size[i], (unsigned char)i);
		free(block[i]);
	}
	return NULL;
}

void work_churn(long count)
{
	pthread_t thread[AT_ONCE];

	work_start();
	for (long i = 0; i < count; i += AT_ONCE) {
		for (int j = 0; j < AT_ONCE; j++)
			work_started(pthread_create(&thread[j], NULL,
						    few_blocks, NULL));
		for (int j = 0; j < AT_ONCE; j++)
			pthread_join(thread[j], NULL);
	}
	work_stop();
}

/* Small stacks: 1,000 of them are to cost addresses, not memory. */
void work_alive(long count)
{
	static pthread_t thread[ALIVE];
	pthread_attr_t attr;

	pthread_barrier_init(&all_have, NULL, ALIVE);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	work_start();
	for (long i = 0; i < count; i += ALIVE) {
		for (int j = 0; j < ALIVE; j++)
			work_started(pthread_create(&thread[j], &attr,
						    few_blocks, &all_have));
		for (int j = 0; j < ALIVE; j++)
			pthread_join(thread[j], NULL);
	}
	work_stop();
}
