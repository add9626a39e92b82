/* SPDX-License-Identifier: BSD-2-Clause */
/* start - when libcxlmem's own heap begins */
#ifndef CM_MEM_START_H
#define CM_MEM_START_H

#include "base/compiler.h"

/* Have the heap; the first call of any function, where it is ours. */
CM_HIDDEN void cm_mem_start(void);

#endif
