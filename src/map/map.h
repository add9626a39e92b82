/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map - memory the program maps itself: which tier, and bound to it
 *
 * A reservation is given a tier once; what is mapped over it later, made
 * usable or grown has the same. `mapped` is what of it the program may touch:
 * address space, not pages. How many of them are there is the kernel's to say.
 *
 * Everything here may run in a signal handler and in vfork's child: no lock,
 * no allocation, errno is kept.
 */
#ifndef CM_MAP_MAP_H
#define CM_MAP_MAP_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/report.h"
#include "base/settings.h"
#include "map/range.h"

/* Fixed before the first map is placed. */
struct cm_map_rules {
	enum cm_mmap_policy policy;
	size_t above;		/* what is more is mmap.min in pages */
};

extern struct cm_map_rules cm_map_rules CM_HIDDEN;

/* After the pools have their places. 0, or -errno: nothing can be placed. */
int cm_map_init(const struct cm_settings *settings);

/* Where a new map of this size goes; used: it is no mere reservation. */
enum cm_range_place cm_map_choose(uint64_t size, bool used);

/*
 * It was mapped: remember, and bind. how is of CM_MAP_* in pool/place.h. False:
 * it stays where the kernel puts it.
 */
bool cm_map_place(uintptr_t at, size_t size, enum cm_range_place place,
		  bool usable, unsigned how);

/* Bind, without remembering. False: that place binds nothing. */
bool cm_map_bind(uintptr_t at, size_t size, enum cm_range_place place,
		 unsigned how);

/*
 * For a report that has what the pools hold: what is mapped, and its pages
 * beside theirs. Not on any path of the program's.
 */
void cm_map_report(struct cm_report_tier tier[CM_NR_TIERS]);

/* Usable bytes of the program's maps on the tier. */
uint64_t cm_map_mapped(enum cm_tier tier);

struct cm_pool;

/* The pool has other nodes now: bind what was placed there. */
void cm_map_rebind(struct cm_pool *pool);

/*
 * What the kernel has there, after a call that failed and may have changed
 * some of it. Reads /proc/self/maps.
 */
void cm_map_resync(uintptr_t at, size_t size);

#endif
