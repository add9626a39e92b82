/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turns - policy=interleave: what threads have taken, and whose turn it is
 *
 * jemalloc counts each thread's bytes per instance; a thread adds what is new
 * to the process's sums now and then (entry/turns.c), when its slow path asks
 * whose turn it is.
 *
 * Synchronization: sums and weights are atomic, sums only grow but for new
 * weights. Two threads may answer differently at the same moment; the next to
 * come sees both sums.
 */
#ifndef CM_ENTRY_TURNS_H
#define CM_ENTRY_TURNS_H

#include "base/compiler.h"
#include "base/types.h"

struct cm_thread;

/* New weights: turns begin anew. One writer at a time. */
void cm_turns_set(const unsigned weight[CM_NR_TIERS]);

/* The tier whose turn it is. */
enum cm_tier cm_turns_now(struct cm_thread *thread);

/* The tier is full: what it has missed is not made up for later. */
void cm_turns_forgive(enum cm_tier tier);

/* The thread ends: what it has not added yet. */
void cm_turns_leave(struct cm_thread *thread);

#endif
