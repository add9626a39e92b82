/* SPDX-License-Identifier: BSD-2-Clause */
/* info.c - io.cxlmalloc.Native: scopes, what there is, values by name */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jni_common.h"

NATIVE(jstring, version)(JNIEnv *env, jclass self)
{
	(void)self;
	return (*env)->NewStringUTF(env, cxlm_version());
}

/* --- scopes ---------------------------------------------------------------- */

NATIVE(void, push)(JNIEnv *env, jclass self, jint tier)
{
	(void)self;
	if (cxlm_push(tier))
		cj_raise(env, "cxlm_push", errno);
}

NATIVE(void, pop)(JNIEnv *env, jclass self)
{
	(void)self;
	if (cxlm_pop())
		cj_raise(env, "cxlm_pop", errno);
}

NATIVE(jint, hint)(JNIEnv *env, jclass self, jstring name, jint tier)
{
	const char *chars = cj_enter(env, name);
	int got;

	(void)self;
	if (!chars)
		return tier;
	got = cxlm_hint(chars, tier);
	cj_leave(env, name, chars);
	return got;
}

/* --- what there is --------------------------------------------------------- */

static void put_string(JNIEnv *env, jobjectArray array, int i,
		       const char *chars)
{
	jstring string = (*env)->NewStringUTF(env, chars);

	if (string)
		(*env)->SetObjectArrayElement(env, array, i, string);
}

NATIVE(void, tierInfo)
(JNIEnv *env, jclass self, jint tier, jobjectArray names, jlongArray nodes,
 jlongArray values)
{
	struct cxlm_tier_info info = { .size = sizeof(info) };

	(void)self;
	if (cxlm_tier_info(tier, &info)) {
		cj_raise(env, "cxlm_tier_info", errno);
		return;
	}
	cj_put(env, nodes, (const uint64_t *)info.nodes, 16);
	cj_put(env, values,
	       (uint64_t[]){ info.total, info.free, info.used, info.in_use,
			     info.limit, info.available, info.resident,
			     info.misplaced, info.read_latency,
			     info.write_latency, info.read_bandwidth,
			     info.write_bandwidth },
	       12);
	put_string(env, names, 0, info.name);
	if (!(*env)->ExceptionCheck(env))
		put_string(env, names, 1, info.binding);
}

NATIVE(jint, nodes)(JNIEnv *env, jclass self)
{
	(void)env, (void)self;
	return cxlm_nr_nodes();
}

NATIVE(jboolean, nodeInfo)
(JNIEnv *env, jclass self, jint node, jlongArray values)
{
	struct cxlm_node_info info = { .size = sizeof(info) };

	(void)self;
	if (cxlm_node_info(node, &info)) {
		if (errno != ENODEV)
			cj_raise(env, "cxlm_node_info", errno);
		return JNI_FALSE;
	}
	cj_put(env, values,
	       (uint64_t[]){ (uint64_t)(int64_t)info.tier, info.total,
			     info.free, info.resident, info.read_latency,
			     info.write_latency, info.read_bandwidth,
			     info.write_bandwidth },
	       8);
	return JNI_TRUE;
}

/* --- by name --------------------------------------------------------------- */

/* enum cxlm_ctl_type; of a name that is not listed: string. */
static int type_of(const char *name)
{
	struct cxlm_ctl_info info;

	for (unsigned i = 0;; i++) {
		info.size = sizeof(info);
		if (cxlm_ctl_name(i, &info))
			return CXLM_CTL_STRING;
		if (strcmp(info.name, name) == 0)
			return info.type;
	}
}

NATIVE(jlong, ctlLong)(JNIEnv *env, jclass self, jstring name)
{
	const char *chars = cj_enter(env, name);
	uint64_t value = 0;
	size_t len = sizeof(value);
	int error = 0;

	(void)self;
	if (!chars)
		return 0;
	/* A string of eight bytes would fit as well. */
	if (cxlm_ctl(chars, &value, &len, NULL, 0))
		error = errno == ERANGE ? EINVAL : errno;
	else if (len != sizeof(value) || type_of(chars) != CXLM_CTL_U64)
		error = EINVAL;
	if (error)
		cj_raise(env, chars, error);
	cj_leave(env, name, chars);
	return (jlong)value;
}

NATIVE(jstring, ctlString)(JNIEnv *env, jclass self, jstring name)
{
	const char *chars = cj_enter(env, name);
	char number[24], *value = NULL;
	size_t len = 256;
	uint64_t n = 0;
	jstring string = NULL;

	(void)self;
	if (!chars)
		return NULL;
	if (type_of(chars) == CXLM_CTL_U64) {
		len = sizeof(n);
		if (cxlm_ctl(chars, &n, &len, NULL, 0)) {
			cj_raise(env, chars, errno);
		} else {
			snprintf(number, sizeof(number), "%" PRIu64, n);
			string = (*env)->NewStringUTF(
				env, n == CXLM_NO_LIMIT ? "none" : number);
		}
		cj_leave(env, name, chars);
		return string;
	}
	for (;;) {
		char *more = realloc(value, len);
		int error;

		if (!more) {
			cj_raise(env, chars, ENOMEM);
			break;
		}
		value = more;
		if (cxlm_ctl(chars, value, &len, NULL, 0) == 0) {
			string = (*env)->NewStringUTF(env, value);
			break;
		}
		error = errno;
		/* It may have grown since it said how long it is. */
		if (error != ERANGE) {
			cj_raise(env, chars, error);
			break;
		}
	}
	free(value);
	cj_leave(env, name, chars);
	return string;
}

NATIVE(void, ctlSetLong)(JNIEnv *env, jclass self, jstring name, jlong value)
{
	const char *chars = cj_enter(env, name);

	(void)self;
	if (!chars)
		return;
	if (cxlm_ctl(chars, NULL, NULL, &value, sizeof(value)))
		cj_raise(env, chars, errno);
	cj_leave(env, name, chars);
}

NATIVE(void, ctlSetString)
(JNIEnv *env, jclass self, jstring name, jstring value)
{
	const char *chars = cj_enter(env, name);
	const char *text = chars ? cj_enter(env, value) : NULL;

	(void)self;
	if (text) {
		if (cxlm_ctl(chars, NULL, NULL, text, strlen(text)))
			cj_raise(env, chars, errno);
		cj_leave(env, value, text);
	}
	if (chars)
		cj_leave(env, name, chars);
}

NATIVE(jstring, ctlName)
(JNIEnv *env, jclass self, jint index, jbooleanArray flags)
{
	struct cxlm_ctl_info info = { .size = sizeof(info) };
	jboolean values[2];

	(void)self;
	if (cxlm_ctl_name((unsigned)index, &info)) {
		if (errno != ENOENT)
			cj_raise(env, "cxlm_ctl_name", errno);
		return NULL;
	}
	values[0] = info.type == CXLM_CTL_U64;
	values[1] = info.writable != 0;
	(*env)->SetBooleanArrayRegion(env, flags, 0, 2, values);
	return (*env)->NewStringUTF(env, info.name);
}
