/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy.h"

_Atomic unsigned cm_policy_word;

bool cm_policy_is_elastic(const struct cm_policy_snapshot *snapshot,
			  enum cm_tier tier)
{
	return snapshot->order[snapshot->nr_order - 1] == tier &&
	       (snapshot->on_full == CM_ON_FULL_SPILL ||
		snapshot->on_full == CM_ON_FULL_REMAIN);
}

enum cm_tier cm_policy_by_size(const struct cm_sizes *sizes, size_t size)
{
	unsigned i = 0;

	while (i < sizes->nr && size >= sizes->bound[i])
		i++;
	return sizes->tier[i];
}

unsigned cm_policy_order(const struct cm_policy_snapshot *snapshot,
			 enum cm_tier first, enum cm_tier order[CM_NR_TIERS])
{
	unsigned nr = 0;

	for (unsigned i = 0; i < snapshot->nr_order; i++)
		if (snapshot->order[i] == first)
			order[nr++] = first;
	for (unsigned i = 0; i < snapshot->nr_order; i++)
		if (snapshot->order[i] != first)
			order[nr++] = snapshot->order[i];
	return nr;
}

int cm_policy_first(const struct cm_policy_snapshot *snapshot,
		    const enum cm_tier order[CM_NR_TIERS],
		    const struct cm_policy_view *view)
{
	for (unsigned i = 0; i < snapshot->nr_order; i++)
		if (!view->full[order[i]])
			return (int)order[i];
	return cm_policy_is_elastic(snapshot,
				    snapshot->order[snapshot->nr_order - 1]) ?
		       (int)snapshot->order[snapshot->nr_order - 1] :
		       CM_POLICY_ALL_FULL;
}

int cm_policy_priority(const struct cm_policy_snapshot *snapshot,
		       const struct cm_policy_view *view)
{
	return cm_policy_first(snapshot, snapshot->order, view);
}

unsigned cm_policy_word_of(const struct cm_policy_snapshot *snapshot)
{
	bool turns = snapshot->id == CM_POLICY_INTERLEAVE ||
		     snapshot->id == CM_POLICY_BANDWIDTH;
	bool rounds = snapshot->on_full == CM_ON_FULL_INTERLEAVE;
	unsigned word = 0;

	word |= turns ? CM_WORD_TURNS : 0;
	word |= rounds ? CM_WORD_ROUNDS : 0;
	word |= snapshot->id == CM_POLICY_SIZE ? CM_WORD_SIZE : 0;
	for (unsigned i = 0; i < snapshot->nr_order; i++) {
		word |= CM_WORD_USED(snapshot->order[i]);
		if (!rounds && snapshot->id != CM_POLICY_SIZE &&
		    (turns || i == 0))
			word |= CM_WORD_FIRST(snapshot->order[i]);
	}
	return word;
}
