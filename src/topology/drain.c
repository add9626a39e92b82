/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/auxv.h>

#include "base/nodeset.h"
#include "sys/file.h"
#include "topology/drain.h"

int cm_drain_read(struct cm_nodeset *drained)
{
	static char text[CM_NODESET_TEXT_MAX];
	ssize_t len;

	cm_nodeset_zero(drained);
	/* In secure execution no file decides anything. */
	if (getauxval(AT_SECURE))
		return 0;
	len = cm_file_read(CM_DRAIN_FILE, text, sizeof(text));
	if (len < 0)
		return len == -ENOENT ? 0 : (int)len;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	if (len > 0 && cm_nodeset_parse(drained, text, (size_t)len) < 0)
		cm_nodeset_zero(drained);
	return 0;
}
