/* SPDX-License-Identifier: BSD-2-Clause */
/* hooks - what jemalloc calls when a pool's arena needs or returns pages */
#ifndef CM_POOL_HOOKS_H
#define CM_POOL_HOOKS_H

#include "pool/pool.h"

extern const struct cm_extent_hooks cm_hooks;

#endif
