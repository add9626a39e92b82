/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * je - the two private jemalloc instances, as far as we use them
 *
 * Each instance is jemalloc, but for where its size classes end unmodified, built
 * by jemalloc/build with its own prefix. Two of its own seams are used:
 *
 * - <prefix>malloc_default and <prefix>free_default, where jemalloc's fast
 *   paths go when they cannot serve, are weak in the archive and ours in the
 *   library (entry/slow.c, entry/block.c); its own have second names,
 *   <prefix>own_malloc_default and <prefix>own_free_default.
 *   So the fast path stays jemalloc's own, and everything
 *   else (a thread's first call, a full tier, a changed policy) is met there.
 *   jemalloc comes there by itself at least once every 64 KiB a thread
 *   allocates (its tcache_gc_incr_bytes event).
 * - what it asks of libc is renamed to cm_je_* (pool/je_os.c).
 * And some names of its inside (struct cm_je).
 */
#ifndef CM_POOL_JE_H
#define CM_POOL_JE_H

#include "base/compiler.h"
#include "base/types.h"

/* jemalloc(3): extent_hooks_t, in the ABI of 5.x. */
struct cm_extent_hooks {
	void *(*alloc)(struct cm_extent_hooks *, void *at, size_t size,
		       size_t alignment, bool *zero, bool *commit,
		       unsigned arena);
	bool (*dalloc)(struct cm_extent_hooks *, void *, size_t, bool,
		       unsigned);
	void (*destroy)(struct cm_extent_hooks *, void *, size_t, bool,
			unsigned);
	bool (*commit)(struct cm_extent_hooks *, void *at, size_t size,
		       size_t offset, size_t length, unsigned arena);
	bool (*decommit)(struct cm_extent_hooks *, void *at, size_t size,
			 size_t offset, size_t length, unsigned arena);
	bool (*purge_lazy)(struct cm_extent_hooks *, void *, size_t, size_t,
			   size_t, unsigned);
	bool (*purge_forced)(struct cm_extent_hooks *, void *, size_t, size_t,
			     size_t, unsigned);
	bool (*split)(struct cm_extent_hooks *, void *, size_t, size_t, size_t,
		      bool, unsigned);
	bool (*merge)(struct cm_extent_hooks *, void *, size_t, void *, size_t,
		      bool, unsigned);
};

/* The flags of mallocx(3). */
#define CM_JE_LG_ALIGN(lg)	((int)(lg))
#define CM_JE_ZERO		0x40
#define CM_JE_TCACHE_NONE	0x100
#define CM_JE_TCACHE(id)	(((int)(id) + 2) << 8)
#define CM_JE_ARENA(i)		(((int)(i) + 1) << 20)

/* The largest size its fast path serves (SC_LOOKUP_MAXCLASS). */
#define CM_JE_FAST_MAX		4096

/* The largest size that lies in slabs where a page is 4 KiB (SC_SMALL_MAXCLASS). */
#define CM_JE_SLAB_MAX		(14 * KIB)

/* "arena.4096.purge": every arena (MALLCTL_ARENAS_ALL). */
#define CM_JE_ALL_ARENAS	4096

struct cm_je {
	const char *prefix;
	const char **conf;	/* <prefix>malloc_conf; read at first use */
	/* Where it writes "<jemalloc>: ..."; NULL: to stderr. */
	void (**message)(void *, const char *);
	void *(*mallocx)(size_t, int);
	void *(*rallocx)(void *, size_t, int);
	size_t (*xallocx)(void *, size_t, size_t, int);
	void (*dallocx)(void *, int);
	size_t (*usable_size)(void *);
	int (*mallctl)(const char *, void *, size_t *, void *, size_t);
	int (*mallctlnametomib)(const char *, size_t *, size_t *);
	int (*mallctlbymib)(const size_t *, size_t, void *, size_t *, void *,
			    size_t);
	/* Not of its interface: the destructor of its thread-specific key. */
	void (*thread_cleanup)(void *);
	/*
	 * Where it has not begun in the calling thread: it is as if that had run.
	 * The thread is served, without a cache, and in no list of threads. Its
	 * arena is then none but 0, as it has no part of another (tsd_binshards).
	 */
	void (*thread_end)(void);
	/* Nor are these, and NULL where a jemalloc lacks them. */
	void *_Atomic *arenas;		/* by index */
	void (*arena_nthreads_inc)(void *arena, bool internal);
};

extern const struct cm_je cm_je[CM_NR_TIERS];

/* The fast paths, called by name so that they are tail calls. */
CM_HIDDEN void *cm_ddr_malloc(size_t size);
CM_HIDDEN void *cm_cxl_malloc(size_t size);
CM_HIDDEN void *cm_ddr_own_malloc_default(size_t size);
CM_HIDDEN void *cm_cxl_own_malloc_default(size_t size);
CM_HIDDEN void *cm_ddr_calloc(size_t nr, size_t size);
CM_HIDDEN void *cm_cxl_calloc(size_t nr, size_t size);
CM_HIDDEN void *cm_ddr_aligned_alloc(size_t alignment, size_t size);
CM_HIDDEN void *cm_cxl_aligned_alloc(size_t alignment, size_t size);
CM_HIDDEN void *cm_ddr_realloc(void *p, size_t size);
CM_HIDDEN void *cm_cxl_realloc(void *p, size_t size);
CM_HIDDEN void *cm_ddr_mallocx(size_t size, int flags);
CM_HIDDEN void *cm_cxl_mallocx(size_t size, int flags);
CM_HIDDEN void cm_ddr_free(void *p);
CM_HIDDEN void cm_cxl_free(void *p);
CM_HIDDEN size_t cm_ddr_malloc_usable_size(void *p);
CM_HIDDEN size_t cm_cxl_malloc_usable_size(void *p);
CM_HIDDEN void cm_ddr_own_free_default(void *p);
CM_HIDDEN void cm_cxl_own_free_default(void *p);

/*
 * Read one value of 8 or 4 bytes, 0 where this version of jemalloc does not
 * know it; _at and _at2: with i and j for the 0s of the name, as in
 * "stats.arenas.0.lextents.0.nmalloc".
 */
uint64_t cm_je_read(const struct cm_je *je, const char *name);
uint64_t cm_je_read_at(const struct cm_je *je, const char *name, unsigned i);
uint64_t cm_je_read_at2(const struct cm_je *je, const char *name, unsigned i,
			unsigned j);

/*
 * Make an instance usable; false when there is no memory for that. One
 * instance at a time.
 */
bool cm_je_start(const struct cm_je *je);

/*
 * Let an arena keep its free pages for the decay time, as if one thread of it
 * never ended: jemalloc gives back all that is free in an arena which the last
 * thread leaves, page by page, to be had again for the next. Each thread is on
 * arena 0 until it has one of ours, and threads' caches lie there. After an arena
 * was made (that one with its instance), and in a child of fork.
 */
void cm_je_keep_pages(const struct cm_je *je, unsigned arena);

/* Set aside a low thread-specific key for each instance; at start. */
void cm_je_take_keys(void);

/*
 * From the calling thread's destructor of a key before those: no instance is to
 * begin in it any more. One that has begun sees to that by its own destructor.
 */
void cm_je_leave(void);

/* jemalloc's handlers for fork, which it registered through je_os. */
void cm_je_fork_prepare(void);
void cm_je_fork_parent(void);
void cm_je_fork_child(void);

#endif
