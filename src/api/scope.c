/* SPDX-License-Identifier: BSD-2-Clause */
/* scope - cxlmalloc/scope.h: a tier for what a thread allocates meanwhile */
#include "api/api.h"
#include "entry/site.h"

_Static_assert(CXLM_SCOPES_MAX == CM_SITE_SCOPES, "one bound");

CM_EXPORT int cxlm_push(int tier)
{
	int err;

	if (tier < CXLM_TIER_POLICY || tier >= CM_NR_TIERS)
		return cm_api_fail(EINVAL);
	err = cm_init() ? cm_site_push(tier) : -ENOTSUP;
	return err ? cm_api_fail(-err) : 0;
}

CM_EXPORT int cxlm_pop(void)
{
	int err = cm_site_pop();

	return err ? cm_api_fail(-err) : 0;
}
