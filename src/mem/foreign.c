/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign - libcxlmem beside the process's malloc
 *
 * What is not ours is malloc's, whichever that is: glibc's, another library's, a
 * sanitizer's. It knows what it did not hand out, and says so its own way. These
 * are libc's names, which mem/own.h took from our sources.
 */
#include "entry/foreign.h"

void *cm_libc_malloc(size_t) __asm__("malloc");
void *cm_libc_calloc(size_t, size_t) __asm__("calloc");
void *cm_libc_realloc(void *, size_t) __asm__("realloc");
void cm_libc_free(void *) __asm__("free");
size_t cm_libc_usable_size(void *) __asm__("malloc_usable_size");

/*
 * These own most addresses, and cannot watch what is elsewhere; the address
 * sanitizer can do with a heap beside its own.
 */
extern void __tsan_init(void) __attribute__((weak));
extern void __msan_init(void) __attribute__((weak));
extern void __hwasan_init(void) __attribute__((weak));

const struct cm_next *cm_next(void)
{
	static const struct cm_next next = {
		.malloc = cm_libc_malloc,
		.calloc = cm_libc_calloc,
		.realloc = cm_libc_realloc,
		.free = cm_libc_free,
		.memalign = memalign,
		.usable_size = cm_libc_usable_size,
	};

	return &next;
}

void cm_foreign_init(void)
{
}

bool cm_foreign_sanitizer(void)
{
	return __tsan_init || __msan_init || __hwasan_init;
}

/* Without windows nothing tells our blocks from malloc's: they all are malloc's. */
bool cm_foreign_serves(enum cm_state state)
{
	return state == CM_STATE_SANITIZER || state == CM_STATE_NO_WINDOW;
}

void cm_foreign_free(void *p)
{
	cm_libc_free(p);
}

size_t cm_foreign_size(void *p)
{
	return cm_libc_usable_size(p);
}
