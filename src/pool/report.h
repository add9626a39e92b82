/* SPDX-License-Identifier: BSD-2-Clause */
/* report - what the pools hold, and where the kernel says their pages are */
#ifndef CM_POOL_REPORT_H
#define CM_POOL_REPORT_H

#include "base/report.h"
#include "pool/pool.h"

/*
 * Fill one tier's part. Not on any allocation path: takes jemalloc's
 * statistics locks and reads /proc/self/numa_maps.
 */
void cm_pool_report(struct cm_pool *pool, struct cm_report_tier *out);

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
