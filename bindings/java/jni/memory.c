/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - io.cxlmalloc.Native: blocks, where they are, pools
 *
 * Addresses come as numbers from classes that have checked them, and that hold
 * the block while a call is under way.
 */
#include <stdlib.h>
#include <string.h>

#include "jni_common.h"

/* --- blocks ---------------------------------------------------------------- */

static jlong block(JNIEnv *env, const char *what, void *p)
{
	if (!p)
		cj_raise(env, what, errno);
	return (jlong)(uintptr_t)p;
}

/* Sizes from Java are not negative, so below 2^63. */
NATIVE(jlong, allocate)
(JNIEnv *env, jclass self, jint tier, jlong size, jlong align, jint flags)
{
	void *p;

	(void)self;
	if (!align)
		return block(env, "cxlm_calloc",
			     cxlm_calloc(tier, 1, (size_t)size, flags));
	p = cxlm_aligned_alloc(tier, (size_t)align, (size_t)size, flags);
	if (p)
		memset(p, 0, (size_t)size);
	return block(env, "cxlm_aligned_alloc", p);
}

NATIVE(jlong, nodeAllocate)
(JNIEnv *env, jclass self, jint node, jlong size, jint flags)
{
	unsigned long nodes[16] = { 0 };
	const int width = 8 * sizeof(nodes[0]);
	cxlm_pool *pool;

	(void)self;
	if (node < 0 || node >= 16 * width) {
		cj_raise(env, "cxlm_node_pool", EINVAL);
		return 0;
	}
	nodes[node / width] |= 1UL << (node % width);
	pool = cxlm_node_pool(nodes, 16UL * width, flags);
	if (!pool) {
		cj_raise(env, "cxlm_node_pool", errno);
		return 0;
	}
	return block(env, "cxlm_pool_calloc",
		     cxlm_pool_calloc(pool, 1, (size_t)size));
}

NATIVE(void, free)(JNIEnv *env, jclass self, jlong address)
{
	(void)env, (void)self;
	cxlm_free(pointer(address));
}

NATIVE(jobject, view)(JNIEnv *env, jclass self, jlong address, jlong size)
{
	(void)self;
	return (*env)->NewDirectByteBuffer(env, pointer(address), size);
}

NATIVE(jlong, address)(JNIEnv *env, jclass self, jobject buffer)
{
	(void)self;
	return (jlong)(uintptr_t)(*env)->GetDirectBufferAddress(env, buffer);
}

NATIVE(void, read)
(JNIEnv *env, jclass self, jlong address, jbyteArray to, jint offset,
 jint length)
{
	(void)self;
	(*env)->SetByteArrayRegion(env, to, offset, length, pointer(address));
}

NATIVE(void, write)
(JNIEnv *env, jclass self, jlong address, jbyteArray from, jint offset,
 jint length)
{
	(void)self;
	(*env)->GetByteArrayRegion(env, from, offset, length, pointer(address));
}

NATIVE(void, fill)
(JNIEnv *env, jclass self, jlong address, jlong size, jbyte value)
{
	(void)env, (void)self;
	memset(pointer(address), value, (size_t)size);
}

NATIVE(jlong, getLong)(JNIEnv *env, jclass self, jlong address)
{
	jlong value;

	(void)env, (void)self;
	memcpy(&value, pointer(address), sizeof(value));
	return value;
}

NATIVE(void, putLong)(JNIEnv *env, jclass self, jlong address, jlong value)
{
	(void)env, (void)self;
	memcpy(pointer(address), &value, sizeof(value));
}

NATIVE(jbyte, getByte)(JNIEnv *env, jclass self, jlong address)
{
	(void)env, (void)self;
	return *(const jbyte *)pointer(address);
}

NATIVE(void, putByte)(JNIEnv *env, jclass self, jlong address, jbyte value)
{
	(void)env, (void)self;
	*(jbyte *)pointer(address) = value;
}

/* --- places ---------------------------------------------------------------- */

NATIVE(jint, tierOf)(JNIEnv *env, jclass self, jlong address)
{
	(void)env, (void)self;
	return cxlm_tier_of(pointer(address));
}

NATIVE(jint, nodeOf)(JNIEnv *env, jclass self, jlong address)
{
	int node = cxlm_node_of(pointer(address));

	(void)self;
	if (node < 0 && errno != ENOENT)
		cj_raise(env, "cxlm_node_of", errno);
	return node;
}

NATIVE(jlongArray, resident)
(JNIEnv *env, jclass self, jlong address, jlong size)
{
	const int nr = cxlm_nr_nodes();
	uint64_t *bytes = calloc((size_t)nr, sizeof(*bytes));
	jlongArray array = NULL;

	(void)self;
	if (!bytes)
		cj_raise(env, "cxlm_resident", ENOMEM);
	else if (cxlm_resident(pointer(address), (size_t)size, bytes,
			       (unsigned)nr) < 0)
		cj_raise(env, "cxlm_resident", errno);
	else
		array = (*env)->NewLongArray(env, nr);
	if (array)
		cj_put(env, array, bytes, nr);
	free(bytes);
	return array;
}

NATIVE(jlong, migrate)
(JNIEnv *env, jclass self, jlong address, jlong size, jint tier, jint flags)
{
	int64_t there = cxlm_migrate(pointer(address), (size_t)size, tier,
				     flags);

	(void)self;
	if (there < 0)
		cj_raise(env, "cxlm_migrate", errno);
	return there;
}

NATIVE(void, populate)(JNIEnv *env, jclass self, jlong address, jlong size)
{
	(void)self;
	if (cxlm_populate(pointer(address), (size_t)size))
		cj_raise(env, "cxlm_populate", errno);
}

NATIVE(void, advise)
(JNIEnv *env, jclass self, jlong address, jlong size, jint advice)
{
	(void)self;
	if (cxlm_advise(pointer(address), (size_t)size, advice))
		cj_raise(env, "cxlm_advise", errno);
}

/* --- pools ----------------------------------------------------------------- */

NATIVE(jlong, poolCreate)
(JNIEnv *env, jclass self, jint tier, jlongArray nodes, jint policy,
 jlong limit, jstring name)
{
	unsigned long bits[16] = { 0 };
	struct cxlm_pool_attr attr = {
		.size = sizeof(attr),
		.tier = tier,
		.policy = policy,
		.limit = (uint64_t)limit,
	};
	cxlm_pool *pool;

	(void)self;
	_Static_assert(sizeof(bits[0]) == sizeof(jlong), "one word");
	if (limit < -1) {
		cj_raise(env, "cxlm_pool_create", EINVAL);
		return 0;
	}
	if (nodes) {
		/* CxlPool.onNodes has no more than fit. */
		(*env)->GetLongArrayRegion(env, nodes, 0,
					   (*env)->GetArrayLength(env, nodes),
					   (jlong *)bits);
		attr.nodes = bits;
		attr.maxnode = 8 * sizeof(bits);
	}
	if (name) {
		attr.name = cj_enter(env, name);
		if (!attr.name)
			return 0;
	}
	pool = cxlm_pool_create(&attr);
	if (name)
		cj_leave(env, name, attr.name);
	if (!pool)
		cj_raise(env, "cxlm_pool_create", errno);
	return (jlong)(uintptr_t)pool;
}

NATIVE(void, poolDestroy)(JNIEnv *env, jclass self, jlong pool)
{
	(void)self;
	if (cxlm_pool_destroy(pointer(pool)))
		cj_raise(env, "cxlm_pool_destroy", errno);
}

NATIVE(jlong, poolAllocate)
(JNIEnv *env, jclass self, jlong pool, jlong size, jlong align)
{
	void *p;

	(void)self;
	if (!align)
		return block(env, "cxlm_pool_calloc",
			     cxlm_pool_calloc(pointer(pool), 1, (size_t)size));
	p = cxlm_pool_aligned_alloc(pointer(pool), (size_t)align, (size_t)size);
	if (p)
		memset(p, 0, (size_t)size);
	return block(env, "cxlm_pool_aligned_alloc", p);
}

NATIVE(jlongArray, poolStat)(JNIEnv *env, jclass self, jlong pool)
{
	struct cxlm_pool_stat stat = { .size = sizeof(stat) };
	jlongArray array;

	(void)self;
	if (cxlm_pool_stat(pointer(pool), &stat)) {
		cj_raise(env, "cxlm_pool_stat", errno);
		return NULL;
	}
	array = (*env)->NewLongArray(env, 5);
	if (array)
		cj_put(env, array,
		       (uint64_t[]){ stat.used, stat.limit, stat.peak,
				     stat.in_use,
				     (uint64_t)(int64_t)stat.tier },
		       5);
	return array;
}

NATIVE(void, poolSetLimit)(JNIEnv *env, jclass self, jlong pool, jlong limit)
{
	(void)self;
	if (limit < -1)
		cj_raise(env, "cxlm_pool_set_limit", EINVAL);
	else if (cxlm_pool_set_limit(pointer(pool), (uint64_t)limit))
		cj_raise(env, "cxlm_pool_set_limit", errno);
}
