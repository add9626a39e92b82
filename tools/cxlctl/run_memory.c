/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel has one policy for a process and no limits, so of the library's
 * settings it can follow these (linux: Documentation/admin-guide/mm/
 * numa_memory_policy.rst):
 *	order of two tiers	MPOL_PREFERRED_MANY on the first
 *	one tier		the same, or MPOL_BIND where that is strict
 *	interleave		MPOL_INTERLEAVE where the tiers' numbers of
 *				nodes are in that ratio, or MPOL_WEIGHTED_INTERLEAVE
 *				where the weights root has set are
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "control/parse.h"
#include "sys/sys.h"
#include "tiers.h"
#include "topology/weights.h"

#define MPOL_INTERLEAVE			3
#define MPOL_WEIGHTED_INTERLEAVE	6	/* Linux 6.9 */

/* The tiers of order that take something, and their nodes. */
struct choice {
	const struct cm_settings *settings;
	struct cm_nodeset usable;		/* has memory, allowed to us */
	struct cm_nodeset of[CM_NR_TIERS];	/* by tier */
	struct cm_nodeset all;			/* of the tiers in order */
	enum cm_tier order[CM_NR_TIERS];
	unsigned nr_order;
};

static int set_policy(int mode, const struct cm_nodeset *nodes)
{
	/* the kernel looks at one bit less than it is told */
	const unsigned long nr_bits = CM_MAX_NODES + 1;
	char text[CM_NODESET_TEXT_MAX];
	long err;

	/* as the library's: kept as written when cpuset.mems changes */
	err = syscall(SYS_set_mempolicy, (long)(mode | CM_MPOL_F_STATIC_NODES),
		      nodes->bits, nr_bits);
	/* Before 5.15 there is no PREFERRED_MANY: the first node must do. */
	if (err < 0 && errno == EINVAL && mode == CM_MPOL_PREFERRED_MANY)
		err = syscall(
			SYS_set_mempolicy,
			(long)(CM_MPOL_PREFERRED | CM_MPOL_F_STATIC_NODES),
			nodes->bits, nr_bits);
	if (err == 0)
		return 1;
	cm_nodeset_format(nodes, text, sizeof(text));
	fprintf(stderr,
		"cxlctl run: set_mempolicy refused for nodes %s: %s%s\n", text,
		strerror(errno),
		errno == EPERM ? "; it is a seccomp filter (Docker, Podman: "
				 "--cap-add SYS_NICE allows it)" :
				 "");
	return -1;
}

/* 0; -1 and a line: nodes that were named are no use */
static int read_tiers(struct choice *choice)
{
	const struct cm_settings *settings = choice->settings;
	char text[CM_NODESET_TEXT_MAX];
	struct tiers tiers;

	tiers_read(&tiers, settings, "/sys");
	choice->usable = tiers.usable;
	memcpy(choice->of, tiers.of, sizeof(choice->of));
	choice->nr_order = settings->nr_order;
	memcpy(choice->order, settings->order, sizeof(choice->order));
	for (unsigned i = 0; i < settings->nr_order; i++) {
		enum cm_tier t = settings->order[i];

		if (!tiers.missing[t])
			continue;
		cm_nodeset_format(&settings->tier[t].nodes, text, sizeof(text));
		fprintf(stderr,
			"cxlctl run: %s.nodes=%s: no memory there that this "
			"process may use\n",
			cm_tier_name(t), text);
		return -1;
	}
	return 0;
}

/* 1; 0, -1: as run_set_memory_policy, said */
static int find_nodes(struct choice *choice)
{
	bool named = false;

	if (read_tiers(choice) < 0)
		return -1;
	for (unsigned i = 0; i < choice->nr_order; i++) {
		enum cm_tier t = choice->order[i];

		if (cm_nodeset_empty(&choice->of[t])) {
			fprintf(stderr,
				"cxlctl run: no node is %s memory here: no "
				"kernel memory policy is set\n",
				cm_tier_name(t));
			return 0;
		}
		named |= choice->settings->tier[t].nodes_from == CM_NODES_LIST;
		cm_nodeset_or(&choice->all, &choice->of[t]);
	}
	if (!named && cm_nodeset_weight(&choice->usable) < 2) {
		fprintf(stderr, "cxlctl run: one memory node: no kernel memory "
				"policy is set\n");
		return 0;
	}
	return 1;
}

/* Nothing beyond the tiers' nodes, as the library's placement=auto has it. */
static bool is_strict(const struct cm_settings *settings)
{
	if (settings->placement == CM_PLACEMENT_AUTO)
		return settings->on_full != CM_ON_FULL_SPILL;
	return settings->placement == CM_PLACEMENT_STRICT;
}

static int set_priority(const struct choice *choice)
{
	const struct cm_nodeset *first = &choice->of[choice->order[0]];
	char text[CM_NODESET_TEXT_MAX];

	if (choice->nr_order == 1)
		return set_policy(is_strict(choice->settings) ?
					  CM_MPOL_BIND :
					  CM_MPOL_PREFERRED_MANY,
				  first);
	/* What overflows the first goes to any node: fine if all are ours. */
	if (!is_strict(choice->settings) ||
	    cm_nodeset_equal(&choice->all, &choice->usable))
		return set_policy(CM_MPOL_PREFERRED_MANY, first);
	/* Of a bound set the nearest comes first, which is DDR. */
	if (choice->order[0] == CM_TIER_DDR)
		return set_policy(CM_MPOL_BIND, &choice->all);
	cm_nodeset_format(&choice->all, text, sizeof(text));
	fprintf(stderr,
		"cxlctl run: a kernel memory policy cannot prefer CXL and also "
		"stay on nodes %s: use order=cxl or on_full=spill\n",
		text);
	return -1;
}

/* Nodes that were given weights, and the tiers' sums; all the same? */
static bool add_weights(struct choice *choice, unsigned weight[CM_NR_TIERS])
{
	const struct cm_node_weights *given = &choice->settings->node_weight;
	struct cm_nodeset with = { { 0 } };
	bool same = true;

	for (unsigned i = 0; i < given->nr; i++) {
		unsigned node = given->of[i].node;

		same &= given->of[i].weight == given->of[0].weight;
		for (unsigned t = 0; t < CM_NR_TIERS; t++) {
			if (!cm_nodeset_test(&choice->of[t], node))
				continue;
			weight[t] += given->of[i].weight;
			if (given->of[i].weight)
				cm_nodeset_set(&with, node);
		}
	}
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_nodeset_and(&choice->of[t], &with);
	cm_nodeset_and(&choice->all, &with);
	return same;
}

/* Which interleaving has this ratio; -1: none, said. */
static int interleave_mode(const struct choice *choice, const unsigned *weight,
			   bool nodes_alike)
{
	uint64_t nr_ddr = cm_nodeset_weight(&choice->of[CM_TIER_DDR]);
	uint64_t nr_cxl = cm_nodeset_weight(&choice->of[CM_TIER_CXL]);

	/* preferred: root cannot change this ratio while the program runs */
	if (nodes_alike &&
	    nr_ddr * weight[CM_TIER_CXL] == nr_cxl * weight[CM_TIER_DDR])
		return MPOL_INTERLEAVE;
	if (cm_weights_are_kernels("/sys", choice->of, weight,
				   &choice->settings->node_weight))
		return MPOL_WEIGHTED_INTERLEAVE;
	fprintf(stderr,
		"cxlctl run: interleave=%u:%u: the kernel interleaves these "
		"nodes %llu:%llu, or by its weights, which are others (cxlctl "
		"weights; Linux 6.9): only the library makes this ratio\n",
		weight[CM_TIER_DDR], weight[CM_TIER_CXL],
		(unsigned long long)nr_ddr, (unsigned long long)nr_cxl);
	return -1;
}

/* Given, published, the machine's; false: neither, said. */
static bool find_weights(struct choice *choice, unsigned weight[CM_NR_TIERS],
			 bool *nodes_alike)
{
	const struct cm_settings *settings = choice->settings;

	*nodes_alike = true;
	if (settings->policy == CM_POLICY_BANDWIDTH &&
	    cm_weights_published(weight))
		return true;
	memcpy(weight, settings->weight, sizeof(settings->weight));
	if (settings->policy == CM_POLICY_INTERLEAVE &&
	    settings->node_weight.nr)
		*nodes_alike = add_weights(choice, weight);
	if (weight[CM_TIER_DDR] || weight[CM_TIER_CXL] ||
	    cm_weights_read("/sys", choice->of, weight))
		return true;
	fprintf(stderr, "cxlctl run: interleave=auto: neither weights nor "
			"bandwidth are known, using priority\n");
	return false;
}

static int set_interleave(struct choice *choice)
{
	unsigned weight[CM_NR_TIERS];
	bool nodes_alike;
	int mode;

	if (choice->nr_order < 2 || !find_weights(choice, weight, &nodes_alike))
		return set_priority(choice);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		if (weight[t])
			continue;
		/* all of it is for the other */
		choice->order[0] = t == CM_TIER_DDR ? CM_TIER_CXL : CM_TIER_DDR;
		choice->nr_order = 1;
		return set_priority(choice);
	}
	mode = interleave_mode(choice, weight, nodes_alike);
	return mode < 0 ? -1 : set_policy(mode, &choice->all);
}

int run_set_memory_policy(const struct cm_settings *settings)
{
	struct choice choice = { .settings = settings };
	int found = find_nodes(&choice);

	if (found <= 0)
		return found;
	return settings->policy == CM_POLICY_INTERLEAVE ||
			       settings->policy == CM_POLICY_BANDWIDTH ?
		       set_interleave(&choice) :
		       set_priority(&choice);
}

int run_tier_nodes(const struct cm_settings *settings, struct cm_nodeset *nodes)
{
	struct choice choice = { .settings = settings };

	if (read_tiers(&choice) < 0)
		return -1;
	cm_nodeset_zero(nodes);
	for (unsigned i = 0; i < choice.nr_order; i++) {
		enum cm_tier t = choice.order[i];

		cm_nodeset_or(nodes, cm_nodeset_empty(&choice.of[t]) ?
					     &choice.usable :
					     &choice.of[t]);
	}
	return 0;
}
