/* SPDX-License-Identifier: BSD-2-Clause */
/* pool - cxlmalloc/pool.h, and the nodes of cxlmalloc/alloc.h */
#include <string.h>

#include "api/api.h"
#include "base/nodeset.h"
#include "entry/slow.h"
#include "pool/own.h"

_Static_assert((int)CXLM_POOL_BIND == (int)CM_OWN_BIND &&
		       (int)CXLM_POOL_PREFERRED == (int)CM_OWN_PREFERRED &&
		       (int)CXLM_POOL_INTERLEAVE == (int)CM_OWN_INTERLEAVE,
	       "one numbering");

/* The handle is the slot's address. */
static struct cm_own *own_of(const cxlm_pool *pool)
{
	size_t offset = (size_t)((uintptr_t)pool - (uintptr_t)cm_own);

	if (offset >= sizeof(cm_own) || offset % sizeof(cm_own[0]) ||
	    atomic_load_explicit(&cm_own[offset / sizeof(cm_own[0])].state,
				 memory_order_acquire) != CM_OWN_LIVE)
		return NULL;
	return &cm_own[offset / sizeof(cm_own[0])];
}

/* mbind(2)'s: a bit each, in longs. Bits beyond what any kernel has: none. */
static int read_nodes(struct cm_nodeset *set, const unsigned long *nodes,
		      unsigned long maxnode)
{
	unsigned long words = maxnode / CM_LONG_BITS;

	cm_nodeset_zero(set);
	if (!nodes)
		return -EINVAL;
	for (unsigned long i = 0; i <= words; i++) {
		unsigned long bits = maxnode - i * CM_LONG_BITS;
		unsigned long word = !bits ? 0 :
				     bits >= CM_LONG_BITS ?
					     nodes[i] :
					     nodes[i] & ((1UL << bits) - 1);

		if (i < CM_ARRAY_SIZE(set->bits))
			set->bits[i] = word;
		else if (word)
			return -EINVAL;
	}
	return 0;
}

static bool is_ready(void)
{
	return cm_init() && cm_process.state == CM_STATE_TIERED;
}

/* Tiers that order= leaves out have no pools either. */
static bool is_used(const struct cm_own *own)
{
	return own->both || cm_policy_says(CM_WORD_USED(own->attr.tier));
}

static cxlm_pool *make(const struct cm_own_attr *attr)
{
	struct cm_own *own;
	int err = cm_own_make(attr, &own);

	if (err)
		return cm_api_null(-err);
	/* From here free has to compare addresses. */
	cm_block_route();
	if (is_used(own))
		return (cxlm_pool *)own;
	if (!attr->shared)
		(void)cm_own_end(own, true);
	return cm_api_null(ENOTSUP);
}

static int read_attr(const struct cxlm_pool_attr *from, struct cm_own_attr *to)
{
	if (!from || from->size < sizeof(*from) ||
	    from->tier < CXLM_TIER_POLICY || from->tier >= CM_NR_TIERS ||
	    from->policy < CXLM_POOL_BIND ||
	    from->policy > CXLM_POOL_INTERLEAVE ||
	    (from->name && strlen(from->name) >= sizeof(to->name)))
		return -EINVAL;
	to->policy = (enum cm_own_policy)from->policy;
	to->limit = from->limit ? from->limit : CM_NO_LIMIT;
	if (from->name)
		strcpy(to->name, from->name);
	if (from->tier == CXLM_TIER_POLICY)
		return read_nodes(&to->nodes, from->nodes, from->maxnode);
	to->follows = true;
	to->tier = (enum cm_tier)from->tier;
	return 0;
}

CM_EXPORT cxlm_pool *cxlm_pool_create(const struct cxlm_pool_attr *attr)
{
	struct cm_own_attr wanted = { .shared = false };
	int err = read_attr(attr, &wanted);

	if (err)
		return cm_api_null(-err);
	if (!is_ready() ||
	    (wanted.follows && !cm_policy_says(CM_WORD_USED(wanted.tier))))
		return cm_api_null(ENOTSUP);
	return make(&wanted);
}

static int end(cxlm_pool *pool, bool itself)
{
	struct cm_own *own = own_of(pool);
	int err = own ? cm_own_end(own, itself) : -EINVAL;

	return err ? cm_api_fail(-err) : 0;
}

CM_EXPORT int cxlm_pool_destroy(cxlm_pool *pool)
{
	return end(pool, true);
}

CM_EXPORT int cxlm_pool_reset(cxlm_pool *pool)
{
	return end(pool, false);
}

static void *alloc(cxlm_pool *pool, size_t size, int flags)
{
	struct cm_own *own = own_of(pool);
	void *p;

	if (unlikely(!own))
		return cm_api_null(EINVAL);
	if (unlikely(size > PTRDIFF_MAX))
		return cm_api_null(ENOMEM);
	p = cm_own_alloc(own, size, flags);
	return likely(p) ? p : cm_api_null(ENOMEM);
}

CM_EXPORT void *cxlm_pool_malloc(cxlm_pool *pool, size_t size)
{
	return alloc(pool, size, 0);
}

CM_EXPORT void *cxlm_pool_calloc(cxlm_pool *pool, size_t nr, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(nr, size, &bytes)))
		return cm_api_null(ENOMEM);
	return alloc(pool, bytes, CM_JE_ZERO);
}

CM_EXPORT void *cxlm_pool_aligned_alloc(cxlm_pool *pool, size_t alignment,
					size_t size)
{
	if (unlikely(!alignment || alignment & (alignment - 1)))
		return cm_api_null(EINVAL);
	if (unlikely(alignment > PTRDIFF_MAX))
		return cm_api_null(ENOMEM);
	return alloc(pool, size, CM_JE_LG_ALIGN(__builtin_ctzl(alignment)));
}

CM_EXPORT cxlm_pool *cxlm_pool_of(const void *p)
{
	return cm_own_has(p) ? (cxlm_pool *)cm_own_of(p) : NULL;
}

CM_EXPORT int cxlm_pool_stat(cxlm_pool *pool, struct cxlm_pool_stat *stat)
{
	struct cm_own *own = own_of(pool);

	if (!own || !stat || stat->size < sizeof(*stat))
		return cm_api_fail(EINVAL);
	stat->used = atomic_load(&own->pool.used);
	stat->limit = atomic_load(&own->pool.limit);
	stat->peak = atomic_load(&own->pool.peak);
	stat->in_use = cm_own_active(own);
	stat->tier = own->both ? -1 : (int)own->attr.tier;
	stat->policy = (int)own->attr.policy;
	strcpy(stat->name, own->attr.name);
	return 0;
}

CM_EXPORT int cxlm_pool_set_limit(cxlm_pool *pool, uint64_t limit)
{
	struct cm_own *own = own_of(pool);

	if (!own)
		return cm_api_fail(EINVAL);
	if (!limit)
		limit = CM_NO_LIMIT;
	atomic_store(&own->pool.limit, limit);
	atomic_store(&own->pool.allowance, limit);
	/* A huge page would reach past what is committed (pool/hooks.c). */
	if (limit != CM_NO_LIMIT)
		cm_own_no_huge_pages();
	return 0;
}

CM_EXPORT cxlm_pool *cxlm_node_pool(const unsigned long *nodes,
				    unsigned long maxnode, int flags)
{
	struct cm_own_attr attr = { .limit = CM_NO_LIMIT, .shared = true };
	int err = flags & ~CXLM_STRICT ?
			  -EINVAL :
			  read_nodes(&attr.nodes, nodes, maxnode);

	if (err)
		return cm_api_null(-err);
	if (!is_ready())
		return cm_api_null(ENOTSUP);
	attr.policy = flags & CXLM_STRICT ? CM_OWN_BIND : CM_OWN_PREFERRED;
	return make(&attr);
}

CM_EXPORT void *cxlm_malloc_nodes(const unsigned long *nodes,
				  unsigned long maxnode, size_t size, int flags)
{
	cxlm_pool *pool;

	if (unlikely(size > PTRDIFF_MAX))
		return cm_api_null(ENOMEM);
	pool = cxlm_node_pool(nodes, maxnode, flags);
	return pool ? cxlm_pool_malloc(pool, size) : NULL;
}

/* The process's own pools of single nodes, which never end. */
static CM_SPARSE cxlm_pool *_Atomic node_pool[CM_MAX_NODES][2];

static CM_NOINLINE cxlm_pool *pool_of_node(unsigned node, int flags)
{
	struct cm_nodeset nodes;
	cxlm_pool *pool;

	cm_nodeset_zero(&nodes);
	cm_nodeset_set(&nodes, node);
	pool = cxlm_node_pool(nodes.bits, CM_MAX_NODES, flags);
	if (pool)
		atomic_store(&node_pool[node][flags == CXLM_STRICT], pool);
	return pool;
}

CM_EXPORT void *cxlm_malloc_node(int node, size_t size, int flags)
{
	cxlm_pool *pool;

	if (unlikely(node < 0 || node >= CM_MAX_NODES || flags & ~CXLM_STRICT))
		return cm_api_null(EINVAL);
	if (unlikely(size > PTRDIFF_MAX))
		return cm_api_null(ENOMEM);
	pool = atomic_load(&node_pool[node][flags == CXLM_STRICT]);
	if (unlikely(!pool))
		pool = pool_of_node((unsigned)node, flags);
	return pool ? alloc(pool, size, 0) : NULL;
}
