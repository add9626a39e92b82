/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emucxl_lib.h - EmuCXL's API on libcxlmem: link with -lemucxl
 *
 * Node 0 (LOCAL_MEMORY) is the DDR tier, node 1 (REMOTE_MEMORY) the CXL tier: of
 * real nodes where the machine has CXL memory, else emulated. Any thread may
 * call any function. emucxl(3) and docs/EMUCXL.md have the rest.
 */
#ifndef EMUCXL_LIB_H
#define EMUCXL_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "emucxl_kernel.h"

#ifndef PAGE_SIZE
#define PAGE_SIZE 4096
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* "/dev/emucxl", which nothing opens. */
extern const char *dev_file;

typedef struct data {
	void *address;
	int size;
	int numa_node;		/* 0: local, 1: remote */
	struct data *next;
} data_t;

typedef struct Key_value {
	char key[50];
	int value;
	struct Key_value *next;
} Key_value;

/*
 * emucxl_init - begin; calls nest
 *
 * Where node 1 is emulated a line on standard error says so; with
 * EMUCXL_EMULATION=fail in the environment the process ends with status 1
 * instead, as it does with EmuCXL where /dev/emucxl is missing, and with
 * EMUCXL_EMULATION=quiet there is no line.
 */
void emucxl_init(void);

/* emucxl_exit - the last one of as many as emucxl_init frees all that is left */
void emucxl_exit(void);

/*
 * emucxl_alloc - size bytes on a node, all zero
 *
 * One of a page or more begins at a page.
 * returns  the block, or NULL with errno:
 *          ENOMEM   no room there
 *          EINVAL   neither 0 nor 1; a size of 0
 *          ENODEV   emucxl_init was not called
 *          ENOTSUP  order= (cxlmalloc.conf(5)) leaves the tier out
 */
void *emucxl_alloc(size_t size, int node);

/*
 * emucxl_free - give back a block, all of it whatever size says
 *
 * An address that no block begins at is left alone.
 */
void emucxl_free(void *ptr, size_t size);

/*
 * emucxl_resize - a new block of newsize bytes on a node, the old one freed
 *
 * What fits is copied, the rest is zero. The address is always another one.
 * returns  the new block, or NULL with errno as emucxl_alloc, also EINVAL: no
 *          block begins at ptr. The old block is then as it was.
 */
void *emucxl_resize(void *ptr, int node, size_t oldsize, size_t newsize);

/* emucxl_migrate - the same with size bytes on another node */
void *emucxl_migrate(void *ptr, int newnode, size_t size);

/*
 * emucxl_read, emucxl_write, emucxl_memset - bytes start_index to size - 1
 *
 * The same range of ptr and of buffer: size is where it ends. A range that
 * leaves the block ptr is in is refused, as are NULL and a size of 0: false or
 * NULL, with errno EINVAL.
 */
bool emucxl_read(void *ptr, int start_index, void *buffer, size_t size);
bool emucxl_write(void *ptr, int start_index, void *buffer, size_t size);
void *emucxl_memset(void *ptr, int start_index, int value, size_t size);

/* emucxl_memcpy, emucxl_memmove - return dest; NULL as above; may overlap */
void *emucxl_memcpy(void *dest, const void *src, size_t size);
void *emucxl_memmove(void *dest, const void *src, size_t size);

/*
 * Of the block that ptr is in, at any address of it: is it on node 0; on which
 * node it was allocated, or to which it was migrated; its size. Of others:
 * false, -1, 0.
 */
bool emucxl_is_local(void *ptr);
int emucxl_get_numa_node(void *ptr);
size_t emucxl_get_size(void *ptr);

/* emucxl_stats - bytes of all blocks of a node, as they were asked for */
size_t emucxl_stats(int numa_node);

/* EmuCXL's lists, for programs that keep one; the library does not use them. */
data_t **dataAlloc(void);
void dataFree(data_t **data);
void *getItem(data_t **data, void *address);
void deleteItem(data_t **data, void *address);
void addItem(data_t **data, void *address, int size, int numa_node);
size_t getSize(data_t **data, void *address);
int getNumaNode(data_t **data, void *address);
int getSizeOfAllocatedMemory(data_t **data, int numa_node);

#ifdef __cplusplus
}
#endif

#endif
