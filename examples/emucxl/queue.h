/* SPDX-License-Identifier: BSD-2-Clause */
/* queue - a queue of numbers, each in a block of its own on one node */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>

/* In a node's place: plain malloc, to compare with. */
#define QUEUE_MALLOC	(-1)

struct queue_item;

struct queue {
	int node;
	struct queue_item *first;
	struct queue_item *last;
	size_t length;
};

/* Begin with { .node = ... }. false: no memory; the queue is empty. */
bool queue_put(struct queue *queue, int value);
bool queue_get(struct queue *queue, int *value);

#endif
