/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * topo - which NUMA node is DDR and which is CXL
 *
 * Asked from the kernel's sysfs, in this order; the first that tells nodes
 * apart decides:
 *   1. memory tiers   a node in a slower tier than the nodes with CPUs
 *   2. HMAT           read latency from the nearest initiator at least 1.3
 *                     times that of the fastest node with CPUs
 *   3. CXL or DAX     a node without CPUs that a DAX device feeds
 *   4. no CPUs        any other node with memory and without CPUs
 * One node, or nothing told apart: no CXL nodes, the tier is emulated.
 */
#ifndef CM_TOPOLOGY_TOPO_H
#define CM_TOPOLOGY_TOPO_H

#include "base/types.h"

enum cm_topo_source {
	CM_TOPO_NONE,
	CM_TOPO_MEMORY_TIERS,
	CM_TOPO_HMAT,
	CM_TOPO_DAX,
	CM_TOPO_NO_CPUS,
};

struct cm_topo {
	struct cm_nodeset memory;	/* online, with memory */
	struct cm_nodeset cpu;		/* online, with CPUs */
	struct cm_nodeset tier[CM_NR_TIERS];
	enum cm_topo_source source;
};

/*
 * These two functions are for one caller at a time: they keep their buffer off the
 * stack of a program's thread.
 */

/* The nodes with memory, alone: one small file. 0, or -errno and empty. */
int cm_topo_memory_nodes(struct cm_nodeset *memory, const char *sysfs);

/*
 * Read the tree below `sysfs` ("/sys"; tests give a recorded one). Where it
 * cannot be read, memory is empty: nothing is known, nothing can be bound.
 */
void cm_topo_read(struct cm_topo *topo, const char *sysfs);

/* As cm_topo_memory_nodes for any number of callers, with 3 KiB of stack. */
int cm_topo_memory_nodes_own(struct cm_nodeset *memory, const char *sysfs);

#endif
