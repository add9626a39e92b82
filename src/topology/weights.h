/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weights - what share of the bytes each tier's nodes should take
 *
 * Source: Linux Documentation/ABI/testing/sysfs-kernel-mm-mempolicy-weighted-
 * interleave (6.9) and Documentation/admin-guide/mm/numaperf.rst.
 */
#ifndef CM_TOPOLOGY_WEIGHTS_H
#define CM_TOPOLOGY_WEIGHTS_H

#include "base/types.h"

/*
 * The sum over each tier's nodes of the kernel's weights, where they differ
 * from its default (1 each, which says nothing); else of the read bandwidth by
 * HMAT, where it is known of every node, brought down to small numbers.
 * False: neither is known, weight is left alone.
 */
bool cm_weights_read(const char *sysfs,
		     const struct cm_nodeset nodes[CM_NR_TIERS],
		     unsigned weight[CM_NR_TIERS]);

/*
 * What an agent has published with cxlctl weights: the user's file if there is
 * one, $XDG_RUNTIME_DIR/cxlmalloc/weights, else root's, CM_WEIGHTS_FILE. Both
 * hold "3:1\n". False: nothing was published, or it is no such file.
 */
#define CM_WEIGHTS_FILE "/run/cxlmalloc/weights"

bool cm_weights_published(unsigned weight[CM_NR_TIERS]);

/*
 * Has the kernel a weight for each of the nodes, and do they say just this? of
 * is empty, or has each node's weight; then the kernel's are in their ratio.
 */
bool cm_weights_are_kernels(const char *sysfs,
			    const struct cm_nodeset nodes[CM_NR_TIERS],
			    const unsigned weight[CM_NR_TIERS],
			    const struct cm_node_weights *of);

#endif
