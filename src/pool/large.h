/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * large - the last block freed of 256 KiB to 4 MiB waits for the next malloc
 *
 * A thread's cache (jemalloc's, with what entry/init.c asks of it) ends at 256 KiB,
 * and what is larger goes through jemalloc's arena: 4,000 instructions for a malloc
 * and free. So a tier has a place for each doubling, for all threads, 7.5 MiB if
 * all are taken. A block goes back to jemalloc when the next of its doubling comes,
 * when two looks (250 ms) found it there, when its tier is full, and with a purge.
 * To jemalloc it is in use; what counts bytes is told (cm_large_held).
 *
 * Synchronization: a place is exchanged; whoever has the word has the block.
 */
#ifndef CM_POOL_LARGE_H
#define CM_POOL_LARGE_H

#include "base/compiler.h"
#include "base/types.h"

#define CM_LARGE_MIN	(256 * KIB)	/* more than that */
#define CM_LARGE_MAX	(4 * MIB)
#define CM_LARGE_PLACES	4

/* decay_ms=0: what is free goes back at once. Set at start. */
extern bool cm_large_keeps CM_HIDDEN;

/* May a block of this size wait, be it asked for or freed? Also 0 and SIZE_MAX. */
static inline bool cm_large_is(size_t size)
{
	return size - CM_LARGE_MIN - 1 < CM_LARGE_MAX - CM_LARGE_MIN;
}

/*
 * A block of at least size bytes, and no more than a quarter larger, or NULL.
 * cm_large_is(size).
 */
void *cm_large_take(enum cm_tier tier, size_t size);

/* False: it is jemalloc's to free. size: its usable size, cm_large_is(size). */
bool cm_large_keep(enum cm_tier tier, void *p, size_t size);

/* What was there the last time goes back. */
void cm_large_age(enum cm_tier tier);

/* All goes back; false: there was nothing. */
bool cm_large_flush(enum cm_tier tier);

/* The bytes that wait, and how many blocks were taken again. */
uint64_t cm_large_held(enum cm_tier tier, uint64_t *taken);

#endif
