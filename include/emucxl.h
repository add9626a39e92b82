/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emucxl.h - EmuCXL's API (emucxl_lib.h) and what it lacks
 */
#ifndef EMUCXL_H
#define EMUCXL_H

#include "emucxl_lib.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * emucxl_get_real_node - the machine's NUMA node that has ptr's page now
 *
 * returns  the node as the kernel says, or -1 with errno as cxlm_node_of
 *          (ENOENT: never touched), EINVAL: in no block
 */
int emucxl_get_real_node(const void *ptr);

/*
 * emucxl_migrate_in_place - move a block's pages to a node; its address stays
 *
 * For blocks of a page or more: smaller ones share theirs with others, and
 * emucxl_migrate moves those.
 * returns  0, or -1 with errno:
 *          EINVAL   no block begins at ptr; neither 0 nor 1; the block is smaller
 *                   than a page
 *          ENOMEM   not all pages could be moved; those that were stay moved
 *          others   as cxlm_migrate
 */
int emucxl_migrate_in_place(void *ptr, int newnode);

/* emucxl_emulated - 1: node 1 is ordinary memory here; 0: CXL's, or another node */
int emucxl_emulated(void);

#ifdef __cplusplus
}
#endif

#endif
