/* SPDX-License-Identifier: BSD-2-Clause */
#include "emucxl/block.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * A treap: by address from left to right, by rank from the root down. Ranks are
 * as good as random, so its depth is some multiple of log n, whatever the order
 * blocks come and go in.
 */
struct item {
	struct ec_block block;
	struct item *left, *right;
	uint32_t rank;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct item *root;
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

static uint32_t rank_of(const void *base)
{
	return (uint32_t)((uintptr_t)base * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* A subtree into what is below an address and what is above. */
static void split(struct item *tree, const char *at, struct item **below,
		  struct item **above)
{
	while (tree) {
		if (tree->block.base < at) {
			*below = tree;
			below = &tree->right;
			tree = tree->right;
		} else {
			*above = tree;
			above = &tree->left;
			tree = tree->left;
		}
	}
	*below = *above = NULL;
}

static struct item *join(struct item *below, struct item *above)
{
	struct item *tree, **at = &tree;

	while (below && above) {
		if (below->rank > above->rank) {
			*at = below;
			at = &below->right;
			below = below->right;
		} else {
			*at = above;
			at = &above->left;
			above = above->left;
		}
	}
	*at = below ? below : above;
	return tree;
}

static void insert(struct item *item)
{
	struct item **at = &root;

	while (*at && (*at)->rank > item->rank)
		at = (*at)->block.base < item->block.base ? &(*at)->right :
							    &(*at)->left;
	split(*at, item->block.base, &item->left, &item->right);
	*at = item;
	bytes[item->block.node] += item->block.size;
}

/* Where the pointer to the item is that an address is in; NULL: in none. */
static struct item **lookup(const char *p)
{
	struct item **at = &root, **found = NULL;

	while (*at) {
		if ((*at)->block.base > p) {
			at = &(*at)->left;
		} else {
			found = at;
			at = &(*at)->right;
		}
	}
	return found && (size_t)(p - (*found)->block.base) <
				       (*found)->block.size ?
		       found :
		       NULL;
}

static struct item **lookup_base(const char *base)
{
	struct item **at = lookup(base);

	return at && (*at)->block.base == base ? at : NULL;
}

static struct item *take(struct item **at)
{
	struct item *item = *at;

	*at = join(item->left, item->right);
	bytes[item->block.node] -= item->block.size;
	return item;
}

/* With the lock given back. */
static bool taken_out(struct item *item, struct ec_block *taken)
{
	if (!item)
		return false;
	*taken = item->block;
	free(item);
	return true;
}

int ec_block_add(const struct ec_block *block)
{
	struct item *item = malloc(sizeof(*item));

	if (!item)
		return -1;
	item->block = *block;
	item->rank = rank_of(block->base);
	lock_take();
	insert(item);
	lock_give();
	return 0;
}

bool ec_block_find(const void *p, struct ec_block *found)
{
	struct item **at;

	lock_take();
	at = lookup(p);
	if (at)
		*found = (*at)->block;
	lock_give();
	return at != NULL;
}

bool ec_block_take(void *base, struct ec_block *taken)
{
	struct item **at, *item;

	lock_take();
	at = lookup_base(base);
	item = at ? take(at) : NULL;
	lock_give();
	return taken_out(item, taken);
}

void ec_block_set_moved(void *base, int node)
{
	struct item **at;

	lock_take();
	at = lookup_base(base);
	if (at) {
		bytes[(*at)->block.node] -= (*at)->block.size;
		bytes[node] += (*at)->block.size;
		(*at)->block.node = node;
		(*at)->block.moved = true;
	}
	lock_give();
}

bool ec_block_take_any(struct ec_block *taken)
{
	struct item *item;

	lock_take();
	item = root ? take(&root) : NULL;
	lock_give();
	return taken_out(item, taken);
}

size_t ec_block_bytes(int node)
{
	size_t sum;

	lock_take();
	sum = bytes[node];
	lock_give();
	return sum;
}
