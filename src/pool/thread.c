/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool/thread.h"

CM_TLS struct cm_thread cm_thread;
