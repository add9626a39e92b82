/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign - blocks that another allocator handed out
 *
 * They come from a plugin opened with RTLD_DEEPBIND, from __libc_malloc, from
 * mallocx of a libjemalloc the program links. free() must give them to their
 * owner, or leave them alone: guessing wrong would crash the program, leaking
 * does not.
 */
#ifndef CM_ENTRY_FOREIGN_H
#define CM_ENTRY_FOREIGN_H

#include "base/report.h"
#include "base/types.h"

/* The next definition of each in the loader's search order. */
struct cm_next {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	void *(*memalign)(size_t, size_t);
	size_t (*usable_size)(void *);
};

/* Looked up once, on first use; every member is set. */
const struct cm_next *cm_next(void);

void cm_foreign_free(void *p);

/* 0 when the owner is not known. */
size_t cm_foreign_size(void *p);

/* Remember where the program break was before anybody moved it. */
void cm_foreign_init(void);

/* A sanitizer's runtime is in the process and owns malloc. */
bool cm_foreign_sanitizer(void);

/* Are all calls passed on to cm_next? */
bool cm_foreign_serves(enum cm_state state);

#endif
