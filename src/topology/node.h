/* SPDX-License-Identifier: BSD-2-Clause */
/* node - what the kernel says of one NUMA node: memory, distance in time */
#ifndef CM_TOPOLOGY_NODE_H
#define CM_TOPOLOGY_NODE_H

#include <stdatomic.h>

#include "base/types.h"

struct cm_node_memory {
	uint64_t total;		/* bytes */
	uint64_t free;
	uint64_t droppable;	/* page cache not in use, free slab */
	uint64_t active_file;	/* page cache in use: goes last */
};

/* From nodeN/meminfo below sysfs; 0 or -errno (offline: -ENOENT). */
int cm_node_memory_read(const char *sysfs, unsigned node,
			struct cm_node_memory *out);

/*
 * What the kernel keeps of each node when a program asks for memory: its
 * zones' high watermarks (below them it starts to reclaim) and what low zones
 * hold back for those who need low addresses. bytes[node] for every node of
 * `path` ("/proc/zoneinfo"); others are left alone. 0 or -errno.
 */
int cm_node_reserve_read(const char *path,
			 _Atomic uint64_t bytes[CM_MAX_NODES]);

struct cm_node_speed {
	/* 0: not known (no HMAT) */
	uint64_t read_latency_ns, write_latency_ns;
	uint64_t read_bandwidth_mbs, write_bandwidth_mbs;	/* MB/s */
};

/* From the nearest initiator (HMAT access class 0). */
void cm_node_speed_read(const char *sysfs, unsigned node,
			struct cm_node_speed *out);

#endif
