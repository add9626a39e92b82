/* SPDX-License-Identifier: BSD-2-Clause */
/* report - what the pools hold, and where the kernel says their pages are */
#ifndef CM_POOL_REPORT_H
#define CM_POOL_REPORT_H

#include "base/report.h"
#include "pool/pool.h"

/* Fill one tier's part: all three below. Not on any allocation path. */
void cm_pool_report(struct cm_pool *pool, struct cm_report_tier *out);

/*
 * What words of ours tell, and all else zero, resident excepted; in_use is whole
 * pages here. A pool without a window has jemalloc's statistics only.
 */
void cm_pool_report_words(struct cm_pool *pool, struct cm_report_tier *out);

/*
 * On top of that what jemalloc's statistics do, in_use by blocks. Takes their
 * locks, and flushes this thread's cache into its arena.
 */
void cm_pool_report_statistics(struct cm_pool *pool,
			       struct cm_report_tier *out);

/*
 * And where its pages are: /proc/self/numa_maps, for which the kernel walks
 * every page the process has. 8 KiB of stack.
 */
void cm_pool_report_pages(struct cm_pool *pool, struct cm_report_tier *out);

/* Bytes of each tier's heap on one node; 0 or -errno. As dear as that. */
int cm_pool_resident_on(unsigned node, uint64_t bytes[CM_NR_TIERS]);

/* Bytes committed, and in blocks the program holds. Takes statistics locks. */
void cm_pool_totals(struct cm_pool *pool, uint64_t *used, uint64_t *in_use);

/* Count one line of numa_maps for a window; the parser, for tests. */
struct cm_residency {
	struct cm_window window;
	struct cm_report_tier *out;
};
int cm_residency_line(char *line, void *residency);

/* The most one thread's cache can hold of the pool; 0: not known. */
uint64_t cm_pool_cache_bound(const struct cm_pool *pool);

#endif
