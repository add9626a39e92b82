/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/compiler.h"
#include "entry/early.h"

#define EARLY_SIZE	(256 * KIB)

static _Alignas(4096) CM_SPARSE char block[EARLY_SIZE];
static size_t next;

void *cm_early_alloc(size_t size, size_t alignment)
{
	size_t at;

	if (alignment < 16)
		alignment = 16;
	if (size > EARLY_SIZE || alignment > 4096)
		return NULL;
	/* The size stands in the eight bytes ahead of the block. */
	at = (next + 16 + alignment - 1) & ~(alignment - 1);
	if (at > EARLY_SIZE || EARLY_SIZE - at < size)
		return NULL;
	memcpy(block + at - sizeof(size), &size, sizeof(size));
	next = at + size;
	return block + at;	/* .bss: zero, and never handed out twice */
}

bool cm_early_owns(const void *p)
{
	return (uintptr_t)p - (uintptr_t)block < EARLY_SIZE;
}

bool cm_early_used(void)
{
	return next != 0;
}

size_t cm_early_size(const void *p)
{
	size_t size;

	memcpy(&size, (const char *)p - sizeof(size), sizeof(size));
	return size;
}
