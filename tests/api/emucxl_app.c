/* SPDX-License-Identifier: BSD-2-Clause */
/* A program as EmuCXL's users write them: its calls and types, nothing of ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emucxl_lib.h"
#define LOCAL_MEMORY 0
#define REMOTE_MEMORY 1

static void show(const char *what, void *p)
{
	printf("%s: node %d, local %d, %zu bytes; %zu and %zu in all\n", what,
	       emucxl_get_numa_node(p), emucxl_is_local(p), emucxl_get_size(p),
	       emucxl_stats(LOCAL_MEMORY), emucxl_stats(REMOTE_MEMORY));
}

int main()
{
	u_int32_t value = 42;
	char text[PAGE_SIZE];
	Key_value *pair;
	data_t item;

	emucxl_init();
	pair = (Key_value *)emucxl_alloc(sizeof(Key_value), LOCAL_MEMORY);
	if (pair == NULL)
		exit(1);
	strcpy(pair->key, "key");
	pair->value = (int)value;
	pair->next = NULL;
	show("alloc", pair);
	pair = emucxl_migrate(pair, REMOTE_MEMORY, sizeof(Key_value));
	show("migrate", pair);
	pair = emucxl_resize(pair, REMOTE_MEMORY, sizeof(Key_value), PAGE_SIZE);
	show("resize", pair);
	emucxl_write(pair, 0, (void *)"pair", 5);
	emucxl_read(pair, 0, text, sizeof(Key_value));
	emucxl_memset(pair, 64, 'x', PAGE_SIZE);
	emucxl_memcpy(text + 100, (char *)pair + 64, 10);
	emucxl_memmove((char *)pair + 1, pair, 5);
	item.address = pair;
	printf("%s %d %.10s %s %d\n", text, pair->value, text + 100,
	       (char *)item.address, (int)(item.address == pair));
	emucxl_free(pair, PAGE_SIZE);
	show("free", pair);
	emucxl_exit();
	return 0;
}
