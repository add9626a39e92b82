/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings - what the operator asked for, parsed
 *
 * Filled at start by control/conf.c (defaults, then files, then the
 * environment). What may change while the program runs is changed by
 * entry/live.c alone; allocations read it from the policy snapshot.
 */
#ifndef CM_BASE_SETTINGS_H
#define CM_BASE_SETTINGS_H

#include "base/types.h"

enum cm_policy_id {
	CM_POLICY_PRIORITY,
	CM_POLICY_INTERLEAVE,
	CM_POLICY_SIZE,
	CM_POLICY_BANDWIDTH,	/* interleave by weights others publish */
};

/* Blocks of less than bound[0] bytes are for tier[0], and so on. */
#define CM_MAX_SIZES	16

struct cm_sizes {
	unsigned nr;			/* bounds, which rise */
	uint64_t bound[CM_MAX_SIZES - 1];
	enum cm_tier tier[CM_MAX_SIZES];	/* nr + 1 of them */
};

/* What happens when every tier of the order is full. */
enum cm_on_full {
	CM_ON_FULL_FAIL,	/* NULL and ENOMEM */
	CM_ON_FULL_SPILL,	/* last tier takes it, pages on any node */
	CM_ON_FULL_INTERLEAVE,	/* begin again: each limit is a new quantum */
	CM_ON_FULL_REMAIN,	/* last tier takes it, pages on its nodes */
};

enum cm_nodes_from {
	CM_NODES_AUTO,		/* ask the kernel (topology/) */
	CM_NODES_LIST,		/* the operator's list */
	CM_NODES_EMULATED,	/* own window, accounting and limit; no binding */
};

/* What binds a tier's extents to its nodes. */
enum cm_placement {
	CM_PLACEMENT_AUTO,	/* strict; preferred for the last tier when
				 * on_full is spill, which needs a way out */
	CM_PLACEMENT_STRICT,	/* MPOL_BIND */
	CM_PLACEMENT_PREFERRED,	/* MPOL_PREFERRED(_MANY) */
};

/* Where the program's own anonymous maps go. */
enum cm_mmap_policy {
	CM_MMAP_MALLOC,		/* as allocations do */
	CM_MMAP_DDR,
	CM_MMAP_CXL,
	CM_MMAP_OFF,		/* where the kernel puts them */
};

enum cm_stats_format {
	CM_STATS_TABLE,
	CM_STATS_JSON,
};

/* A tier's nodes, how they are taken together. */
enum cm_groups_from {
	CM_GROUPS_NOOP,		/* each by itself, nearest first */
	CM_GROUPS_NODE,		/* one group of all */
	CM_GROUPS_NAMED,	/* as listed, the others behind them */
};

struct cm_group_settings {
	enum cm_groups_from from;
	unsigned nr;		/* when from is CM_GROUPS_NAMED */
	struct cm_group {
		char name[CM_GROUP_NAME_MAX];
		struct cm_nodeset nodes;
	} of[CM_MAX_GROUPS - 1];	/* the last is for the others */
};

#define CM_STATS_FILE_MAX	512

/* Rules of one kind, first match wins; policy/rule.h parses and matches. */
#define CM_MAX_RULES	32
#define CM_RULE_MAX	255	/* bytes of one glob */
#define CM_RULES_TEXT	1536	/* of all, each with its NUL */

struct cm_rules {
	uint8_t nr, at;		/* at: where the next of this source goes */
	uint16_t used;		/* of text */
	struct cm_rule {
		uint16_t pattern, symbol;	/* in text; no symbol: 0 */
		uint8_t tier;
	} rule[CM_MAX_RULES];
	char text[CM_RULES_TEXT];
};

enum cm_profile_mode {
	CM_PROFILE_NONE,
	CM_PROFILE_RECORD,
	CM_PROFILE_APPLY,
};

struct cm_tier_settings {
	uint64_t limit;			/* bytes; CM_NO_LIMIT for none */
	unsigned limit_percent;		/* 0: limit is bytes; else a share of the
					 * process's memory, limit is unused */
	enum cm_nodes_from nodes_from;
	struct cm_nodeset nodes;	/* when nodes_from is CM_NODES_LIST */
	struct cm_group_settings groups;
};

struct cm_settings {
	enum cm_policy_id policy;
	enum cm_tier order[CM_NR_TIERS];
	unsigned nr_order;		/* 1..CM_NR_TIERS */
	unsigned weight[CM_NR_TIERS];	/* interleave: shares of bytes; all 0:
					 * node_weight's sums, or the kernel's */
	struct cm_node_weights node_weight;
	struct cm_sizes sizes;		/* policy=size */
	enum cm_on_full on_full;
	enum cm_placement placement;
	struct cm_tier_settings tier[CM_NR_TIERS];
	enum cm_mmap_policy mmap_policy;
	uint64_t mmap_min;		/* bytes; smaller maps are left alone */
	unsigned nr_arenas;		/* per tier; 0: four per CPU */
	int64_t decay_ms;		/* -1: never; dirty pages to the kernel */
	bool disable;			/* CXLMALLOC_DISABLE=1: plain jemalloc */
	bool background_thread;
	bool control;			/* a page for cxlctl */
	bool abort_conf;
	bool stats_print;
	enum cm_stats_format stats_format;
	char stats_file[CM_STATS_FILE_MAX];	/* "": stderr */
	struct cm_rules rules;		/* by call site */
	struct cm_rules threads;	/* by a thread's name */
	struct cm_rules hints;		/* by the name a program gives data */
	bool thread_inherit;		/* a thread's tier is its children's */
	struct cm_profile_settings {
		enum cm_profile_mode mode;
		char file[CM_STATS_FILE_MAX];
	} profile;
	/* how it was asked for: bit n is row n of control/options.def */
	uint64_t given;			/* somebody wrote it */
	uint64_t given_smdk;		/* the last who did, in SMDK's words */
	bool smdk;			/* SMDK's keys used: its defaults hold */
	bool smdk_adaptive;		/* use_adaptive_interleaving:true */
};

#endif
