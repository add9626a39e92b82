/* SPDX-License-Identifier: BSD-2-Clause */
/* hint - cxlmalloc/scope.h: the tier of data that has a name */
#include "cxlmalloc.h"
#include "base/compiler.h"
#include "entry/init.h"
#include "policy/rule.h"

CM_EXPORT int cxlm_hint(const char *name, int tier)
{
	unsigned hinted;

	/* The options are read before anything else is ready. */
	if (!name || !cm_init())
		return tier;
	hinted = cm_rules_name(&cm_process.settings.hints, name);
	return hinted ? (int)hinted - 1 : tier;
}
