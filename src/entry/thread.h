/* SPDX-License-Identifier: BSD-2-Clause */
/* thread - notice when a thread that allocated goes away */
#ifndef CM_ENTRY_THREAD_H
#define CM_ENTRY_THREAD_H

/*
 * Take the thread-specific keys, ours and jemalloc's. Early: for keys up to
 * 31 pthread_setspecific does not allocate, and destructors run in the order
 * of keys, ours before jemalloc's.
 */
void cm_thread_init(void);

#endif
