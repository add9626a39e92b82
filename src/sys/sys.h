/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sys - the system calls placement needs, and the seam tests replace
 *
 * Every call is made raw: libc's wrappers may be interposed (by us, one day),
 * may be cancellation points, and set errno, which free() must keep. Each
 * returns 0 or -errno and leaves errno alone.
 */
#ifndef CM_SYS_SYS_H
#define CM_SYS_SYS_H

#include <sys/types.h>

#include "base/types.h"

/* linux/mempolicy.h; older headers lack some of these. */
#define CM_MPOL_DEFAULT			0
#define CM_MPOL_PREFERRED		1
#define CM_MPOL_BIND			2
#define CM_MPOL_INTERLEAVE		3
#define CM_MPOL_PREFERRED_MANY		5
#define CM_MPOL_WEIGHTED_INTERLEAVE	6	/* Linux 6.9 */
#define CM_MPOL_F_STATIC_NODES		(1 << 15)
#define CM_MPOL_MF_MOVE			(1 << 1)
#define CM_MPOL_F_MEMS_ALLOWED		(1 << 2)
#define CM_MPOL_F_ADDR			(1 << 1)

struct cm_sys_ops {
	/*
	 * Map size bytes, private, anonymous, readable and writable, at
	 * exactly `at`. -EEXIST: something is there, or the kernel put it
	 * elsewhere (before 4.17 and under qemu-user MAP_FIXED_NOREPLACE is
	 * taken for a hint).
	 */
	int (*map_at)(void *at, size_t size);
	int (*unmap)(void *at, size_t size);
	/*
	 * Give the pages back; the next touch sees zeroes. Succeeds only when
	 * they are really gone, also under mlockall.
	 */
	int (*purge)(void *at, size_t size);
	/* No transparent huge pages here; kernels without them refuse. */
	int (*no_huge_pages)(void *at, size_t size);
	/* Is there address space for this much more? */
	bool (*can_map)(size_t size);
	/* mbind(2). mode is one of CM_MPOL_*, flags included. */
	int (*bind)(void *at, size_t size, int mode,
		    const struct cm_nodeset *nodes);
};

extern const struct cm_sys_ops cm_sys_real;

/* The nodes this thread may allocate on; -EPERM under container seccomp. */
int cm_sys_mems_allowed(struct cm_nodeset *nodes);

size_t cm_sys_page_size(void);

/* Is there address space for this much more? Maps it, and unmaps it. */
bool cm_sys_can_map(size_t size);

/* Memory of our own, zero and never given back; NULL. */
void *cm_sys_map_own(size_t size);

/*
 * Has somebody given this address a policy that is none of ours? Ours carry
 * MPOL_F_STATIC_NODES.
 */
bool cm_sys_is_bound_otherwise(void *at);

/*
 * As the bind of cm_sys_ops, for pages that are there already: they move. The
 * kernel makes all CPUs take part, so only where that is known.
 */
int cm_sys_bind_moving(void *at, size_t size, int mode,
		       const struct cm_nodeset *nodes);

/* The node of each page, or -errno of it; -errno: the kernel does not say. */
int cm_sys_nodes_of(void *const *pages, size_t nr, int *node);

/*
 * Move each page to the node beside it. status: the node it is on then, or
 * -errno of it. 0, or -errno: none was moved.
 */
int cm_sys_move_pages(void *const *pages, size_t nr, const int *node,
		      int *status);

/* madvise(2). */
int cm_sys_advise(void *at, size_t size, int advice);

/*
 * The pages of a range to another, which they replace; both stay mapped, the first
 * is as if never touched. When it fails nothing may be mapped at `to` any more.
 */
int cm_sys_move_range(void *from, void *to, size_t size);

/* Tried with pages of its own: Linux 5.7. */
bool cm_sys_can_move_range(void);

/* mlock(2), of this page; also true where it cannot be told (before Linux 5.4). */
bool cm_sys_is_page_locked(void *at);

/* Is all of it mapped? Page by page's bounds. */
bool cm_sys_is_mapped(void *at, size_t size);

/* CPUs this process may run on, at least 1. */
unsigned cm_sys_nr_cpus(void);

/* 64 bits nobody outside can guess, differing from call to call. */
uint64_t cm_sys_random(void);

#endif
