/* SPDX-License-Identifier: BSD-2-Clause */
/* place - cxlmalloc/place.h: the kernel's answers, and its moving of pages */
#include <string.h>
#include <sys/mman.h>

#include "api/api.h"
#include "base/nodeset.h"
#include "pool/away.h"
#include "pool/pool.h"
#include "sys/sys.h"
#include "topology/node.h"

/* Pages of one system call: what lies on the stack for them is 2 KiB. */
#define BATCH	128

#ifndef MADV_COLD
#define MADV_COLD	20
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

struct range {
	uintptr_t from, to;
};

/* To the pages it touches; false: it wraps round. */
static bool touched(struct range *r, const void *p, size_t len)
{
	uintptr_t mask = cm_sys_page_size() - 1, end;

	if (__builtin_add_overflow((uintptr_t)p, len, &end) ||
	    end > UINTPTR_MAX - mask)
		return false;
	r->from = (uintptr_t)p & ~mask;
	r->to = len ? (end + mask) & ~mask : r->from;
	return true;
}

/* To those that lie in it whole; none of them: empty. */
static bool whole(struct range *r, const void *p, size_t len)
{
	uintptr_t mask = cm_sys_page_size() - 1, end;

	if (__builtin_add_overflow((uintptr_t)p, len, &end) ||
	    (uintptr_t)p > UINTPTR_MAX - mask)
		return false;
	r->from = ((uintptr_t)p + mask) & ~mask;
	r->to = end & ~mask;
	if (r->to < r->from)
		r->to = r->from;
	return true;
}

static bool is_mapped(const struct range *r)
{
	return r->to == r->from ||
	       cm_sys_is_mapped((void *)r->from, r->to - r->from);
}

/* As the header has them; the kernel's others are those. */
static int error_of(int err)
{
	return err == -EACCES ? EPERM : err == -E2BIG ? EINVAL : -err;
}

struct batch {
	void *page[BATCH];
	int node[BATCH];	/* or -errno */
	size_t nr;
};

/* The next pages of a range, and where they are. 0 or -errno. */
static int next_batch(struct batch *b, struct range *rest)
{
	size_t size = cm_sys_page_size();

	for (b->nr = 0; b->nr < BATCH && rest->from < rest->to; b->nr++) {
		b->page[b->nr] = (void *)rest->from;
		rest->from += size;
	}
	return b->nr ? cm_sys_nodes_of(b->page, b->nr, b->node) : 0;
}

CM_EXPORT int cxlm_node_of(const void *p)
{
	void *page = (void *)((uintptr_t)p & ~(cm_sys_page_size() - 1));
	int node, err = cm_sys_nodes_of(&page, 1, &node);

	if (err)
		return cm_api_fail(error_of(err));
	if (node >= 0)
		return node;
	/* EFAULT is also the kernel's page of zeroes, for what was only read. */
	if (node == -EFAULT && cm_sys_is_mapped(page, 1))
		node = -ENOENT;
	return cm_api_fail(node == -EFAULT ? EFAULT : ENOENT);
}

CM_EXPORT int64_t cxlm_resident(const void *p, size_t len, uint64_t *bytes,
				unsigned nr)
{
	struct range r, all;
	struct batch b;
	int64_t sum = 0;

	if (!touched(&r, p, len))
		return cm_api_fail(EINVAL);
	if (bytes)
		memset(bytes, 0, nr * sizeof(*bytes));
	all = r;
	while (r.from < r.to) {
		int err = next_batch(&b, &r);

		if (err)
			return cm_api_fail(error_of(err));
		for (size_t i = 0; i < b.nr; i++) {
			if (b.node[i] < 0)
				continue;
			sum += (int64_t)cm_sys_page_size();
			if (bytes && (unsigned)b.node[i] < nr)
				bytes[b.node[i]] += cm_sys_page_size();
		}
	}
	return sum || is_mapped(&all) ? sum : cm_api_fail(EFAULT);
}

/* The node of the set with most memory free that was not yet tried. */
static int best_node(struct cm_nodeset *left)
{
	struct cm_node_memory m;
	uint64_t most = 0;
	unsigned node, best = cm_nodeset_first(left);

	if (best < CM_MAX_NODES &&
	    cm_nodeset_next(left, best + 1) < CM_MAX_NODES)
		cm_nodeset_for_each(node, left)
			if (!cm_node_memory_read("/sys", node, &m) &&
			    m.free > most) {
				most = m.free;
				best = node;
			}
	if (best == CM_MAX_NODES)
		return -1;
	cm_nodeset_clear(left, best);
	return (int)best;
}

/*
 * Those that are elsewhere, to one node: b->node has where they are then. Blocks
 * they are of must not leave them to the next ones; a page that comes home is
 * looked at once too often.
 */
static int move_batch(struct batch *b, const struct cm_nodeset *to, int node)
{
	void *page[BATCH];
	int target[BATCH], status[BATCH];
	size_t which[BATCH], nr = 0;
	int err;

	for (size_t i = 0; i < b->nr; i++) {
		if (b->node[i] < 0 || cm_nodeset_test(to, (unsigned)b->node[i]))
			continue;
		page[nr] = b->page[i];
		target[nr] = node;
		which[nr++] = i;
	}
	if (nr) {
		cm_away_mark((uintptr_t)page[0],
			     (uintptr_t)page[nr - 1] + cm_sys_page_size());
		if (cm_away_is_looked_for())
			atomic_fetch_or(&cm_policy_word, CM_WORD_AWAY);
	}
	err = nr ? cm_sys_move_pages(page, nr, target, status) : 0;
	/*
	 * What it says of pages is not where they are: of a huge page it calls
	 * all but the first busy, which went with that one.
	 */
	if (nr && !err)
		err = cm_sys_nodes_of(page, nr, status);
	for (size_t i = 0; i < nr && !err; i++)
		b->node[which[i]] = status[i];
	return err;
}

struct moved {
	uint64_t there, elsewhere;	/* bytes */
};

/*
 * A node that has no room any more takes none: the next of the set goes on
 * where it ended.
 */
static int move_range(struct range r, const struct cm_nodeset *to,
		      struct moved *out)
{
	struct cm_nodeset left = *to;
	int node = best_node(&left);
	struct batch b;

	*out = (struct moved){ 0, 0 };
	while (r.from < r.to) {
		uint64_t there = 0, elsewhere = 0;
		int err = next_batch(&b, &r);

		while (!err) {
			there = elsewhere = 0;
			err = move_batch(&b, to, node);
			for (size_t i = 0; i < b.nr; i++) {
				if (b.node[i] < 0)
					continue;
				if (cm_nodeset_test(to, (unsigned)b.node[i]))
					there += cm_sys_page_size();
				else
					elsewhere += cm_sys_page_size();
			}
			if (!elsewhere || cm_nodeset_empty(&left))
				break;
			node = best_node(&left);
		}
		if (err && err != -ENOMEM)
			return err;
		out->there += there;
		out->elsewhere += elsewhere;
	}
	return 0;
}

/*
 * A huge page moves as one: with it go pages behind the range's end, of other
 * blocks and free ones. Advice for a part of it splits it.
 */
static void split_at_end(uintptr_t end, uintptr_t page,
			 const struct cm_nodeset *to)
{
	void *p = (void *)page;
	int node;

	if (end % (2 * MIB) && !cm_sys_nodes_of(&p, 1, &node) && node >= 0 &&
	    !cm_nodeset_test(to, (unsigned)node))
		(void)cm_sys_advise(p, cm_sys_page_size(), MADV_COLD);
}

static int64_t migrate(void *p, size_t len, const struct cm_nodeset *to,
		       int flags)
{
	struct moved moved;
	struct range r;
	int err;

	if (flags & ~CXLM_STRICT || !whole(&r, p, len))
		return cm_api_fail(EINVAL);
	if (r.from < r.to) {
		split_at_end(r.from, r.from, to);
		split_at_end(r.to, r.to - cm_sys_page_size(), to);
	}
	err = move_range(r, to, &moved);
	if (err)
		return cm_api_fail(error_of(err));
	if (!moved.there && !moved.elsewhere && !is_mapped(&r))
		return cm_api_fail(EFAULT);
	if (flags & CXLM_STRICT && moved.elsewhere)
		return cm_api_fail(ENOMEM);
	return (int64_t)moved.there;
}

static bool nodes_of(int tier, struct cm_nodeset *nodes)
{
	struct cm_place_nodes place;

	cm_nodeset_zero(nodes);
	if (!cm_init() || cm_process.state != CM_STATE_TIERED)
		return false;
	while (!cm_place_try(&cm_pool[tier].place, &place))
		;	/* the writer only copies */
	if (place.binding != CM_BINDING_OFFLINE)
		*nodes = place.nodes;
	return !cm_nodeset_empty(nodes);
}

CM_EXPORT int64_t cxlm_migrate(void *p, size_t len, int tier, int flags)
{
	struct cm_nodeset nodes;

	if (!cm_api_is_tier(tier))
		return cm_api_fail(EINVAL);
	if (!nodes_of(tier, &nodes))
		return cm_api_fail(ENODEV);
	return migrate(p, len, &nodes, flags);
}

CM_EXPORT int64_t cxlm_migrate_node(void *p, size_t len, int node, int flags)
{
	struct cm_node_memory memory;
	struct cm_nodeset nodes;

	if (node < 0 || node >= CM_MAX_NODES ||
	    cm_node_memory_read("/sys", (unsigned)node, &memory) == -ENOENT)
		return cm_api_fail(EINVAL);
	cm_nodeset_zero(&nodes);
	cm_nodeset_set(&nodes, (unsigned)node);
	return migrate(p, len, &nodes, flags);
}

CM_EXPORT int cxlm_populate(void *p, size_t len)
{
	struct range r;
	int err;

	if (!touched(&r, p, len))
		return cm_api_fail(EINVAL);
	if (r.from == r.to)
		return 0;
	err = cm_sys_advise((void *)r.from, r.to - r.from, MADV_POPULATE_WRITE);
	if (!err)
		return 0;
	/* EINVAL also is a map of a kind that cannot be written to. */
	if (err == -EINVAL)
		err = cm_sys_advise((void *)r.from, 0, MADV_POPULATE_WRITE) ?
			      -ENOSYS :
			      -EFAULT;
	return cm_api_fail(err == -ENOMEM || err == -ENOSYS ? -err : EFAULT);
}

/* As far as it can be had: that it could not be moved is no error. */
static int advise(struct range r, int tier, int advice)
{
	struct cm_nodeset nodes;
	struct moved moved;

	if (tier >= 0 && nodes_of(tier, &nodes))
		(void)move_range(r, &nodes, &moved);
	if (advice >= 0)
		(void)cm_sys_advise((void *)r.from, r.to - r.from, advice);
	return 0;
}

CM_EXPORT int cxlm_advise(void *p, size_t len, int advice)
{
	struct range r;

	if (advice < CXLM_HOT || advice > CXLM_WILLNEED || !whole(&r, p, len))
		return cm_api_fail(EINVAL);
	if (!is_mapped(&r))
		return cm_api_fail(ENOMEM);
	if (r.from == r.to)
		return 0;
	if (advice == CXLM_HOT)
		return advise(r, CM_TIER_DDR, -1);
	if (advice == CXLM_COLD)
		return advise(r, CM_TIER_CXL, MADV_COLD);
	return advise(r, -1, MADV_WILLNEED);
}
