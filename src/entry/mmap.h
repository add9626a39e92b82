/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap - the program's own maps get a tier */
#ifndef CM_ENTRY_MMAP_H
#define CM_ENTRY_MMAP_H

/* When it is known whether the process is tiered. */
void cm_mmap_init(void);

/* When everything else is ready: from here maps are placed. */
void cm_mmap_begin(void);

#endif
