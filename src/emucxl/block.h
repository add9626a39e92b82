/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block - what libemucxl knows of its blocks: address, size, node
 *
 * A tree by address, so that any address of a block finds it. One lock is held
 * around each use, and across fork. Nothing is allocated or freed under it: a
 * malloc whose own lock is taken first at fork would wait for us, as we for it.
 */
#ifndef EC_BLOCK_H
#define EC_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#define EC_EXPORT	__attribute__((visibility("default")))

#define EC_NODES	2

struct ec_block {
	char *base;
	size_t size;
	void *held;	/* what libcxlmem gave; base is in it */
	int node;
	bool moved;	/* in place: its pages are not where its tier's are */
};

/* Remember a block; 0, or -1: no memory for that. */
int ec_block_add(const struct ec_block *block);

/* The block that an address is in; false: in none. */
bool ec_block_find(const void *p, struct ec_block *found);

/* Forget the block that begins at base; false: none does. */
bool ec_block_take(void *base, struct ec_block *taken);

/* The block that begins at base has been moved in place. */
void ec_block_set_moved(void *base, int node);

/* Any block, which is forgotten: for emucxl_exit. */
bool ec_block_take_any(struct ec_block *taken);

/* Bytes of a node's blocks. */
size_t ec_block_bytes(int node);

#endif
