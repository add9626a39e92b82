/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak_harm - an allocator that is wrong: soak must notice
 *
 * Preloaded ahead of the real one. SOAK_HARM=KIND:N does it to the Nth block:
 *   flip      one byte of it changes while it is held; to each Nth, as that may
 *             be when its holder has just checked it for the last time
 *   twice     malloc hands it out a second time
 *   dirty     calloc leaves one byte in it
 *   short     realloc copies one byte wrong; each Nth, as in a small block of
 *             large alignment it may be one that was never written
 *   move      posix_memalign is off its alignment by 16
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char kind[16];
static unsigned long nth;
static atomic_ulong calls;
static _Atomic(unsigned char *) victim;

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static int (*next_posix_memalign)(void **, size_t, size_t);
static void (*next_free)(void *);

static void find(void *where, const char *name)
{
	*(void **)where = dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void start(void)
{
	const char *how = getenv("SOAK_HARM");

	if (how)
		sscanf(how, "%15[a-z]:%lu", kind, &nth);
}

/* dlsym of a function that is there allocates nothing. */
static void prepare(void)
{
	if (next_free)
		return;
	find(&next_malloc, "malloc");
	find(&next_calloc, "calloc");
	find(&next_realloc, "realloc");
	find(&next_posix_memalign, "posix_memalign");
	find(&next_free, "free");
}

/* Is this the call to harm? Each kind counts its own. */
static int now(const char *what)
{
	return nth && !strcmp(kind, what) && atomic_fetch_add(&calls, 1) == nth;
}

void *malloc(size_t size)
{
	unsigned char *p, *held;

	prepare();
	held = victim;
	if (held && !strcmp(kind, "twice") &&
	    size <= malloc_usable_size(held) &&
	    size > malloc_usable_size(held) / 2 &&
	    atomic_compare_exchange_strong(&victim, &held, NULL))
		return held;
	p = next_malloc(size);
	if (now("twice"))
		victim = p;
	if (now("flip"))
		victim = p;
	/* some calls later: its holder has written it */
	if (held && !strcmp(kind, "flip") && calls > nth + 200 &&
	    atomic_compare_exchange_strong(&victim, &held, NULL)) {
		held[malloc_usable_size(held) / 2] ^= 4;
		calls = 0;	/* its holder may be about to free it */
	}
	return p;
}

void free(void *p)
{
	unsigned char *held = p;

	prepare();
	if (p && atomic_compare_exchange_strong(&victim, &held, NULL))
		calls = 0;	/* freed too soon: another one, later */
	next_free(p);
}

void *calloc(size_t n, size_t size)
{
	unsigned char *p;

	prepare();
	p = next_calloc(n, size);
	if (p && now("dirty"))
		p[n * size - 1] = 1;
	return p;
}

void *realloc(void *p, size_t size)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	unsigned char *held = p, *q;

	prepare();
	if (p && atomic_compare_exchange_strong(&victim, &held, NULL))
		calls = 0;
	q = next_realloc(p, size);
	/* among what had to be copied */
	if (p && q && size > 32 && old > 32 && now("short")) {
		q[(old < size ? old : size) / 2] ^= 1;
		calls = 0;
	}
	return q;
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	prepare();
	if (alignment > 16 && now("move")) {
		char *block = next_malloc(size + 2 * alignment);

		/* Whatever malloc's address is a multiple of by itself. */
		*p = block + alignment - (uintptr_t)block % alignment + 16;
		return block ? 0 : ENOMEM;
	}
	return next_posix_memalign(p, alignment, size);
}
