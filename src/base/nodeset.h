/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nodeset - sets of NUMA nodes, and the kernel's way of writing them
 *
 * "0-1,3" as in /sys/devices/system/node and Mems_allowed_list; '+' stands
 * for ',' where the comma has another job ("0-1+3" in CXLMALLOC_CONF).
 */
#ifndef CM_BASE_NODESET_H
#define CM_BASE_NODESET_H

#include "base/types.h"

static inline void cm_nodeset_zero(struct cm_nodeset *set)
{
	*set = (struct cm_nodeset){ { 0 } };
}

/* node is below CM_MAX_NODES in these three */
static inline bool cm_nodeset_test(const struct cm_nodeset *set, unsigned node)
{
	return set->bits[node / CM_LONG_BITS] >> node % CM_LONG_BITS & 1;
}

static inline void cm_nodeset_set(struct cm_nodeset *set, unsigned node)
{
	set->bits[node / CM_LONG_BITS] |= 1UL << node % CM_LONG_BITS;
}

static inline void cm_nodeset_clear(struct cm_nodeset *set, unsigned node)
{
	set->bits[node / CM_LONG_BITS] &= ~(1UL << node % CM_LONG_BITS);
}

/* set becomes the common part; what is left without other; all of both */
void cm_nodeset_and(struct cm_nodeset *set, const struct cm_nodeset *other);
void cm_nodeset_andnot(struct cm_nodeset *set, const struct cm_nodeset *other);
void cm_nodeset_or(struct cm_nodeset *set, const struct cm_nodeset *other);

bool cm_nodeset_empty(const struct cm_nodeset *set);
bool cm_nodeset_equal(const struct cm_nodeset *a, const struct cm_nodeset *b);
unsigned cm_nodeset_weight(const struct cm_nodeset *set);

/* the lowest node of set that is at least from; CM_MAX_NODES: none */
unsigned cm_nodeset_next(const struct cm_nodeset *set, unsigned from);

static inline unsigned cm_nodeset_first(const struct cm_nodeset *set)
{
	return cm_nodeset_next(set, 0);
}

#define cm_nodeset_for_each(node, set)					\
	for ((node) = cm_nodeset_first(set); (node) < CM_MAX_NODES;	\
	     (node) = cm_nodeset_next(set, (node) + 1))

/*
 * cm_nodeset_parse - read a list of nodes and ranges
 *
 * Blanks around items and a newline at the end are allowed; text of blanks
 * only is the empty set, as the kernel writes it.
 * returns  0; -EINVAL  not a list, set untouched;
 *          -ERANGE  a node at or above CM_MAX_NODES, set untouched
 */
int cm_nodeset_parse(struct cm_nodeset *set, const char *text, size_t len);

/*
 * cm_nodeset_format - write it the kernel's way, "" for the empty set
 *
 * returns the characters written, without the NUL; -ENOSPC when size is too
 * small, buf then holds the beginning.
 */
int cm_nodeset_format(const struct cm_nodeset *set, char *buf, size_t size);

/* Holds any set: every other node of 1024, "0,2,...". */
#define CM_NODESET_TEXT_MAX	2560

#endif
