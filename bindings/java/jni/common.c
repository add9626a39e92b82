/* SPDX-License-Identifier: BSD-2-Clause */
/* common.c - errors and strings between C and Java */
#include <stdio.h>
#include <string.h>

#include "jni_common.h"

static const char *class_of(int error)
{
	switch (error) {
	case ENOMEM:
		return "java/lang/OutOfMemoryError";
	case EINVAL:
		return "java/lang/IllegalArgumentException";
	case ENOTSUP:
		return "java/lang/UnsupportedOperationException";
	default:
		return NULL;
	}
}

void cj_raise(JNIEnv *env, const char *what, int error)
{
	const char *name = class_of(error);
	char reason[128] = "", text[256];
	jmethodID make;
	jclass class;
	jstring message;
	jobject exception;

	/* The XSI one: _GNU_SOURCE is not defined here. */
	(void)strerror_r(error, reason, sizeof(reason));
	snprintf(text, sizeof(text), "%s: %s", what, reason);
	if (name) {
		class = (*env)->FindClass(env, name);
		if (class)
			(*env)->ThrowNew(env, class, text);
		return;
	}
	class = (*env)->FindClass(env, "io/cxlmalloc/CxlException");
	if (!class)
		return;
	make = (*env)->GetMethodID(env, class, "<init>",
				   "(Ljava/lang/String;I)V");
	message = make ? (*env)->NewStringUTF(env, text) : NULL;
	if (!message)
		return;
	exception = (*env)->NewObject(env, class, make, message, (jint)error);
	if (exception)
		(*env)->Throw(env, exception);
}

/* NULL has thrown; else to be released by cj_leave(). */
const char *cj_enter(JNIEnv *env, jstring text)
{
	if (!text) {
		cj_raise(env, "null", EINVAL);
		return NULL;
	}
	return (*env)->GetStringUTFChars(env, text, NULL);
}

void cj_leave(JNIEnv *env, jstring text, const char *chars)
{
	int error = errno;

	(*env)->ReleaseStringUTFChars(env, text, chars);
	errno = error;
}

void cj_put(JNIEnv *env, jlongArray array, const uint64_t *values, int nr)
{
	(*env)->SetLongArrayRegion(env, array, 0, nr, (const jlong *)values);
}
