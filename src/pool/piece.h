/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * piece - how windows are cut into pieces with policies of their own
 *
 * The pieces of all windows together make at most a quarter of the mappings a
 * process may have (vm.max_map_count): four fifths of that in the window of
 * pool/mixed.h; where tiers' own windows are cut too, because their nodes have
 * weights, they share it.
 */
#ifndef CM_POOL_PIECE_H
#define CM_POOL_PIECE_H

#include "policy/chunk.h"

/* A quarter of vm.max_map_count; read once. */
uint64_t cm_piece_budget(void);

/* Of the mixed window; weighted: nodes have weights. */
struct cm_chunks cm_piece_mixed(bool weighted);

/* Of a tier's window, over its nodes by their weights. */
struct cm_chunks cm_piece_tier(enum cm_tier tier);

#endif
