/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cxlmalloc.h - memory on DDR or CXL, for programs that know their data
 *
 *	cxlmalloc/alloc.h	blocks on a tier or on nodes
 *	cxlmalloc/pool.h	pools of the program's own
 *	cxlmalloc/place.h	where pages are, and moving them
 *	cxlmalloc/scope.h	a tier for what a thread allocates meanwhile
 *	cxlmalloc/info.h	tiers and nodes: size, use, latency; events
 *	cxlmalloc/ctl.h		all of it by name
 *
 * The functions are in libcxlmem.so, which overrides nothing and may be linked
 * or loaded with dlopen, and in libcxlmalloc.so, the malloc. In a process that
 * has libcxlmalloc.so, libcxlmem's functions are the same heap: a block of
 * cxlm_malloc may be given to free, one of malloc to cxlm_free. Without it
 * libcxlmem has a heap of its own beside malloc's; cxlm_free then takes blocks
 * of both, free only malloc's. That heap starts with the first call.
 *
 * Every function may be called from any thread, also before main; none may be
 * called from a signal handler, or from a handler for fork (pthread_atfork) that
 * was registered before the library was loaded: it would wait for itself.
 * Those that fail return -1 or NULL and set errno;
 * what each value means is said with the function. Structures begin with their
 * size, set by the caller: a later version adds fields at the end.
 */
#ifndef CXLMALLOC_H
#define CXLMALLOC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum cxlm_tier {
	CXLM_TIER_DDR,
	CXLM_TIER_CXL
};

/* No limit was set. */
#define CXLM_NO_LIMIT	UINT64_MAX

/* Bytes a tier holds. A later version adds fields at the end. */
struct cxlm_tier_stat {
	size_t size;		/* in: sizeof(struct cxlm_tier_stat) */
	uint64_t used;		/* committed now: in blocks, or free but held */
	uint64_t limit;		/* what used may reach, or CXLM_NO_LIMIT */
	uint64_t peak;		/* the highest used so far */
	uint64_t over;		/* used beyond the limit now (on_full) */
	uint64_t over_peak;	/* the highest over so far */
	uint64_t mapped;	/* usable bytes of maps of the program's own */
};

/*
 * cxlm_version - version of the library and of the jemalloc built into it
 *
 * returns  a constant string such as "0.1.0 (jemalloc 5.3.1 (source))"
 */
const char *cxlm_version(void);

/*
 * cxlm_tier_of - the tier a block was allocated from
 *
 * p        any address; it is not dereferenced. Of a large block that
 *          policy=interleave has laid on both tiers it is this byte's tier
 * returns  CXLM_TIER_DDR or CXLM_TIER_CXL, or -1 when p lies in no tier's
 *          address window (NULL, another allocator's, or the process is not
 *          tiered). It tells which pool owns the address, not which node
 *          holds the page: ask move_pages(2) or numa_maps for that.
 */
int cxlm_tier_of(const void *p);

/*
 * cxlm_tier_stat - what a tier holds now
 *
 * tier     CXLM_TIER_DDR or CXLM_TIER_CXL
 * stat     stat->size set by the caller; fields that fit in it are filled
 * returns  0, or -1 with errno:
 *          EINVAL  not a tier, stat is NULL, or stat->size is too small
 * Other threads go on allocating: the fields are read one after another.
 */
int cxlm_tier_stat(int tier, struct cxlm_tier_stat *stat);

/* In a tier's place: as the policy has it, as malloc would. */
#define CXLM_TIER_POLICY	(-1)

/* Threads that this one makes from now on begin with the same, and theirs. */
#define CXLM_INHERIT	1

/*
 * cxlm_thread_tier - the tier that is tried first for what this thread allocates
 *
 * tier     CXLM_TIER_DDR, CXLM_TIER_CXL, or CXLM_TIER_POLICY to end it
 * flags    0 or CXLM_INHERIT
 * returns  0, or -1 with errno, and all is as before:
 *          EINVAL   not a tier, or an unknown flag
 *          ENOTSUP  the process is not tiered, or does not use that tier
 *                   (order=ddr, say)
 * It holds from the thread's next allocation on, until it is called again or
 * the thread ends; blocks there are stay where they are, and realloc keeps a
 * block's tier. A rule for the caller (rule=) goes before it, it goes before
 * one for the thread's name (thread=). If the tier is full the policy's order
 * goes on; limits hold. Inheritance is by pthread_create and what calls it
 * (std::thread), not by C11's thrd_create or a raw clone, and not in libcxlmem's
 * own heap, which sees no thread begin. A child of fork keeps it. Each thread
 * has its own: no other thread may see it change.
 */
int cxlm_thread_tier(int tier, int flags);

#ifdef __cplusplus
}
#endif

#include "cxlmalloc/alloc.h"
#include "cxlmalloc/pool.h"
#include "cxlmalloc/place.h"
#include "cxlmalloc/scope.h"
#include "cxlmalloc/info.h"
#include "cxlmalloc/ctl.h"

#endif
