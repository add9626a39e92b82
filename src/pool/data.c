/* SPDX-License-Identifier: BSD-2-Clause */
/* data - the pools, and each thread's part of them; nothing of jemalloc's */
#include "pool/mixed.h"
#include "pool/own.h"
#include "pool/pool.h"
#include "pool/thread.h"

struct cm_pool cm_pool[CM_NR_TIERS];
CM_SPARSE struct cm_mixed cm_mixed[CM_MAX_MIXED];
_Atomic unsigned cm_nr_mixed;
CM_SPARSE struct cm_own cm_own[CM_MAX_OWN];
_Atomic unsigned cm_nr_own;
CM_TLS struct cm_thread cm_thread;
