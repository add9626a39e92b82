/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scope - a tier for what this thread allocates from here to there
 *
 * Everything is of the calling thread alone: malloc, new and the like under
 * libcxlmalloc.so, and cxlm_malloc(CXLM_TIER_POLICY) anywhere. Threads that it
 * makes meanwhile have the scope's tier only where the operator has said so
 * (thread.inherit).
 */
#ifndef CXLMALLOC_SCOPE_H
#define CXLMALLOC_SCOPE_H

#include "../cxlmalloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CXLM_SCOPES_MAX	32	/* how deep they nest */

/*
 * cxlm_push - from here on this thread's allocations try that tier first
 *
 * tier     CXLM_TIER_DDR, CXLM_TIER_CXL, or CXLM_TIER_POLICY: as the operator's
 *          policy has it, whatever the scope around it
 * returns  0, or -1 with errno, and all is as before:
 *          EINVAL   not a tier
 *          ENOTSUP  the process is not tiered, or does not use that tier
 *          ENOSPC   CXLM_SCOPES_MAX deep already
 * What cxlm_thread_tier says of order, limits and rules is true here, too.
 */
int cxlm_push(int tier);

/*
 * cxlm_pop - end the scope that began last
 *
 * returns  0, or -1 with errno EINVAL: there is none
 */
int cxlm_pop(void);

/*
 * cxlm_hint - a tier for data that has a name, if the operator gave it one
 *
 * name     what the data is: "index", "cache.values"; no comma or colon
 * tier     what the program would choose, or CXLM_TIER_POLICY
 * returns  the tier that the operator's hint=NAME:TIER says of the first
 *          pattern that matches, else tier: for cxlm_malloc or cxlm_push.
 *          It does not fail; a name that is NULL has none.
 * The options are searched each time: ask once, not for each block.
 */
int cxlm_hint(const char *name, int tier);

#ifdef __cplusplus
}
#endif

#endif
