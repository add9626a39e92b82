/* SPDX-License-Identifier: BSD-2-Clause */
/* drain - the nodes an operator wants processes to leave */
#ifndef CM_TOPOLOGY_DRAIN_H
#define CM_TOPOLOGY_DRAIN_H

#include "base/types.h"

/* One node list; root writes it (cxlctl drain), every process reads it. */
#define CM_DRAIN_DIR	"/run/cxlmalloc"
#define CM_DRAIN_FILE	CM_DRAIN_DIR "/drain"

/*
 * Empty where there is no such file, or no list in it. 0, or -errno when it
 * cannot be told (no file descriptor left). One caller at a time.
 */
int cm_drain_read(struct cm_nodeset *drained);

#endif
