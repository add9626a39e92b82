/* SPDX-License-Identifier: BSD-2-Clause */
/* data - the pools, and each thread's part of them; nothing of jemalloc's */
#include "pool/pool.h"
#include "pool/thread.h"

struct cm_pool cm_pool[CM_NR_TIERS];
CM_TLS struct cm_thread cm_thread;
