/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/state.h"

struct cm_fast cm_fast;
