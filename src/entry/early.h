/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early - blocks for whoever allocates while the library starts
 *
 * Starting calls dlsym and reads files; libc may allocate on that way. Such
 * a request is served from a fixed block in .bss, never given back. It is
 * written by the starting thread only (entry/init.c makes others wait).
 */
#ifndef CM_ENTRY_EARLY_H
#define CM_ENTRY_EARLY_H

#include "base/types.h"

void *cm_early_alloc(size_t size, size_t alignment);
bool cm_early_owns(const void *p);
bool cm_early_used(void);
size_t cm_early_size(const void *p);

#endif
