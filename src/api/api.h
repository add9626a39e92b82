/* SPDX-License-Identifier: BSD-2-Clause */
/* api - what the files behind cxlmalloc.h share */
#ifndef CM_API_API_H
#define CM_API_API_H

#include <errno.h>

#include "cxlmalloc.h"
#include "base/compiler.h"
#include "entry/init.h"
#include "policy/policy.h"

static inline int cm_api_fail(int err)
{
	errno = err;
	return -1;
}

static inline void *cm_api_null(int err)
{
	errno = err;
	return NULL;
}

/* A tier by its number; CXLM_TIER_POLICY is none. */
static inline bool cm_api_is_tier(int tier)
{
	return tier >= 0 && tier < CM_NR_TIERS;
}

/* Does this process have the tier in its order? Starts the library. */
static inline bool cm_api_uses(int tier)
{
	return (likely(atomic_load_explicit(&cm_process.life,
					    memory_order_acquire) ==
		       CM_LIFE_READY) ||
		cm_init()) &&
	       cm_process.state == CM_STATE_TIERED &&
	       cm_policy_says(CM_WORD_USED((unsigned)tier));
}

/* Of a tier, or NULL and errno, as alloc.h says. site: who called. */
void *cm_api_alloc(int tier, size_t alignment, size_t size, bool zero,
		   int flags, const void *site);

#endif
