/* SPDX-License-Identifier: BSD-2-Clause */
#include "kv.h"

#include <emucxl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

struct entry {
	struct entry *chain;		/* next of the bucket */
	struct entry *newer, *older;	/* of the local list */
	int node;
	char key[KV_TEXT_MAX + 1];
	char value[KV_TEXT_MAX + 1];
};

struct kv {
	enum kv_policy policy;
	unsigned local_max;
	struct kv_counts counts;
	struct entry *newest, *oldest;	/* local ones */
	struct entry *bucket[BUCKETS];
};

/* Where the pointer to a key's entry is; it points to NULL if there is none. */
static struct entry **find(struct kv *kv, const char *key)
{
	struct entry **at;
	unsigned hash = 2166136261u;
	const char *c;

	for (c = key; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	at = &kv->bucket[hash % BUCKETS];
	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->chain;
	return at;
}

static void list_remove(struct kv *kv, struct entry *entry)
{
	*(entry->newer ? &entry->newer->older : &kv->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &kv->oldest) = entry->newer;
	kv->counts.local--;
}

static void list_add_newest(struct kv *kv, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = kv->newest;
	*(kv->newest ? &kv->newest->newer : &kv->oldest) = entry;
	kv->newest = entry;
	kv->counts.local++;
}

static void list_add_oldest(struct kv *kv, struct entry *entry)
{
	entry->older = NULL;
	entry->newer = kv->oldest;
	*(kv->oldest ? &kv->oldest->older : &kv->newest) = entry;
	kv->oldest = entry;
	kv->counts.local++;
}

/* The entry at another address, on a node; in no list. NULL: no room there. */
static struct entry *move(struct entry **at, int node)
{
	struct entry *moved = emucxl_migrate(*at, node, sizeof(*moved));

	if (moved) {
		moved->node = node;
		*at = moved;
	}
	return moved;
}

static int evict(struct kv *kv)
{
	struct entry *oldest = kv->oldest;
	struct entry **at = find(kv, oldest->key);

	list_remove(kv, oldest);
	if (!move(at, REMOTE_MEMORY)) {
		list_add_oldest(kv, oldest);
		return -1;
	}
	kv->counts.remote++;
	return 0;
}

/* A remote entry that was asked for; where it is then. */
static struct entry *promote(struct kv *kv, const char *key)
{
	struct entry *entry;

	if (kv->counts.local == kv->local_max && evict(kv) < 0)
		return *find(kv, key);
	/* The entry evicted may have been the one before it in its bucket. */
	entry = move(find(kv, key), LOCAL_MEMORY);
	if (!entry)
		return *find(kv, key);
	kv->counts.remote--;
	if (kv->policy == KV_LRU)
		list_add_newest(kv, entry);
	else
		list_add_oldest(kv, entry);
	return entry;
}

static struct entry *use(struct kv *kv, struct entry *entry)
{
	if (entry->node == LOCAL_MEMORY) {
		list_remove(kv, entry);
		list_add_newest(kv, entry);
		return entry;
	}
	return kv->policy == KV_STAY ? entry : promote(kv, entry->key);
}

struct kv *kv_create(enum kv_policy policy, unsigned local_max)
{
	struct kv *kv = calloc(1, sizeof(*kv));

	if (kv) {
		emucxl_init();
		kv->policy = policy;
		kv->local_max = local_max;
	}
	return kv;
}

void kv_destroy(struct kv *kv)
{
	struct entry *entry, *next;
	int i;

	for (i = 0; i < BUCKETS; i++)
		for (entry = kv->bucket[i]; entry; entry = next) {
			next = entry->chain;
			emucxl_free(entry, sizeof(*entry));
		}
	free(kv);
	emucxl_exit();
}

int kv_put(struct kv *kv, const char *key, const char *value)
{
	struct entry *entry, **at = find(kv, key);

	if (strlen(key) > KV_TEXT_MAX || strlen(value) > KV_TEXT_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (*at) {
		strcpy(use(kv, *at)->value, value);
		return 0;
	}
	entry = emucxl_alloc(sizeof(*entry), LOCAL_MEMORY);
	if (!entry)
		return -1;
	entry->node = LOCAL_MEMORY;
	strcpy(entry->key, key);
	strcpy(entry->value, value);
	*at = entry;
	list_add_newest(kv, entry);
	return kv->counts.local > kv->local_max ? evict(kv) : 0;
}

const char *kv_get(struct kv *kv, const char *key)
{
	struct entry *entry = *find(kv, key);

	if (!entry)
		return NULL;
	if (entry->node == LOCAL_MEMORY)
		kv->counts.local_gets++;
	else
		kv->counts.remote_gets++;
	return use(kv, entry)->value;
}

int kv_delete(struct kv *kv, const char *key)
{
	struct entry **at = find(kv, key), *entry = *at;

	if (!entry)
		return -1;
	*at = entry->chain;
	if (entry->node == LOCAL_MEMORY)
		list_remove(kv, entry);
	else
		kv->counts.remote--;
	emucxl_free(entry, sizeof(*entry));
	return 0;
}

struct kv_counts kv_counts(const struct kv *kv)
{
	return kv->counts;
}
