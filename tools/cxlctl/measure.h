/* SPDX-License-Identifier: BSD-2-Clause */
/* measure - latency and bandwidth of reads of one piece of memory */
#ifndef CXLCTL_MEASURE_H
#define CXLCTL_MEASURE_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Memory of a node, touched; a multiple of 2 MiB. NULL: errno says why, the
 * node does not have it or mbind is refused.
 */
void *measure_map(size_t size, unsigned node);
void measure_unmap(void *memory, size_t size);

/*
 * Nanoseconds of a read that the next one waits for: each line of the memory
 * names another, in one random circle through all, so that neither caches nor
 * prefetching help. On the first of cpus, for ms; 0: it could not run there.
 * The memory is written over.
 */
double measure_latency(void *memory, size_t size, const cpu_set_t *cpus,
		       unsigned ms);

/*
 * Bytes in a microsecond (MB/s) that one thread on each of cpus reads, each
 * its own part from end to end, for ms. *threads: how many these were.
 */
double measure_bandwidth(const void *memory, size_t size, const cpu_set_t *cpus,
			 unsigned ms, unsigned *threads);

#endif
