/* SPDX-License-Identifier: BSD-2-Clause */
/* fork - a child of a threaded process can allocate; docs/FORK.md */
#ifndef CM_ENTRY_FORK_H
#define CM_ENTRY_FORK_H

void cm_fork_init(void);

#endif
