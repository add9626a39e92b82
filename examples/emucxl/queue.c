/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include <emucxl.h>

#include <stdlib.h>

struct queue_item {
	struct queue_item *next;
	int value;
};

bool queue_put(struct queue *queue, int value)
{
	struct queue_item *item;

	if (queue->node == QUEUE_MALLOC)
		item = calloc(1, sizeof(*item));
	else
		item = emucxl_alloc(sizeof(*item), queue->node);
	if (!item)
		return false;
	item->value = value;
	item->next = NULL;
	*(queue->last ? &queue->last->next : &queue->first) = item;
	queue->last = item;
	queue->length++;
	return true;
}

bool queue_get(struct queue *queue, int *value)
{
	struct queue_item *item = queue->first;

	if (!item)
		return false;
	*value = item->value;
	queue->first = item->next;
	if (!queue->first)
		queue->last = NULL;
	queue->length--;
	if (queue->node == QUEUE_MALLOC)
		free(item);
	else
		emucxl_free(item, sizeof(*item));
	return true;
}
