/* SPDX-License-Identifier: BSD-2-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "entry/foreign.h"
#include "sys/sys.h"

/* glibc exports these; another libc need not. */
extern void *__libc_malloc(size_t) __attribute__((weak));
extern void *__libc_calloc(size_t, size_t) __attribute__((weak));
extern void *__libc_realloc(void *, size_t) __attribute__((weak));
extern void __libc_free(void *) __attribute__((weak));
extern void *__libc_memalign(size_t, size_t) __attribute__((weak));

extern void __tsan_init(void) __attribute__((weak));
extern void __msan_init(void) __attribute__((weak));
extern void __asan_init(void) __attribute__((weak));
extern void __hwasan_init(void) __attribute__((weak));

static struct cm_next next;
static _Atomic bool next_known;
static uintptr_t first_brk;

static uintptr_t current_brk(void)
{
	/* The raw call returns the break, also when it refuses. */
	return (uintptr_t)syscall(SYS_brk, 0);
}

void cm_foreign_init(void)
{
	first_brk = current_brk();
}

bool cm_foreign_sanitizer(void)
{
	return __tsan_init || __msan_init || __asan_init || __hwasan_init;
}

bool cm_foreign_serves(enum cm_state state)
{
	return state == CM_STATE_SANITIZER;
}

static size_t unknown_size(void *p)
{
	(void)p;
	return 0;
}

static void lookup(const char *name, void *slot, const void *fallback)
{
	void *f = dlsym(RTLD_NEXT, name);

	/* ISO C has no cast from void * to a function; POSIX has the bytes. */
	memcpy(slot, f ? (const void *)&f : fallback, sizeof(f));
}

const struct cm_next *cm_next(void)
{
	/* Two threads may both look: they find the same. */
	if (!next_known) {
		void *(*f_malloc)(size_t) = __libc_malloc;
		void *(*f_calloc)(size_t, size_t) = __libc_calloc;
		void *(*f_realloc)(void *, size_t) = __libc_realloc;
		void (*f_free)(void *) = __libc_free;
		void *(*f_memalign)(size_t, size_t) = __libc_memalign;
		size_t (*f_size)(void *) = unknown_size;

		lookup("malloc", &next.malloc, &f_malloc);
		lookup("calloc", &next.calloc, &f_calloc);
		lookup("realloc", &next.realloc, &f_realloc);
		lookup("free", &next.free, &f_free);
		lookup("memalign", &next.memalign, &f_memalign);
		lookup("malloc_usable_size", &next.usable_size, &f_size);
		next_known = true;
	}
	return &next;
}

static bool mapped(uintptr_t at)
{
	unsigned char vec;
	int saved = errno;
	uintptr_t page = at & ~(uintptr_t)(cm_sys_page_size() - 1);
	bool yes = syscall(SYS_mincore, page, 1, &vec) == 0;

	errno = saved;
	return yes;
}

/* arena.c: what a heap of an arena other than the main one begins with. */
struct glibc_heap {
	void *arena;
	struct glibc_heap *prev;
	size_t size;
	size_t mprotect_size;
};

#define GLIBC_HEAP_SIZE	(64 * MIB)	/* and alignment, on 64 bits */

static bool in_glibc_heap(uintptr_t at, size_t size)
{
	uintptr_t base = at & ~(uintptr_t)(GLIBC_HEAP_SIZE - 1);
	const struct glibc_heap *heap = (const void *)base;

	return mapped(base) && heap->arena && mapped((uintptr_t)heap->arena) &&
	       heap->size % 4096 == 0 && heap->mprotect_size % 4096 == 0 &&
	       heap->size <= heap->mprotect_size &&
	       heap->mprotect_size <= GLIBC_HEAP_SIZE &&
	       at - base >= sizeof(*heap) && at - base + size <= heap->size;
}

/*
 * glibc's chunk header stands ahead of the block: its size, with three flags
 * (malloc/malloc.c: PREV_INUSE 1, IS_MMAPPED 2, NON_MAIN_ARENA 4). What does
 * not look like one in every respect is not glibc's: its free would abort.
 */
static bool is_glibc(const void *p)
{
	uintptr_t at = (uintptr_t)p;
	size_t header, size;

	if (!__libc_free || at % 16 || at < 4096 ||
	    !mapped(at - sizeof(header)))
		return false;
	memcpy(&header, (const char *)p - sizeof(header), sizeof(header));
	size = header & ~(size_t)7;
	if (size < 32 || size % 16 || size > PTRDIFF_MAX)
		return false;
	if ((header & 7) == 2)	/* a map of its own, whole pages */
		return (at - 16) % 4096 == 0 && size % 4096 == 0 &&
		       mapped(at - 16 + size - 4096);
	if (header & 2)
		return false;
	if (header & 4)
		return in_glibc_heap(at, size - 16);
	return at >= first_brk && at + size - 16 <= current_brk();
}

void cm_foreign_free(void *p)
{
	const struct cm_next *n = cm_next();

	/*
	 * A program that links another malloc replacement gets its blocks
	 * only by that library's own names (mallocx); its free knows them.
	 */
	if (n->free != __libc_free)
		n->free(p);
	else if (is_glibc(p))
		__libc_free(p);
}

size_t cm_foreign_size(void *p)
{
	const struct cm_next *n = cm_next();

	return n->free != __libc_free || is_glibc(p) ? n->usable_size(p) : 0;
}
