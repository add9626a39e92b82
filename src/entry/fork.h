/* SPDX-License-Identifier: BSD-2-Clause */
/* fork - a child of a threaded process can allocate; see man 3 */
#ifndef CM_ENTRY_FORK_H
#define CM_ENTRY_FORK_H

void cm_fork_init(void);

#endif
