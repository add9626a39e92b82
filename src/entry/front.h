/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front - jemalloc's fast paths once more, where we know how it is laid out
 *
 * jemalloc's own (pool/je.h) serve sizes up to 4 KiB of one instance, so malloc
 * has to jump to the tier's. These are the same steps, on the same thread cache
 * (jemalloc's tcache), but
 *   - the tier is an offset from the thread pointer, read with the other words
 *     of cm_fast: no jump, the same code for both tiers;
 *   - they serve all sizes a thread's cache keeps, up to CM_FRONT_MAX.
 * Where jemalloc's step is one that these do not know (an empty or full bin, an
 * event, a thread or instance that has not begun, a large block while any may
 * have been moved) they change nothing and the old way is taken.
 *
 * Relied on, of jemalloc 5.3 (jemalloc/layout.c has where, from its headers):
 *   - a bin is a stack that grows down; its low 16 bits say what is empty, full
 *     and the low water mark; a bin that is off or not begun is both empty and
 *     full by them, all zero included;
 *   - the thresholds of a thread's events are zero while anything but the fast
 *     path is to be taken;
 *   - a thread remembers in rtree_ctx where the table of pages of a range of
 *     addresses is, and that table stays;
 *   - an entry of that table has the size class in its bits above LG_VADDR, for
 *     every page of a slab and the first of a large block.
 * tests/preload/front.tap holds our classes against jemalloc's sizes.
 *
 * Events come by bytes allocated, each 64 KiB. A block of more than
 * CM_FRONT_COUNTED counts as one of that size, as each block of 64 KiB would come
 * by our slow path otherwise. Nothing else reads those counters while blocks
 * of such sizes are served here (policy=interleave does, so there they are not).
 */
#ifndef CM_ENTRY_FRONT_H
#define CM_ENTRY_FRONT_H

#include "base/state.h"
#include "pool/je.h"
#include "pool/je_layout.h"

#if defined(CM_JE_LG_VADDR) && defined(__x86_64__) && !defined(__ILP32__) && \
	!defined(CM_DEBUG) && !defined(CM_MEM)
#define CM_FRONT
#endif

#ifdef CM_FRONT

#define CM_FRONT_MAX		(256 * KIB)
#define CM_FRONT_COUNTED	CM_JE_FAST_MAX
#define CM_FRONT_NR		(CM_JE_NR_SMALL + 17)	/* 16 KiB .. 256 KiB */

_Static_assert(CM_JE_FAST_MAX == CM_JE_LOOKUP_MAX, "pool/je.h");
_Static_assert(CM_JE_NR_BINS >= CM_FRONT_NR, "bins beyond are not there");
_Static_assert(CM_JE_LG_VADDR == 48 && CM_JE_LG_PAGE == 12 &&
		       CM_JE_BIN_SIZE == 24 && CM_JE_LEAF_SIZE == 16,
	       "what the code below is good for");

/*
 * Of the size (size + 7) / 8 the class; of the class the bytes it counts and
 * those its blocks have.
 */
struct cm_front {
	uint8_t sc[CM_JE_FAST_MAX / 8 + 1];
	uint64_t counted[CM_FRONT_NR];
	uint32_t bytes[CM_FRONT_NR];
};

extern struct cm_front cm_front CM_HIDDEN;

/* Before anything is routed to a tier. */
CM_HIDDEN void cm_front_init(void);

/* What cm_fast.tsd is for a tier's fast path; 0 for any other route. */
CM_HIDDEN intptr_t cm_front_of(cm_malloc_fn *route);

/* A word of the thread's, by its offset from the thread pointer. */
#define CM_FS(type, offset) (*(type __seg_fs *)(uintptr_t)(offset))

/* Where an instance's state is; not all compilers have __builtin_thread_pointer. */
#define CM_FRONT_TSD(instance)						\
	({								\
		intptr_t offset_;					\
		__asm__("movq " #instance "_tsd_tls@gottpoff(%%rip), %0" \
			: "=r"(offset_));				\
		offset_;						\
	})

/* The class of a size above CM_JE_FAST_MAX: four to each doubling. */
static inline unsigned cm_front_class(size_t size)
{
	unsigned lg = 63 - (unsigned)__builtin_clzl(size - 1);

	return (lg - 12) * 4 + (unsigned)((size - 1) >> (lg - 2)) - 4 +
	       cm_front.sc[CM_JE_FAST_MAX / 8] + 1;
}

/* A block of the class from the thread's cache in the instance; false: none. */
static inline __attribute__((always_inline)) bool
cm_front_take(intptr_t tsd, size_t sc, uint64_t counted, void **block)
{
	intptr_t bin = tsd + CM_JE_BINS + (intptr_t)sc * CM_JE_BIN_SIZE;
	uint64_t after = CM_FS(uint64_t, tsd + CM_JE_ALLOCATED) + counted;
	void **head;

	if (unlikely(after >= CM_FS(uint64_t, tsd + CM_JE_ALLOCATED_NEXT)))
		return false;
	head = CM_FS(void **, bin + CM_JE_BIN_HEAD);
	if (unlikely((uint16_t)(uintptr_t)head ==
		     CM_FS(uint16_t, bin + CM_JE_BIN_LOW_WATER))) {
		if ((uint16_t)(uintptr_t)head ==
		    CM_FS(uint16_t, bin + CM_JE_BIN_EMPTY))
			return false;
		CM_FS(uint16_t,
		      bin + CM_JE_BIN_LOW_WATER) = (uint16_t)(uintptr_t)(head +
									 1);
	}
	*block = *head;
	CM_FS(void **, bin + CM_JE_BIN_HEAD) = head + 1;
	CM_FS(uint64_t, tsd + CM_JE_ALLOCATED) = after;
	CM_FS(uint64_t, bin + CM_JE_BIN_REQUESTS)++;
	return true;
}

/* The class of a block of the instance's; CM_FRONT_NR: not known, or another. */
static inline __attribute__((always_inline)) uint64_t
cm_front_class_of(intptr_t tsd, const void *p)
{
	uintptr_t at = (uintptr_t)p;
	intptr_t leaf = tsd + CM_JE_LEAVES +
			(intptr_t)(at >> CM_JE_LG_LEAF &
				   (CM_JE_NR_LEAVES - 1)) *
				CM_JE_LEAF_SIZE;
	const uint64_t *pages;

	if (unlikely(CM_FS(uintptr_t, leaf + CM_JE_LEAF_KEY) !=
		     (at & -(UINT64_C(1) << CM_JE_LG_LEAF))))
		return CM_FRONT_NR;
	pages = CM_FS(const uint64_t *, leaf + CM_JE_LEAF_AT);
	return pages[at >> CM_JE_LG_PAGE &
		     ((UINT64_C(1) << (CM_JE_LG_LEAF - CM_JE_LG_PAGE)) - 1)] >>
	       CM_JE_LG_VADDR;
}

/* Put a block of the instance's into the thread's cache; false: not done. */
static inline __attribute__((always_inline)) bool cm_front_put(intptr_t tsd,
							       void *p)
{
	uint64_t sc = cm_front_class_of(tsd, p), after;
	intptr_t bin;
	void **head;

	if (unlikely(sc >= atomic_load_explicit(&cm_fast.nr_classes,
						memory_order_relaxed)))
		return false;
	after = CM_FS(uint64_t, tsd + CM_JE_DEALLOCATED) + cm_front.counted[sc];
	if (unlikely(after >= CM_FS(uint64_t, tsd + CM_JE_DEALLOCATED_NEXT)))
		return false;
	bin = tsd + CM_JE_BINS + (intptr_t)sc * CM_JE_BIN_SIZE;
	head = CM_FS(void **, bin + CM_JE_BIN_HEAD);
	if (unlikely((uint16_t)(uintptr_t)head ==
		     CM_FS(uint16_t, bin + CM_JE_BIN_FULL)))
		return false;
	*--head = p;
	CM_FS(void **, bin + CM_JE_BIN_HEAD) = head;
	CM_FS(uint64_t, tsd + CM_JE_DEALLOCATED) = after;
	return true;
}

#else	/* no front: malloc jumps to jemalloc's fast paths */

static inline void cm_front_init(void)
{
}

#endif
#endif
