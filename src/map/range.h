/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * range - which pages the program mapped and we placed, and on what
 *
 * Four bits for each page of the address space, in a tree that is made like a
 * page table: an entry is either the same four bits for all the pages below
 * it, or a pointer to the next level. A reservation of a terabyte costs a
 * thousand words, a map of 256 KiB far from all others 500 bytes.
 *
 * Nothing is ever locked: each change is one compare-and-swap of a word, so a
 * signal may interrupt it at any instruction and change the same pages, a
 * thread may be cancelled or jump out of it, vfork's child may share it and
 * fork may copy it. What is left half done is stale, and stale is harmless:
 *   I1  an entry says what was placed, not that it still is mapped (others
 *       make system calls of their own). Whoever acts on it must bear that.
 *   I2  the counts change with the words, by exactly what these changed.
 *   I3  a word may be written by two threads at a time only for different
 *       pages, or for pages the program itself unmaps and maps at a time.
 *
 * Addresses that are unmapped may be another thread's before the unmapping
 * thread comes back. So pages are marked as leaving first, unmapped, and then
 * those that still are marked are forgotten: who maps them anew unmarks them.
 *
 * Synchronization: the tree is atomic words, as said; a level, once published
 * by compare-and-swap, stays for ever. counts are atomic, relaxed.
 */
#ifndef CM_MAP_RANGE_H
#define CM_MAP_RANGE_H

#include "base/types.h"

/* Where pages were placed; a tier's is its number and 1. */
enum cm_range_place {
	CM_RANGE_NONE,		/* not ours */
	CM_RANGE_DDR = CM_TIER_DDR + 1,
	CM_RANGE_CXL = CM_TIER_CXL + 1,
	CM_RANGE_PLACES
};

_Static_assert((int)CM_NR_TIERS + 1 == (int)CM_RANGE_PLACES &&
		       (int)CM_RANGE_PLACES <= 4,
	       "every tier, in two bits");

/* A run of pages alike. */
struct cm_range_run {
	uintptr_t at;
	size_t size;
	enum cm_range_place place;
	bool usable;		/* its protection lets the program touch it */
};

/* Once, before anything else. 0, or -EINVAL: not a page size we know. */
int cm_range_init(size_t page);

/* Bytes round up to pages; false: empty, not aligned, or beyond the tree. */
bool cm_range_fits(uintptr_t at, size_t size, size_t *rounded);

/*
 * All take whole pages that fit.
 *
 * add: false when there is no memory for the tree; nothing is known of the
 * pages then. The others act on known pages alone and cannot fail; where a
 * level that they would have to split cannot be had, they forget all of it.
 */
bool cm_range_add(uintptr_t at, size_t size, enum cm_range_place place,
		  bool usable);
void cm_range_forget(uintptr_t at, size_t size);
void cm_range_protect(uintptr_t at, size_t size, bool usable);

/* Before pages are unmapped, and after: they are gone, or they stayed. */
void cm_range_leave(uintptr_t at, size_t size);
void cm_range_left(uintptr_t at, size_t size);
void cm_range_stay(uintptr_t at, size_t size);

/* The place of the first known page; CM_RANGE_NONE: none is known. */
enum cm_range_place cm_range_first(uintptr_t at, size_t size);

/*
 * The next run of known pages at or after at, cut at end. False: none. Marks
 * of leaving do not show.
 */
bool cm_range_next(uintptr_t at, uintptr_t end, struct cm_range_run *run);

/*
 * After mremap moved pages that were marked as leaving: those that still are
 * have the same at `to`. Whoever calls it ends the leaving.
 */
bool cm_range_copy(uintptr_t at, uintptr_t to, size_t size);

/* Usable bytes placed there. */
uint64_t cm_range_usable(enum cm_range_place place);

/* Bytes that could not be added for want of memory, since the start. */
uint64_t cm_range_missed(void);

/* For tests: how much memory the tree may have, and where it is from. */
extern void *(*cm_range_more)(size_t size);

#endif
