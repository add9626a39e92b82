/* SPDX-License-Identifier: BSD-2-Clause */
#include "emucxl/block.h"

#include <pthread.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *root;		/* of struct ec_block */
static size_t bytes[EC_NODES];

static void lock_take(void)
{
	pthread_mutex_lock(&lock);
}

static void lock_give(void)
{
	pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void register_fork(void)
{
	pthread_atfork(lock_take, lock_give, lock_give);
}

/* Blocks do not overlap: what does is the same block, or an address in it. */
static int compare(const void *a, const void *b)
{
	const struct ec_block *x = a, *y = b;
	uintptr_t x_at = (uintptr_t)x->base, y_at = (uintptr_t)y->base;

	if (x_at + x->size <= y_at)
		return -1;
	return y_at + y->size <= x_at ? 1 : 0;
}

/* With the lock held. */
static struct ec_block *lookup(const void *p)
{
	struct ec_block key = { .base = (char *)p, .size = 1 };
	struct ec_block **found = tfind(&key, &root, compare);

	return found ? *found : NULL;
}

/* With the lock held. */
static void forget(struct ec_block *block, struct ec_block *taken)
{
	*taken = *block;
	bytes[block->node] -= block->size;
	tdelete(block, &root, compare);
	free(block);
}

int ec_block_add(void *base, size_t size, int node)
{
	struct ec_block *block = malloc(sizeof(*block));
	void *at;

	if (!block)
		return -1;
	*block = (struct ec_block){ base, size, node };
	lock_take();
	at = tsearch(block, &root, compare);
	if (at)
		bytes[node] += size;
	lock_give();
	if (!at)
		free(block);
	return at ? 0 : -1;
}

bool ec_block_find(const void *p, struct ec_block *found)
{
	struct ec_block *block;

	lock_take();
	block = lookup(p);
	if (block)
		*found = *block;
	lock_give();
	return block != NULL;
}

bool ec_block_take(void *base, struct ec_block *taken)
{
	struct ec_block *block;

	lock_take();
	block = lookup(base);
	if (block && block->base != base)
		block = NULL;
	if (block)
		forget(block, taken);
	lock_give();
	return block != NULL;
}

bool ec_block_set_node(void *base, int node)
{
	struct ec_block *block;

	lock_take();
	block = lookup(base);
	if (block && block->base != base)
		block = NULL;
	if (block) {
		bytes[block->node] -= block->size;
		bytes[node] += block->size;
		block->node = node;
	}
	lock_give();
	return block != NULL;
}

bool ec_block_take_any(struct ec_block *taken)
{
	struct ec_block *block = NULL;

	lock_take();
	if (root) {
		block = *(struct ec_block **)root;
		forget(block, taken);
	}
	lock_give();
	return block != NULL;
}

size_t ec_block_bytes(int node)
{
	size_t sum;

	lock_take();
	sum = bytes[node];
	lock_give();
	return sum;
}
