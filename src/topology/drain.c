/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nodeset.h"
#include "sys/file.h"
#include "topology/drain.h"

void cm_drain_read(struct cm_nodeset *drained)
{
	char text[CM_NODESET_TEXT_MAX];
	ssize_t len = cm_file_read(CM_DRAIN_FILE, text, sizeof(text));

	cm_nodeset_zero(drained);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	if (len > 0 && cm_nodeset_parse(drained, text, (size_t)len) < 0)
		cm_nodeset_zero(drained);
}
