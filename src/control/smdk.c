/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/smdk.h"

#include <errno.h>

#include "base/compiler.h"
#include "base/nodeset.h"

enum smdk_key {
	USE_EXMEM,
	EXMEM_SIZE,
	NORMAL_SIZE,
	PRIORITY,
	MAXMEMORY_POLICY,
	AUTO_ARENAS,
	PARTITION_RANGE,
	ADAPTIVE,
	ADAPTIVE_POLICY,
	INTERLEAVE_NODE,
	NR_ARENAS,
};

static const struct {
	char key[32];
	enum smdk_key what;
} keys[] = {
	{ "use_exmem", USE_EXMEM },
	{ "exmem_size", EXMEM_SIZE },
	{ "exmem_zone_size", EXMEM_SIZE },		/* SMDK 1.0 */
	{ "normal_size", NORMAL_SIZE },
	{ "normal_zone_size", NORMAL_SIZE },		/* SMDK 1.0 */
	{ "priority", PRIORITY },
	{ "maxmemory_policy", MAXMEMORY_POLICY },
	{ "use_auto_arena_scaling", AUTO_ARENAS },
	{ "exmem_partition_range", PARTITION_RANGE },
	{ "use_adaptive_interleaving", ADAPTIVE },
	{ "adaptive_interleaving_policy", ADAPTIVE_POLICY },
	{ "interleave_node", INTERLEAVE_NODE },
	{ "nr_normal_arena", NR_ARENAS },		/* SMDK 1.x */
	{ "nr_exmem_arena", NR_ARENAS },		/* SMDK 1.x */
};

/* SMDK's bounds, in MB and arenas; its default size is the largest. */
#define SIZE_MAX_MB	(1024 * 1024)
#define ARENAS_MAX	128

const char *cm_smdk_nth_key(unsigned n)
{
	return n < CM_ARRAY_SIZE(keys) ? keys[n].key : NULL;
}

static bool is_given(const struct cm_settings *settings, enum cm_option_id id)
{
	return settings->given >> id & 1;
}

static void give(struct cm_settings *settings, enum cm_option_id id)
{
	settings->given |= UINT64_C(1) << id;
	settings->given_smdk |= UINT64_C(1) << id;
}

/* The first of its keys: what nobody wrote takes SMDK's default, not ours. */
static void use_defaults(struct cm_settings *settings)
{
	settings->smdk = true;
	if (!is_given(settings, CM_OPT_DDR_LIMIT))
		settings->tier[CM_TIER_DDR].limit = SIZE_MAX_MB * MIB;
	if (!is_given(settings, CM_OPT_CXL_LIMIT))
		settings->tier[CM_TIER_CXL].limit = SIZE_MAX_MB * MIB;
	if (!is_given(settings, CM_OPT_ON_FULL))
		settings->on_full = CM_ON_FULL_FAIL;
}

static int set_size(struct cm_settings *settings, enum cm_tier tier,
		    struct cm_slice value, struct cm_smdk_result *result)
{
	uint64_t *limit = &settings->tier[tier].limit;
	int64_t mb, unit_mb = 1;
	char last;

	result->id = tier == CM_TIER_DDR ? CM_OPT_DDR_LIMIT : CM_OPT_CXL_LIMIT;
	result->expect = "1..1048576 (MB, or with m or g) or -1";
	if (cm_slice_is(value, "-1")) {
		*limit = CM_NO_LIMIT;
		settings->tier[tier].limit_percent = 0;
		give(settings, result->id);
		return 0;
	}
	if (value.len > 0) {
		last = value.at[value.len - 1];
		if (last == 'g' || last == 'G')
			unit_mb = 1024;
		if (unit_mb == 1024 || last == 'm' || last == 'M')
			value.len--;
	}
	if (cm_parse_int(value, 1, SIZE_MAX_MB / unit_mb, &mb) < 0)
		return -EINVAL;
	*limit = (uint64_t)(mb * unit_mb) * MIB;
	settings->tier[tier].limit_percent = 0;
	give(settings, result->id);
	return 0;
}

static int set_priority(struct cm_settings *settings, struct cm_slice value,
			struct cm_smdk_result *result)
{
	enum cm_tier first;

	result->id = CM_OPT_ORDER;
	result->expect = "normal or exmem";
	if (cm_slice_is(value, "normal"))
		first = CM_TIER_DDR;
	else if (cm_slice_is(value, "exmem"))
		first = CM_TIER_CXL;
	else
		return -EINVAL;
	settings->order[0] = first;
	settings->order[1] = first == CM_TIER_DDR ? CM_TIER_CXL : CM_TIER_DDR;
	settings->nr_order = 2;
	give(settings, CM_OPT_ORDER);
	return 0;
}

static int set_policy(struct cm_settings *settings, struct cm_slice value,
		      struct cm_smdk_result *result)
{
	result->id = CM_OPT_ON_FULL;
	result->expect = "oom, interleave or remain";
	if (cm_slice_is(value, "oom"))
		settings->on_full = CM_ON_FULL_FAIL;
	else if (cm_slice_is(value, "interleave"))
		settings->on_full = CM_ON_FULL_INTERLEAVE;
	else if (cm_slice_is(value, "remain"))
		settings->on_full = CM_ON_FULL_REMAIN;
	else
		return -EINVAL;
	give(settings, CM_OPT_ON_FULL);
	return 0;
}

static int set_partition(struct cm_settings *settings, struct cm_slice value,
			 struct cm_smdk_result *result)
{
	struct cm_tier_settings *cxl = &settings->tier[CM_TIER_CXL];
	struct cm_nodeset nodes = { { 0 } };

	result->id = CM_OPT_CXL_NODES;
	result->expect = "all or a list of nodes (1,2 or 1-3)";
	/* empty is SMDK's default */
	if (!cm_slice_is(value, "all") &&
	    cm_nodeset_parse(&nodes, value.at, value.len) < 0)
		return -EINVAL;
	cxl->nodes_from = cm_nodeset_empty(&nodes) ? CM_NODES_AUTO :
						     CM_NODES_LIST;
	cxl->nodes = nodes;
	give(settings, CM_OPT_CXL_NODES);
	return 0;
}

static int set_bool(bool *field, struct cm_slice value,
		    struct cm_smdk_result *result)
{
	result->expect = "true or false";
	return cm_parse_bool(value, field);
}

static int set_arenas(struct cm_settings *settings, struct cm_slice value,
		      struct cm_smdk_result *result)
{
	bool automatic;

	result->id = CM_OPT_ARENAS;
	if (set_bool(&automatic, value, result) < 0)
		return -EINVAL;
	settings->nr_arenas = automatic ? 0 : 1;
	give(settings, CM_OPT_ARENAS);
	return 0;
}

static int check_nr_arenas(struct cm_slice value, struct cm_smdk_result *result)
{
	int64_t nr;

	result->expect = "in 1..128";
	result->note = "no effect here, arenas=N sets both tiers' number";
	return cm_parse_int(value, 1, ARENAS_MAX, &nr) < 0 ? -EINVAL : 0;
}

static int check_adaptive_policy(struct cm_slice value,
				 struct cm_smdk_result *result)
{
	result->expect = "bw_saturation, bw_order or weighted_interleaving";
	result->note = "no effect here, weights are published with cxlctl "
		       "weights";
	if (cm_slice_is(value, "bw_saturation") ||
	    cm_slice_is(value, "bw_order") ||
	    cm_slice_is(value, "weighted_interleaving"))
		return 0;
	return -EINVAL;
}

static int set_use_exmem(struct cm_settings *settings, struct cm_slice value,
			 struct cm_smdk_result *result)
{
	bool use;

	if (set_bool(&use, value, result) < 0)
		return -EINVAL;
	settings->disable = !use;
	return 0;
}

static int set_adaptive(struct cm_settings *settings, struct cm_slice value,
			struct cm_smdk_result *result)
{
	if (set_bool(&settings->smdk_adaptive, value, result) < 0)
		return -EINVAL;
	return 0;
}

int cm_smdk_set(struct cm_settings *settings, struct cm_slice key,
		struct cm_slice value, struct cm_smdk_result *result)
{
	size_t i;

	for (i = 0; i < CM_ARRAY_SIZE(keys); i++)
		if (cm_slice_is(key, keys[i].key))
			break;
	if (i == CM_ARRAY_SIZE(keys))
		return -ENOENT;
	if (!settings->smdk)
		use_defaults(settings);
	switch (keys[i].what) {
	case USE_EXMEM:
		return set_use_exmem(settings, value, result);
	case EXMEM_SIZE:
		return set_size(settings, CM_TIER_CXL, value, result);
	case NORMAL_SIZE:
		return set_size(settings, CM_TIER_DDR, value, result);
	case PRIORITY:
		return set_priority(settings, value, result);
	case MAXMEMORY_POLICY:
		return set_policy(settings, value, result);
	case AUTO_ARENAS:
		return set_arenas(settings, value, result);
	case PARTITION_RANGE:
		return set_partition(settings, value, result);
	case ADAPTIVE:
		return set_adaptive(settings, value, result);
	case ADAPTIVE_POLICY:
		return check_adaptive_policy(value, result);
	case INTERLEAVE_NODE:
		result->note =
			"no effect here, as adaptive_interleaving_policy";
		return 0;
	case NR_ARENAS:
		return check_nr_arenas(value, result);
	}
	return -ENOENT;
}

/* Did a key of ours have the last word on it? */
static bool is_native(const struct cm_settings *settings, enum cm_option_id id)
{
	return (settings->given & ~settings->given_smdk) >> id & 1;
}

void cm_smdk_finish(struct cm_settings *settings)
{
	if (!settings->smdk_adaptive)
		return;
	if (!is_native(settings, CM_OPT_POLICY))
		settings->policy = CM_POLICY_BANDWIDTH;
	if (!is_native(settings, CM_OPT_ORDER)) {
		settings->order[0] = CM_TIER_DDR;
		settings->order[1] = CM_TIER_CXL;
		settings->nr_order = 2;
	}
	if (!is_native(settings, CM_OPT_DDR_LIMIT))
		settings->tier[CM_TIER_DDR].limit = CM_NO_LIMIT;
	if (!is_native(settings, CM_OPT_CXL_LIMIT))
		settings->tier[CM_TIER_CXL].limit = CM_NO_LIMIT;
	if (!is_native(settings, CM_OPT_ON_FULL))
		settings->on_full = CM_ON_FULL_FAIL;
}
