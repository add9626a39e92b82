/* SPDX-License-Identifier: BSD-2-Clause */
/* je_layout - what is known of the inside of the jemalloc built in; may be nothing */
#ifndef CM_POOL_JE_LAYOUT_H
#define CM_POOL_JE_LAYOUT_H

#include "jemalloc/layout.h"

#endif
