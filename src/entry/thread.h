/* SPDX-License-Identifier: BSD-2-Clause */
/* thread - notice when a thread that allocated goes away */
#ifndef CM_ENTRY_THREAD_H
#define CM_ENTRY_THREAD_H

/*
 * Take the thread-specific keys, ours and one for each jemalloc: the last three
 * below 32, in this order. Early, while these are free.
 *
 * An instance that has begun in a thread keeps pointers to the thread's state, in
 * lists that all threads walk, until the destructor of its key: one that begins
 * when that is no longer called leaves them behind. glibc calls destructors in the
 * order of keys, four rounds of it, and pthread_setspecific allocates for keys
 * from 32 up only. So each time an instance begins in a thread that is
 *   - before its destructors or in one of a key lower than ours, in any round:
 *     jemalloc's destructor is still to come;
 *   - in one of a key from 32 up, or in frees of libc's after them: the thread has
 *     allocated the place of that key's value, so our destructor has run, and
 *     has ended whatever had not begun by then (cm_je_leave).
 * Under libcxlmem libc allocates that place: a thread that first calls it in such a
 * destructor, in the last round, is not covered, as with any jemalloc.
 */
void cm_thread_init(void);

#endif
