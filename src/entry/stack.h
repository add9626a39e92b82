/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack - the callers of an allocation, named so that they are the same in
 * another run: module and offset, wherever either is loaded
 *
 * Unwound by a private copy of the compiler's unwinder (libgcc_eh), from the
 * tables C++ exceptions use, which x86-64 and aarch64 have for C, too. With
 * glibc 2.35 it finds them without a lock of the loader's; nothing is allocated.
 * Where a frame has no tables (generated code) the stack ends.
 */
#ifndef CM_ENTRY_STACK_H
#define CM_ENTRY_STACK_H

#include "base/types.h"

#define CM_STACK_FRAMES		8
#define CM_FRAME_NAME_MAX	64

struct cm_frame {
	char name[CM_FRAME_NAME_MAX];	/* of the module; "?": in none */
	uint64_t offset;	/* of the return address, in the file */
};

struct cm_stack {
	uint64_t hash;
	unsigned nr;
	struct cm_frame frame[CM_STACK_FRAMES];
};

/* The frame an address is in. */
void cm_frame_of(struct cm_frame *frame, uintptr_t site);

/* The hash of a frame behind those that hash has; none yet: CM_HASH_NONE. */
#define CM_HASH_NONE	UINT64_C(0xcbf29ce484222325)
uint64_t cm_frame_hash(uint64_t hash, const char *name, size_t len,
		       uint64_t offset);

/* From the frame that site is in outwards. */
void cm_stack_read(struct cm_stack *stack, const void *site);

#endif
