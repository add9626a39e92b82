/* SPDX-License-Identifier: BSD-2-Clause */
/* smdk: SMDK's CXLMALLOC_CONF means here what it means there */
#include "support/test.h"

#include <string.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "control/conf.h"
#include "control/smdk.h"
#include "support/messages.h"

/* What a configuration has to come to. */
struct outcome {
	bool off;
	bool cxl_first;
	bool adaptive;	       /* policy=bandwidth */
	uint64_t ddr_limit, cxl_limit;
	enum cm_on_full on_full;
	unsigned arenas;
	const char *cxl_nodes; /* NULL: auto */
	unsigned notes;	       /* lines that are no mistakes */
};

#define SMDK_DEFAULTS \
	.ddr_limit = TIB, .cxl_limit = TIB, .on_full = CM_ON_FULL_FAIL

struct input {
	const char *name;
	const char *text;
	struct outcome outcome;
};

static void check(const struct input *input)
{
	const struct outcome *o = &input->outcome;
	struct messages messages;
	struct cm_settings s = parse(input->text, &messages);
	const struct cm_tier_settings *ddr = &s.tier[CM_TIER_DDR];
	const struct cm_tier_settings *cxl = &s.tier[CM_TIER_CXL];
	char nodes[CM_NODESET_TEXT_MAX];

	cm_nodeset_format(&cxl->nodes, nodes, sizeof(nodes));
	if (messages.nr != o->notes || messages.sink.nr_bad > 0)
		fail_msg("%s: %u messages, %s", input->name, messages.nr,
			 messages.nr > 0 ? messages.text[0] : "");
	if (s.disable != o->off)
		fail_msg("%s: disable", input->name);
	if (s.nr_order != 2 ||
	    s.policy !=
		    (o->adaptive ? CM_POLICY_BANDWIDTH : CM_POLICY_PRIORITY) ||
	    s.order[0] != (o->cxl_first ? CM_TIER_CXL : CM_TIER_DDR) ||
	    s.order[1] != (o->cxl_first ? CM_TIER_DDR : CM_TIER_CXL))
		fail_msg("%s: order", input->name);
	if (ddr->limit != o->ddr_limit || cxl->limit != o->cxl_limit)
		fail_msg("%s: limits %llu %llu", input->name,
			 (unsigned long long)ddr->limit,
			 (unsigned long long)cxl->limit);
	if (s.on_full != o->on_full)
		fail_msg("%s: on_full", input->name);
	if (s.nr_arenas != o->arenas)
		fail_msg("%s: arenas", input->name);
	if (cxl->nodes_from != (o->cxl_nodes ? CM_NODES_LIST : CM_NODES_AUTO) ||
	    strcmp(nodes, o->cxl_nodes ? o->cxl_nodes : "") != 0)
		fail_msg("%s: nodes %s", input->name, nodes);
	if (!s.smdk)
		fail_msg("%s: smdk", input->name);
}

/* The inputs of its test_config_cxl.sh, releases 1.2 to 2.2. */
/* clang-format off */
static const struct input inputs[] = {
	{ "t1", "use_exmem:true", { SMDK_DEFAULTS } },
	{ "t2", "use_exmem:false", { SMDK_DEFAULTS, .off = true } },
	{ "t3", "use_exmem:true,exmem_zone_size:131072",
	  { .ddr_limit = TIB, .cxl_limit = 128 * GIB,
	    .on_full = CM_ON_FULL_FAIL } },
	{ "t4", "use_exmem:true,normal_zone_size:2048",
	  { .ddr_limit = 2 * GIB, .cxl_limit = TIB,
	    .on_full = CM_ON_FULL_FAIL } },
	{ "t5", "use_exmem:false,exmem_zone_size:512,normal_zone_size:4096",
	  { .off = true, .cxl_limit = 512 * MIB, .ddr_limit = 4 * GIB,
	    .on_full = CM_ON_FULL_FAIL } },
	{ "t6", "priority:exmem", { SMDK_DEFAULTS, .cxl_first = true } },
	{ "t7", "use_exmem:true,exmem_zone_size:512,normal_zone_size:4096,"
		"priority:exmem",
	  { .cxl_limit = 512 * MIB, .ddr_limit = 4 * GIB, .cxl_first = true,
	    .on_full = CM_ON_FULL_FAIL } },
	{ "t8", "use_exmem:true,exmem_zone_size:512m,normal_zone_size:4096M,"
		"priority:exmem",
	  { .cxl_limit = 512 * MIB, .ddr_limit = 4 * GIB, .cxl_first = true,
	    .on_full = CM_ON_FULL_FAIL } },
	{ "t9", "use_exmem:true,exmem_zone_size:2g,normal_zone_size:4G,"
		"priority:exmem",
	  { .cxl_limit = 2 * GIB, .ddr_limit = 4 * GIB, .cxl_first = true,
	    .on_full = CM_ON_FULL_FAIL } },
	{ "t10", "use_exmem:true,exmem_zone_size:-1,normal_zone_size:-1,"
		 "priority:exmem",
	  { .cxl_limit = CM_NO_LIMIT, .ddr_limit = CM_NO_LIMIT,
	    .cxl_first = true, .on_full = CM_ON_FULL_FAIL } },
	{ "t11", "use_exmem:true,use_auto_arena_scaling:true",
	  { SMDK_DEFAULTS } },
	{ "t12", "use_exmem:true,maxmemory_policy:oom", { SMDK_DEFAULTS } },
	{ "t13", "use_exmem:true,maxmemory_policy:interleave",
	  { .ddr_limit = TIB, .cxl_limit = TIB,
	    .on_full = CM_ON_FULL_INTERLEAVE } },
	{ "t14", "use_exmem:true,maxmemory_policy:remain",
	  { .ddr_limit = TIB, .cxl_limit = TIB,
	    .on_full = CM_ON_FULL_REMAIN } },
	{ "t15", "use_exmem:true,priority:exmem,exmem_partition_range:all",
	  { SMDK_DEFAULTS, .cxl_first = true } },
	{ "t16", "use_exmem:true,priority:exmem,exmem_partition_range:0,1,2",
	  { SMDK_DEFAULTS, .cxl_first = true, .cxl_nodes = "0-2" } },
	{ "t17", "use_exmem:true,priority:exmem,exmem_partition_range:1-3",
	  { SMDK_DEFAULTS, .cxl_first = true, .cxl_nodes = "1-3" } },
	{ "t18", "use_exmem:true,use_adaptive_interleaving:false",
	  { SMDK_DEFAULTS } },
	{ "t19", "use_exmem:true,use_adaptive_interleaving:true",
	  { .ddr_limit = CM_NO_LIMIT, .cxl_limit = CM_NO_LIMIT,
	    .on_full = CM_ON_FULL_FAIL, .adaptive = true } },
	{ "t20", "use_exmem:true,use_adaptive_interleaving:true,"
		 "adaptive_interleaving_policy:bw_saturation",
	  { .ddr_limit = CM_NO_LIMIT, .cxl_limit = CM_NO_LIMIT,
	    .on_full = CM_ON_FULL_FAIL, .adaptive = true, .notes = 1 } },
	{ "t21", "use_exmem:true,use_adaptive_interleaving:true,"
		 "adaptive_interleaving_policy:bw_saturation,priority:exmem",
	  { .ddr_limit = CM_NO_LIMIT, .cxl_limit = CM_NO_LIMIT,
	    .on_full = CM_ON_FULL_FAIL, .adaptive = true, .notes = 1 } },
	{ "t22", "use_exmem:true,use_adaptive_interleaving:true,"
		 "adaptive_interleaving_policy:bw_saturation,"
		 "maxmemory_policy:interleave",
	  { .ddr_limit = CM_NO_LIMIT, .cxl_limit = CM_NO_LIMIT,
	    .on_full = CM_ON_FULL_FAIL, .adaptive = true, .notes = 1 } },
	{ "t23", "use_exmem:true,use_adaptive_interleaving:true,"
		 "adaptive_interleaving_policy:bw_saturation,"
		 "exmem_zone_size:2g,normal_zone_size:4G",
	  { .ddr_limit = CM_NO_LIMIT, .cxl_limit = CM_NO_LIMIT,
	    .on_full = CM_ON_FULL_FAIL, .adaptive = true, .notes = 1 } },

	/* release 1.0 wrote a lone ':' behind the last; its own keys */
	{ "1.0 t1", "use_exmem:true,:", { SMDK_DEFAULTS } },
	{ "1.0 t9", "use_exmem:true,nr_normal_arena:10,nr_exmem_arena:5,:",
	  { SMDK_DEFAULTS, .notes = 2 } },
	{ "1.0 t12", "use_exmem:true,use_auto_arena_scaling:true,"
		     "nr_exmem_arena:1,nr_normal_arena:2,:",
	  { SMDK_DEFAULTS, .notes = 2 } },

	/* the names of 2.x, and what its guide shows for redis */
	{ "2.x", "use_exmem:true,exmem_size:131072,normal_size:2048,"
		 "maxmemory_policy:remain,use_auto_arena_scaling:false",
	  { .cxl_limit = 128 * GIB, .ddr_limit = 2 * GIB, .arenas = 1,
	    .on_full = CM_ON_FULL_REMAIN } },
	{ "priority", "priority:normal", { SMDK_DEFAULTS } },
	{ "interleave_node", "use_exmem:true,interleave_node:0,1,2-3",
	  { SMDK_DEFAULTS, .notes = 1 } },
	{ "largest size", "exmem_size:1024g,normal_size:1048576",
	  { SMDK_DEFAULTS } },
	{ "smallest size", "exmem_size:1,normal_size:1m",
	  { .ddr_limit = MIB, .cxl_limit = MIB, .on_full = CM_ON_FULL_FAIL } },
	{ "with =", "use_exmem=true,exmem_size=2g",
	  { .ddr_limit = TIB, .cxl_limit = 2 * GIB,
	    .on_full = CM_ON_FULL_FAIL } },
	{ "off and on", "use_exmem:false,use_exmem:true", { SMDK_DEFAULTS } },
	{ "empty range", "exmem_partition_range:1,exmem_partition_range:",
	  { SMDK_DEFAULTS } },
};
/* clang-format on */

static void its_own_test_inputs_mean_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(inputs); i++)
		check(&inputs[i]);
}

static void assert_says(const char *text, bool bad, const char *expected)
{
	struct messages messages;

	parse(text, &messages);
	if (messages.nr != 1)
		fail_msg("%s: %u messages", text, messages.nr);
	assert_string_equal(messages.text[0], expected);
	assert_int_equal(messages.sink.nr_bad, bad);
}

static void bad_values_are_one_line(void **state)
{
	(void)state;
#define BAD(token, rest) \
	assert_says(token, true, "CXLMALLOC_CONF: " token ": not " rest)
	BAD("use_exmem:yes", "true or false, ignored");
	BAD("exmem_size:0", "1..1048576 (MB, or with m or g) or -1, using 1t");
	BAD("exmem_size:1048577",
	    "1..1048576 (MB, or with m or g) or -1, using 1t");
	BAD("normal_size:1025g",
	    "1..1048576 (MB, or with m or g) or -1, using 1t");
	BAD("normal_size:", "1..1048576 (MB, or with m or g) or -1, using 1t");
	BAD("normal_size:m", "1..1048576 (MB, or with m or g) or -1, using 1t");
	BAD("exmem_size:-2", "1..1048576 (MB, or with m or g) or -1, using 1t");
	BAD("exmem_size:1t", "1..1048576 (MB, or with m or g) or -1, using 1t");
	BAD("exmem_zone_size:99999999999999999999",
	    "1..1048576 (MB, or with m or g) or -1, using 1t");
	BAD("priority:cxl", "normal or exmem, using ddr:cxl");
	BAD("maxmemory_policy:spill", "oom, interleave or remain, using fail");
	BAD("use_auto_arena_scaling:maybe", "true or false, using 0");
	BAD("exmem_partition_range:1-",
	    "all or a list of nodes (1,2 or 1-3), using auto");
	BAD("exmem_partition_range:9999",
	    "all or a list of nodes (1,2 or 1-3), using auto");
	BAD("use_adaptive_interleaving:on", "true or false, ignored");
	BAD("adaptive_interleaving_policy:best",
	    "bw_saturation, bw_order or weighted_interleaving, ignored");
	BAD("nr_normal_arena:0", "in 1..128, ignored");
	BAD("nr_exmem_arena:129", "in 1..128, ignored");
#undef BAD
}

static void keys_without_effect_are_said_but_not_bad(void **state)
{
	(void)state;
#define NOTE(token, rest) \
	assert_says(token, false, "CXLMALLOC_CONF: " token ": " rest)
	NOTE("nr_normal_arena:128",
	     "no effect here, arenas=N sets both tiers' number");
	NOTE("adaptive_interleaving_policy:bw_order",
	     "no effect here, weights are published with cxlctl weights");
	NOTE("interleave_node:0-1",
	     "no effect here, as adaptive_interleaving_policy");
#undef NOTE
}

static void native_keys_win_over_its_defaults(void **state)
{
	static const char *const texts[] = {
		"ddr.limit=64m,on_full=remain,use_exmem:true",
		"use_exmem:true,ddr.limit=64m,on_full=remain",
	};
	struct cm_settings s;

	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(texts); i++) {
		s = parse_clean(texts[i]);
		assert_true(s.tier[CM_TIER_DDR].limit == 64 * MIB);
		assert_true(s.tier[CM_TIER_CXL].limit == TIB);
		assert_int_equal(s.on_full, CM_ON_FULL_REMAIN);
	}
}

static void of_two_keys_for_one_option_the_later_wins(void **state)
{
	struct cm_settings s;

	(void)state;
	s = parse_clean("ddr.limit=64m,normal_size:2");
	assert_true(s.tier[CM_TIER_DDR].limit == 2 * MIB);
	s = parse_clean("normal_size:2,ddr.limit=64m");
	assert_true(s.tier[CM_TIER_DDR].limit == 64 * MIB);
	s = parse_clean("order=cxl,priority:normal");
	assert_int_equal(s.nr_order, 2);
	assert_int_equal(s.order[0], CM_TIER_DDR);
}

static void adaptive_interleaving_spares_native_keys(void **state)
{
	struct messages messages;
	struct cm_settings s = parse("order=cxl:ddr,ddr.limit=64m,exmem_size:1,"
				     "use_adaptive_interleaving:true,"
				     "normal_size:9,ddr.limit=65m,"
				     "on_full=interleave",
				     &messages);

	(void)state;
	assert_int_equal(s.order[0], CM_TIER_CXL);
	assert_true(s.tier[CM_TIER_DDR].limit == 65 * MIB);
	assert_true(s.tier[CM_TIER_CXL].limit == CM_NO_LIMIT);
	assert_int_equal(s.on_full, CM_ON_FULL_INTERLEAVE);
}

static void a_later_source_keeps_what_a_file_gave(void **state)
{
	struct messages messages;
	struct cm_settings s;

	(void)state;
	messages_init(&messages);
	cm_conf_defaults(&s);
	cm_conf_parse_lines(&s, "f", "ddr.limit = 64m\npriority : exmem\n",
			    &messages.sink);
	cm_conf_parse_list(&s, "e", "exmem_size:2g", &messages.sink);
	assert_int_equal(messages.nr, 0);
	assert_true(s.tier[CM_TIER_DDR].limit == 64 * MIB);
	assert_true(s.tier[CM_TIER_CXL].limit == 2 * GIB);
	assert_int_equal(s.order[0], CM_TIER_CXL);
	assert_int_equal(s.on_full, CM_ON_FULL_FAIL);
}

static void our_keys_alone_keep_our_defaults(void **state)
{
	struct cm_settings s = parse_clean("ddr.limit:64m,order:cxl:ddr");

	(void)state;
	assert_false(s.smdk);
	assert_true(s.tier[CM_TIER_CXL].limit == CM_NO_LIMIT);
	assert_int_equal(s.on_full, CM_ON_FULL_SPILL);
}

static void no_key_is_both_ours_and_its(void **state)
{
	const char *name;

	(void)state;
	for (unsigned n = 0; (name = cm_smdk_nth_key(n)); n++)
		assert_true(cm_option_find(cm_slice_of(name)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_own_test_inputs_mean_the_same),
		cmocka_unit_test(bad_values_are_one_line),
		cmocka_unit_test(keys_without_effect_are_said_but_not_bad),
		cmocka_unit_test(native_keys_win_over_its_defaults),
		cmocka_unit_test(of_two_keys_for_one_option_the_later_wins),
		cmocka_unit_test(adaptive_interleaving_spares_native_keys),
		cmocka_unit_test(a_later_source_keeps_what_a_file_gave),
		cmocka_unit_test(our_keys_alone_keep_our_defaults),
		cmocka_unit_test(no_key_is_both_ours_and_its),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
