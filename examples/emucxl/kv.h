/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kv - a key-value store that keeps so many entries local, the others remote
 *
 * An entry is one block of emucxl_alloc and moves with emucxl_migrate. Keys are
 * found by a hash table; the local entries are in a list, last used first.
 */
#ifndef KV_H
#define KV_H

#define KV_TEXT_MAX	100	/* of keys and values, without their NUL */

/* What a get of a remote entry does. */
enum kv_policy {
	KV_STAY,		/* nothing: EmuCXL's policy 0 */
	KV_PROMOTE_LAST,	/* it becomes local, as the next to be evicted:
				 * EmuCXL's policy 1 */
	KV_LRU			/* it becomes local, as the last used */
};

struct kv_counts {
	unsigned local;		/* entries there */
	unsigned remote;
	unsigned local_gets;	/* that found their entry there */
	unsigned remote_gets;
};

struct kv;

/* NULL: no memory */
struct kv *kv_create(enum kv_policy policy, unsigned local_max);
void kv_destroy(struct kv *kv);

/* 0, or -1 with errno: ENOMEM, EINVAL (too long) */
int kv_put(struct kv *kv, const char *key, const char *value);

/* The value, until the next call; NULL: no such key. */
const char *kv_get(struct kv *kv, const char *key);

/* 0, or -1: no such key */
int kv_delete(struct kv *kv, const char *key);

struct kv_counts kv_counts(const struct kv *kv);

#endif
