/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work_server - columns of a server's threads
 *
 * server    four threads, each replaces random blocks of an array, 16..1024 B and
 *           one in 32 up to 32 KiB; after 20,000 it leaves its array to another,
 *           takes the one that was left before, and a new thread takes its place:
 *           blocks outlive the thread that made them
 * producer  four pairs of threads, one allocates and the other frees, of up to
 *           256 B, 1 KiB, 4 KiB and 16 KiB; one block in 129 goes the other way
 */
#include <pthread.h>
#include <stdlib.h>

#include "work.h"

enum {
	CHAINS = 4,
	SLOTS = 2000,
	LIFE = 20000,
	PAIRS = 4,
	BATCH = 128,
	BATCHES = 16,
	REPLY = 512,
};

struct array {
	struct work_slot slot[SLOTS];
};

static struct array arrays[CHAINS + 1];

/* One thread at a time, each succeeded by the next. */
struct chain {
	struct array *array;
	long left;
	uint64_t seed;
	pthread_t before;
	int has_before;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int running;
	struct array *free;	/* the one left last */
} server = { .lock = PTHREAD_MUTEX_INITIALIZER,
	     .changed = PTHREAD_COND_INITIALIZER };

static void server_fill(struct work_slot *s, long i, uint64_t *seed)
{
	uint64_t r = work_random(seed);

	s->size = r & 31 ? 16 + (r >> 8) % (1024 - 16 + 1) :
			   1024 + (r >> 8) % (31 * 1024 + 1);
	s->block = malloc(s->size);
	work_mark(s->block, s->size, (unsigned char)i);
}

static void *server_thread(void *arg)
{
	struct chain *chain = arg;
	long n = chain->left < LIFE ? chain->left : LIFE;
	struct array *mine = chain->array;
	pthread_t next;

	if (chain->has_before)
		pthread_join(chain->before, NULL);
	for (long i = 0; i < n; i++) {
		long at = (long)(work_random(&chain->seed) % SLOTS);
		struct work_slot *s = &mine->slot[at];

		if (s->block) {
			work_check(s->block, s->size, (unsigned char)at);
			free(s->block);
		}
		server_fill(s, at, &chain->seed);
	}
	chain->left -= n;
	chain->before = pthread_self();
	chain->has_before = 1;
	pthread_mutex_lock(&server.lock);
	chain->array = server.free;
	server.free = mine;
	if (!chain->left) {
		server.running--;
		pthread_cond_signal(&server.changed);
	}
	pthread_mutex_unlock(&server.lock);
	if (n && chain->left)
		work_started(pthread_create(&next, NULL, server_thread, chain));
	return NULL;
}

void work_server(long count)
{
	static struct chain chains[CHAINS];
	pthread_t first;

	server.running = CHAINS;
	server.free = &arrays[CHAINS];
	work_start();
	for (int i = 0; i < CHAINS; i++) {
		chains[i].array = &arrays[i];
		chains[i].seed = 88172645463325252u * (2 * (uint64_t)i + 1);
		chains[i].left = count / CHAINS;
		work_started(pthread_create(&first, NULL, server_thread,
					    &chains[i]));
	}
	pthread_mutex_lock(&server.lock);
	while (server.running)
		pthread_cond_wait(&server.changed, &server.lock);
	pthread_mutex_unlock(&server.lock);
	for (int i = 0; i < CHAINS; i++)
		pthread_join(chains[i].before, NULL);
	work_stop();
	for (int i = 0; i <= CHAINS; i++) {
		for (long at = 0; at < SLOTS; at++) {
			struct work_slot *s = &arrays[i].slot[at];

			if (!s->block)
				continue;
			work_check(s->block, s->size, (unsigned char)at);
			free(s->block);
		}
	}
}

/* A batch passes at a time; who waits does so in the kernel. */
struct batch {
	struct work_slot slot[BATCH];
	void *reply;	/* the consumer's, freed by the producer */
	int n;
};

struct pair {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	long put, taken;	/* under lock */
	long count;
	size_t most;
	uint64_t seed;
	struct batch batch[BATCHES];	/* of whose turn it is */
};

static struct batch *turn(struct pair *pair, const long *mine,
			  const long *other, long most)
{
	pthread_mutex_lock(&pair->lock);
	while (*mine - *other >= most)
		pthread_cond_wait(&pair->changed, &pair->lock);
	pthread_mutex_unlock(&pair->lock);
	return &pair->batch[*mine % BATCHES];
}

static void done(struct pair *pair, long *mine)
{
	pthread_mutex_lock(&pair->lock);
	++*mine;
	pthread_cond_signal(&pair->changed);
	pthread_mutex_unlock(&pair->lock);
}

static void free_reply(struct batch *b)
{
	if (!b->reply)
		return;
	work_check(b->reply, REPLY, 'r');
	free(b->reply);
	b->reply = NULL;
}

static void *produce(void *arg)
{
	struct pair *pair = arg;
	struct batch *b;
	int n;

	do {	/* the last batch is empty and ends the consumer */
		b = turn(pair, &pair->put, &pair->taken, BATCHES);
		free_reply(b);
		b->n = pair->count < BATCH ? (int)pair->count : BATCH;
		pair->count -= b->n;
		for (int i = 0; i < b->n; i++) {
			struct work_slot *s = &b->slot[i];

			s->size = 16 + work_random(&pair->seed) %
					       (pair->most - 16 + 1);
			s->block = malloc(s->size);
			work_mark(s->block, s->size, (unsigned char)i);
		}
		n = b->n;
		done(pair, &pair->put);
	} while (n);
	return NULL;
}

static void *consume(void *arg)
{
	struct pair *pair = arg;
	struct batch *b;
	int n;

	do {
		b = turn(pair, &pair->taken, &pair->put, 0);
		n = b->n;
		for (int i = 0; i < n; i++) {
			struct work_slot *s = &b->slot[i];

			work_check(s->block, s->size, (unsigned char)i);
			free(s->block);
		}
		if (n) {
			b->reply = malloc(REPLY);
			work_mark(b->reply, REPLY, 'r');
		}
		done(pair, &pair->taken);
	} while (n);
	return NULL;
}

void work_producer(long count)
{
	static struct pair pairs[PAIRS];
	pthread_t thread[2 * PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		pthread_mutex_init(&pairs[i].lock, NULL);
		pthread_cond_init(&pairs[i].changed, NULL);
		pairs[i].count = count / PAIRS;
		pairs[i].most = (size_t)256 << (2 * i);
		pairs[i].seed = 88172645463325252u * (2 * (uint64_t)i + 1);
	}
	work_start();
	for (int i = 0; i < PAIRS; i++) {
		work_started(pthread_create(&thread[2 * i], NULL, produce,
					    &pairs[i]));
		work_started(pthread_create(&thread[2 * i + 1], NULL, consume,
					    &pairs[i]));
	}
	for (int i = 0; i < 2 * PAIRS; i++)
		pthread_join(thread[i], NULL);
	work_stop();
	for (int i = 0; i < PAIRS; i++)
		for (int j = 0; j < BATCHES; j++)
			free_reply(&pairs[i].batch[j]);
}
