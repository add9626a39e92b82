/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_older - a libcxlmalloc that lacks most functions (-DLIBRARY), and a program
 * linked with libcxlmem that calls some
 */
#include <cxlmalloc.h>
#include <stdlib.h>

#ifdef LIBRARY

extern const char cxlm_preloaded[];
const char cxlm_preloaded[] = "0.0";

const char *cxlm_version(void)
{
	return cxlm_preloaded;
}

void *cxlm_malloc(int tier, size_t size, int flags)
{
	(void)tier, (void)flags;
	return malloc(size);
}

void cxlm_free(void *p)
{
	free(p);
}

#else

#include "../preload/check.h"

int main(void)
{
	struct cxlm_tier_stat stat = { .size = sizeof(stat) };
	void *p = cxlm_malloc(1, 100, 0);

	check(!strcmp(cxlm_version(), "0.0") && p, "what it has is called");
	errno = 0;
	check(!cxlm_calloc(1, 1, 100, 0) && errno == ENOSYS,
	      "a block it has no function for: NULL, ENOSYS");
	errno = 0;
	check(cxlm_tier_stat(1, &stat) == -1 && errno == ENOSYS,
	      "a number it has no function for: -1, ENOSYS");
	errno = 0;
	check(cxlm_usable_size(p) == 0 && errno == ENOSYS,
	      "a size it has no function for: 0, ENOSYS");
	cxlm_free(p);
	return check_done();
}

#endif
