/* SPDX-License-Identifier: BSD-2-Clause */
/* events - cxlmalloc/info.h: a descriptor to poll; sys/event.h has it all */
#include <errno.h>

#include "cxlmalloc.h"
#include "base/compiler.h"
#include "entry/init.h"
#include "sys/event.h"

_Static_assert(CXLM_EVENT_NODES == CM_EVENT_NODES &&
		       CXLM_EVENT_POLICY == CM_EVENT_POLICY &&
		       CXLM_EVENT_LIMIT == CM_EVENT_LIMIT &&
		       CXLM_EVENT_FULL == CM_EVENT_FULL,
	       "one numbering");

static int result_of(int r)
{
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

CM_EXPORT int cxlm_events_open(void)
{
	(void)cm_init();
	return result_of(cm_event_open());
}

CM_EXPORT int cxlm_events_read(int fd)
{
	return result_of(cm_event_read(fd));
}

CM_EXPORT int cxlm_events_close(int fd)
{
	return result_of(cm_event_close(fd));
}
