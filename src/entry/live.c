/* SPDX-License-Identifier: BSD-2-Clause */
#include "entry/live.h"

#include <errno.h>
#include <string.h>

#include "base/line.h"
#include "base/nodeset.h"
#include "control/conf.h"
#include "entry/channel.h"
#include "entry/init.h"
#include "entry/nodes.h"
#include "entry/route.h"
#include "entry/turns.h"
#include "policy/snapshot.h"
#include "pool/away.h"
#include "pool/mixed.h"
#include "pool/own.h"
#include "pool/pool.h"
#include "sys/event.h"
#include "topology/weights.h"

/* As it was last published; the writer's own copy. */
static struct cm_policy_snapshot in_force;
static unsigned version;

unsigned cm_live_version(void)
{
	return version;
}

static bool is_by_turns(const struct cm_policy_snapshot *policy)
{
	return policy->id == CM_POLICY_INTERLEAVE ||
	       policy->id == CM_POLICY_BANDWIDTH;
}

/* A tier of weight 0 has no turns: it comes after the other. */
static void settle_turns(struct cm_policy_snapshot *policy)
{
	const unsigned *weight = policy->weight;

	if (!is_by_turns(policy))
		return;
	if (policy->nr_order == 1) {
		policy->id = CM_POLICY_PRIORITY;
	} else if (!weight[CM_TIER_DDR] != !weight[CM_TIER_CXL]) {
		policy->id = CM_POLICY_PRIORITY;
		policy->order[0] = weight[CM_TIER_DDR] ? CM_TIER_DDR :
							 CM_TIER_CXL;
		policy->order[1] = weight[CM_TIER_DDR] ? CM_TIER_CXL :
							 CM_TIER_DDR;
	}
}

static void snapshot_of(struct cm_policy_snapshot *policy,
			const struct cm_settings *settings)
{
	memset(policy, 0, sizeof(*policy));
	policy->id = settings->policy;
	policy->on_full = settings->on_full;
	policy->nr_order = settings->nr_order;
	memcpy(policy->order, settings->order, sizeof(policy->order));
	memcpy(policy->weight, settings->weight, sizeof(policy->weight));
	policy->nodes = settings->node_weight;
	policy->strict = settings->placement == CM_PLACEMENT_STRICT;
	policy->sizes = settings->sizes;
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		policy->limit_percent[t] = settings->tier[t].limit_percent;
	settle_turns(policy);
	if (cm_process.state != CM_STATE_TIERED) {
		policy->id = CM_POLICY_PRIORITY;
		policy->nr_order = 1;
		policy->order[0] = CM_TIER_DDR;
	}
}

/* interleave=auto, and bandwidth while nobody publishes. */
static bool machine_weights(unsigned weight[CM_NR_TIERS])
{
	struct cm_nodeset nodes[CM_NR_TIERS] = { 0 };
	struct cm_place place;

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_place_get(&cm_pool[t].place, &place);
		if (place.binding != CM_BINDING_EMULATED)
			nodes[t] = place.weights.nr ? place.home : place.nodes;
	}
	return cm_weights_read("/sys", nodes, weight);
}

/* interleave=0=3,2=1: a tier has the sum of its nodes'. */
static void add_weights(struct cm_policy_snapshot *policy, bool say)
{
	const struct cm_node_weights *given = &policy->nodes;
	struct cm_place place[CM_NR_TIERS];

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_place_get(&cm_pool[t].place, &place[t]);
	for (unsigned i = 0; i < given->nr; i++) {
		unsigned node = given->of[i].node, t;

		for (t = 0; t < CM_NR_TIERS; t++)
			if (place[t].binding != CM_BINDING_EMULATED &&
			    cm_nodeset_test(&place[t].home, node))
				break;
		if (t < CM_NR_TIERS)
			policy->weight[t] += given->of[i].weight;
		else if (say)
			cm_line_say("interleave: node %u is in no tier in use, "
				    "its weight does not count",
				    node);
	}
	settle_turns(policy);
}

/* False: none are known, and the policy is priority until some are. */
static bool find_weights(struct cm_policy_snapshot *policy, bool at_start)
{
	if (!is_by_turns(policy))
		return true;
	if (policy->id == CM_POLICY_BANDWIDTH &&
	    cm_weights_published(policy->weight)) {
		settle_turns(policy);
		return true;
	}
	if (policy->weight[CM_TIER_DDR] || policy->weight[CM_TIER_CXL])
		return true;
	if (policy->id == CM_POLICY_INTERLEAVE && policy->nodes.nr) {
		add_weights(policy, at_start);
		if (policy->weight[CM_TIER_DDR] || policy->weight[CM_TIER_CXL])
			return true;
	} else if (machine_weights(policy->weight)) {
		return true;
	}
	policy->id = CM_POLICY_PRIORITY;
	return false;
}

/* 0, or -EBUSY: every slot is being read, later. */
static int put_in_force(const struct cm_policy_snapshot *policy)
{
	unsigned growth = cm_process.settings.profile.mode ==
					  CM_PROFILE_RECORD ?
				  CM_WORD_GROWTH :
				  0;
	int err;

	if (!memcmp(policy, &in_force, sizeof(in_force)))
		return 0;
	err = cm_snapshot_publish(policy);
	if (err)
		return err;
	in_force = *policy;
	if (is_by_turns(policy))
		cm_turns_set(policy->weight);
	/* What may serve unasked is less before it is more. */
	atomic_store(&cm_policy_word, 0);
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		atomic_store(&cm_pool[t].elastic,
			     cm_policy_is_elastic(policy, t));
	atomic_store(&cm_policy_word,
		     cm_policy_word_of(policy) | growth |
			     (cm_away_is_looked_for() ? CM_WORD_AWAY : 0));
	return 0;
}

static void set_limit(struct cm_pool *pool, const struct cm_settings *settings)
{
	uint64_t before = atomic_load(&pool->limit), now;

	now = cm_nodes_limit(settings, pool->tier);
	if (now == before)
		return;
	atomic_store(&pool->limit, now);
	atomic_store(&pool->allowance, now);
	cm_pool_raise_peaks(pool);
	/* A huge page that reaches past what is committed would exceed it. */
	if (before == CM_NO_LIMIT && atomic_load(&pool->nr_arenas)) {
		const struct cm_window window = cm_window_of(pool->tier);

		(void)pool->sys->no_huge_pages((void *)window.base,
					       atomic_load(&pool->next) -
						       window.base);
	}
	if (before == CM_NO_LIMIT) {
		cm_mixed_no_huge_pages();
		cm_own_no_huge_pages();
	}
	/* Whether it is full shows with the next block. */
	atomic_store(&pool->full, false);
}

void cm_live_prepare(const struct cm_settings *settings)
{
	struct cm_policy_snapshot policy;

	snapshot_of(&policy, settings);
	(void)put_in_force(&policy);
}

void cm_live_begin(const struct cm_settings *settings)
{
	struct cm_policy_snapshot policy;

	snapshot_of(&policy, settings);
	if (!find_weights(&policy, true))
		cm_line_say("%s: the kernel knows no weights and no bandwidth "
			    "of both tiers, using policy=priority",
			    settings->policy == CM_POLICY_BANDWIDTH ?
				    "policy=bandwidth" :
				    "interleave=auto");
	(void)put_in_force(&policy);
}

void cm_live_route(void)
{
	cm_route_update(&in_force);
}

void cm_live_follow(bool nodes_changed)
{
	const struct cm_settings *settings = &cm_process.settings;
	struct cm_policy_snapshot policy;
	bool is_auto = !settings->weight[CM_TIER_DDR] &&
		       !settings->weight[CM_TIER_CXL];

	if (settings->policy != CM_POLICY_BANDWIDTH &&
	    !(nodes_changed && is_auto &&
	      settings->policy == CM_POLICY_INTERLEAVE))
		return;
	snapshot_of(&policy, settings);
	(void)find_weights(&policy, false);
	if (memcmp(&policy, &in_force, sizeof(policy)) &&
	    put_in_force(&policy) == 0) {
		cm_route_update(&in_force);
		cm_event_tell(CM_EVENT_POLICY);
	}
}

/* The first bad line is the answer. */
static void keep_line(void *arg, const char *text)
{
	struct cm_line *line = arg;

	if (line->len == 0)
		cm_line_fmt(line, "%s", text);
}

static const char *not_live(uint64_t given)
{
	for (int id = 0; id < CM_NR_OPTIONS; id++)
		if (given & ~cm_options_live & UINT64_C(1) << id)
			return cm_options[id].key;
	return NULL;
}

/*
 * Parsed as CXLMALLOC_CONF is, over what is in force; all of it or nothing.
 * 0, -EINVAL, or -EPERM: all of it is right, but not while the program runs.
 */
static int parse(struct cm_settings *wanted, const char *text,
		 struct cm_line *answer)
{
	struct cm_conf_sink sink = { .line = keep_line, .arg = answer };
	uint64_t given = wanted->given;
	bool smdk = wanted->smdk;
	const char *key;

	wanted->given = 0;
	wanted->smdk = false;
	cm_conf_parse_list(wanted, "request", text, &sink);
	key = wanted->smdk ? "an option of SMDK's" : not_live(wanted->given);
	wanted->smdk = smdk;
	if (key && !sink.nr_bad) {
		cm_line_init(answer, answer->buf, answer->size, -1);
		cm_line_fmt(answer,
			    "request: %s: cannot be changed while the program "
			    "runs",
			    key);
		return -EPERM;
	}
	wanted->given |= given;
	return sink.nr_bad ? -EINVAL : 0;
}

static bool same_limits(const struct cm_settings *a,
			const struct cm_settings *b)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (a->tier[t].limit != b->tier[t].limit ||
		    a->tier[t].limit_percent != b->tier[t].limit_percent)
			return false;
	return true;
}

/* A limit that is a share alone is no other policy. */
static bool same_policy(const struct cm_policy_snapshot *a,
			struct cm_policy_snapshot b)
{
	memcpy(b.limit_percent, a->limit_percent, sizeof(b.limit_percent));
	return !memcmp(a, &b, sizeof(b));
}

static bool apply(const struct cm_settings *wanted, struct cm_line *answer,
		  bool *later)
{
	struct cm_settings *settings = &cm_process.settings;
	bool limits = !same_limits(wanted, settings);
	struct cm_policy_snapshot policy, before = in_force;

	snapshot_of(&policy, wanted);
	if (!find_weights(&policy, false))
		cm_line_fmt(answer,
			    "the weights of both tiers are not known here: "
			    "priority until they are");
	*later = put_in_force(&policy) != 0;
	if (*later)
		return false;
	*settings = *wanted;
	version++;
	for (unsigned t = 0; t < CM_NR_TIERS && limits; t++)
		set_limit(&cm_pool[t], settings);
	cm_route_update(&in_force);
	cm_event_tell((limits ? CM_EVENT_LIMIT : 0) |
		      (same_policy(&policy, before) ? 0 : CM_EVENT_POLICY));
	return true;
}

/* Too large for a thread's stack; whoever looks is alone. */
static CM_SPARSE struct cm_settings wanted;

bool cm_live_answer(void)
{
	static char text[CM_PAGE_TEXT + 1], said[CM_PAGE_TEXT];
	struct cm_line answer;
	uint32_t number = cm_channel_request(text);
	bool changed = false, later = false, good;

	if (!number)
		return false;
	cm_line_init(&answer, said, sizeof(said), -1);
	said[0] = '\0';
	wanted = cm_process.settings;
	good = parse(&wanted, text, &answer) == 0;
	if (good && text[0])
		changed = apply(&wanted, &answer, &later);
	if (later)
		return false;
	cm_channel_publish();
	cm_channel_answer(number, good ? CM_PAGE_APPLIED : CM_PAGE_REFUSED,
			  said);
	return changed;
}

/* As a list of this one setting would, whatever is in its value. */
static int take_one(enum cm_option_id id, struct cm_slice value)
{
	uint64_t given = wanted.given;
	int err;

	if (!(cm_options_live >> id & 1))
		return -EPERM;
	wanted.given = 0;
	err = cm_option_set(&wanted, id, value);
	wanted.given |= given;
	return err ? -EINVAL : 0;
}

int cm_live_set(int id, const char *text)
{
	static char said[CM_PAGE_TEXT];
	struct cm_line line;
	bool later = false;
	int err;

	cm_line_init(&line, said, sizeof(said), -1);
	said[0] = '\0';
	wanted = cm_process.settings;
	err = id >= 0 ? take_one(id, cm_slice_of(text)) :
			parse(&wanted, text, &line);
	if (!err && (!apply(&wanted, &line, &later) || later))
		err = -EBUSY;
	return err;
}

static void add(struct cm_line *line, const struct cm_settings *settings,
		int id)
{
	char value[CM_LINE_MAX];
	struct cm_line one;

	if (cm_options[id].type == CM_OPTION_PATH)
		return;
	cm_line_init(&one, value, sizeof(value), -1);
	cm_option_format(&one, settings, id);
	if (!one.cut && line->len + one.len + 24 < line->size)
		cm_line_fmt(line, "%s%s=%s", line->len ? "," : "",
			    cm_options[id].key, value);
}

void cm_live_format(char *text, size_t size)
{
	const struct cm_settings *settings = &cm_process.settings;
	struct cm_line line;

	cm_line_init(&line, text, size, -1);
	text[0] = '\0';
	for (int live = 1; live >= 0; live--)
		for (int id = 0; id < CM_NR_OPTIONS; id++)
			if ((int)(cm_options_live >> id & 1) == live)
				add(&line, settings, id);
}
