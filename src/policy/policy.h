/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - which tier serves an allocation
 *
 * A policy is a pure function: an immutable snapshot of what the operator
 * asked for, and a view of the tiers as they are, in; tiers in the order in
 * which they are tried out. It runs on slow paths and its answer becomes the
 * route that fast paths read.
 *
 * Synchronization: a snapshot never changes while it can be read
 * (policy/snapshot.h). The policy word says the same in short for calls that
 * need no more; it is atomic, and a stale one leads to a tier that was right a
 * moment ago.
 */
#ifndef CM_POLICY_POLICY_H
#define CM_POLICY_POLICY_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/settings.h"

struct cm_policy_snapshot {
	enum cm_policy_id id;
	unsigned nr_order;
	enum cm_tier order[CM_NR_TIERS];
	enum cm_on_full on_full;
	unsigned weight[CM_NR_TIERS];	/* policy/turns.h; interleave only */
	struct cm_node_weights nodes;	/* weight is their sums, if there are */
	bool strict;			/* placement=strict */
	struct cm_sizes sizes;		/* of CM_POLICY_SIZE */
	unsigned limit_percent[CM_NR_TIERS];	/* as it was asked for */
};

struct cm_policy_view {
	bool full[CM_NR_TIERS];
};

/* Bits of cm_policy_word; the first CM_NR_TIERS << n are one for each tier. */
#define CM_WORD_FIRST(tier)	(1u << (tier))	/* may serve unasked */
#define CM_WORD_USED(tier)	(1u << (CM_NR_TIERS + (tier)))
#define CM_WORD_TURNS		(1u << 8)	/* interleave, bandwidth */
#define CM_WORD_ROUNDS		(1u << 9)	/* on_full=interleave */
#define CM_WORD_SIZE		(1u << 10)
#define CM_WORD_GROWTH		(1u << 11)	/* a profile counts realloc's */
#define CM_WORD_AWAY		(1u << 12)	/* see pool/away.h */

extern _Atomic unsigned cm_policy_word CM_HIDDEN;

static inline bool cm_policy_says(unsigned bits)
{
	return atomic_load_explicit(&cm_policy_word, memory_order_relaxed) &
	       bits;
}

unsigned cm_policy_word_of(const struct cm_policy_snapshot *snapshot);

/* policy=size: the tier that blocks of this size are for. */
enum cm_tier cm_policy_by_size(const struct cm_sizes *sizes, size_t size);

/*
 * The tiers of the snapshot, `first` before the others, which keep their
 * order; a first that is none of them is passed over.
 *
 * returns  how many: nr_order
 */
unsigned cm_policy_order(const struct cm_policy_snapshot *snapshot,
			 enum cm_tier first, enum cm_tier order[CM_NR_TIERS]);

/* No tier of the order has room. */
#define CM_POLICY_ALL_FULL	(-1)

/*
 * The first tier of an order that is not full. When all are: spill and remain
 * give the policy's last tier, which takes it over its limit; fail and
 * interleave give CM_POLICY_ALL_FULL, and the caller refuses or begins the
 * next round.
 */
int cm_policy_first(const struct cm_policy_snapshot *snapshot,
		    const enum cm_tier order[CM_NR_TIERS],
		    const struct cm_policy_view *view);

/* Of the policy's own order. */
int cm_policy_priority(const struct cm_policy_snapshot *snapshot,
		       const struct cm_policy_view *view);

/* Does a full last tier take what nobody else would? */
bool cm_policy_is_elastic(const struct cm_policy_snapshot *snapshot,
			  enum cm_tier tier);

#endif
