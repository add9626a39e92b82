/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own - other names for what libcxlmem must not define
 *
 * Every file of libcxlmem is compiled with this ahead of it (-include). What
 * our sources call malloc, free and so on is our heap: in libcxlmalloc that is
 * everybody's, here it is cm_heap_malloc, and libc's names stay libc's. What
 * they define of cxlmalloc.h becomes cm_own_cxlm_..., which the jumps of
 * mem/table.c reach unless the process has libcxlmalloc.
 */
#ifndef CM_MEM_OWN_H
#define CM_MEM_OWN_H

#include <malloc.h>
#include <stdlib.h>

#include "cxlmalloc.h"

#define CM_NAMED(name, symbol) \
	extern __typeof__(name) name __asm__(symbol) \
		__attribute__((visibility("hidden")))

CM_NAMED(malloc, "cm_heap_malloc");
CM_NAMED(calloc, "cm_heap_calloc");
CM_NAMED(realloc, "cm_heap_realloc");
CM_NAMED(reallocarray, "cm_heap_reallocarray");
CM_NAMED(free, "cm_heap_free");
CM_NAMED(malloc_usable_size, "cm_heap_usable_size");

#define CM_API(name, ...) CM_NAMED(name, "cm_own_" #name);
#include "api/functions.def"
#undef CM_API

#endif
