/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live - settings in force: at start, and changed while the program runs
 *
 * Synchronization: everything here is called at start, or by whoever holds
 * entry/nodes.c's `looking`; allocations see the result as a snapshot, a word,
 * a route, and the pools' atomics. Nothing blocks and nothing allocates.
 */
#ifndef CM_ENTRY_LIVE_H
#define CM_ENTRY_LIVE_H

#include "base/settings.h"
#include "policy/policy.h"

/* At start: the policy before the nodes are known, for the pools' sake. */
void cm_live_prepare(const struct cm_settings *settings);

/* At start, once they are: put it in force; says what it cannot do. */
void cm_live_begin(const struct cm_settings *settings);

/* The library is ready: fast paths go to jemalloc from here. */
void cm_live_route(void);

/*
 * Take a request of cxlctl's, answer it. True: the settings are others than
 * before, and nodes have to be looked at again.
 */
bool cm_live_answer(void);

/*
 * The program's own request (cxlm_ctl): one option, or with id -1 settings as
 * in CXLMALLOC_CONF. The checks are those of cxlctl's. 0, and the caller then
 * has nodes looked at; or nothing is changed: -EINVAL, -EPERM: it cannot change
 * while the program runs; -EBUSY: later.
 */
int cm_live_set(int id, const char *text);

/*
 * Weights that change by themselves: published ones (policy=bandwidth), and
 * the kernel's or HMAT's when nodes came or went.
 */
void cm_live_follow(bool nodes_changed);

/* Another number when cm_live_format would say something else. */
unsigned cm_live_version(void);

/* "key=value,...": what is in force, of options that can change first. */
void cm_live_format(char *text, size_t size);

#endif
