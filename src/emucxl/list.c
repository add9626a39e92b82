/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EmuCXL's list of addresses, whose functions its header declares. The library
 * has its own (block.c); these are for programs that keep a list themselves, and
 * lock it.
 */
#include <stdlib.h>

#include "emucxl_lib.h"
#include "emucxl/block.h"

EC_EXPORT data_t **dataAlloc(void)
{
	return calloc(1, sizeof(data_t *));
}

EC_EXPORT void dataFree(data_t **data)
{
	data_t *item, *next;

	for (item = data ? *data : NULL; item; item = next) {
		next = item->next;
		free(item);
	}
	free(data);
}

/* Where the pointer to an address's item is: an item's next, or the list. */
static data_t **find(data_t **data, const void *address)
{
	while (*data && (*data)->address != address)
		data = &(*data)->next;
	return data;
}

EC_EXPORT void *getItem(data_t **data, void *address)
{
	data_t *item = *find(data, address);

	return item ? item->address : NULL;
}

EC_EXPORT void deleteItem(data_t **data, void *address)
{
	data_t **at = find(data, address), *item = *at;

	if (item) {
		*at = item->next;
		free(item);
	}
}

EC_EXPORT void addItem(data_t **data, void *address, int size, int numa_node)
{
	data_t *item = malloc(sizeof(*item));

	deleteItem(data, address);
	if (!item)
		return;
	*item = (data_t){ address, size, numa_node, *data };
	*data = item;
}

EC_EXPORT size_t getSize(data_t **data, void *address)
{
	data_t *item = *find(data, address);

	return item ? (size_t)item->size : 0;
}

EC_EXPORT int getNumaNode(data_t **data, void *address)
{
	data_t *item = *find(data, address);

	return item ? item->numa_node : -1;
}

EC_EXPORT int getSizeOfAllocatedMemory(data_t **data, int numa_node)
{
	data_t *item;
	int sum = 0;

	for (item = *data; item; item = item->next)
		if (item->numa_node == numa_node)
			sum += item->size;
	return sum;
}
