/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of io.cxlmalloc.Native share. */
#ifndef CXLMALLOC_JNI_H
#define CXLMALLOC_JNI_H

#include <errno.h>
#include <stdint.h>

#include <cxlmalloc.h>

#include "io_cxlmalloc_Native.h"

#define NATIVE(type, name) \
	JNIEXPORT type JNICALL Java_io_cxlmalloc_Native_##name

static inline void *pointer(jlong address)
{
	return (void *)(uintptr_t)address;
}

/* Throws what stands for an errno. */
void cj_raise(JNIEnv *env, const char *what, int error);

/* A string's bytes, to be released by cj_leave, which keeps errno; NULL has thrown. */
const char *cj_enter(JNIEnv *env, jstring text);
void cj_leave(JNIEnv *env, jstring text, const char *chars);

void cj_put(JNIEnv *env, jlongArray array, const uint64_t *values, int nr);

#endif
