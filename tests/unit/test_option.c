/* SPDX-License-Identifier: BSD-2-Clause */
/* option: each is read, shown and refused as options.def says */
#include "support/test.h"

#include <string.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "control/option.h"
#include "support/messages.h"

static const char *const default_text[] = {
#define OPT(id, key, type, field, text, value, min, max, help) text,
#include "control/options.def"
};

static const char *shown(const struct cm_settings *settings,
			 enum cm_option_id id)
{
	static char text[CM_NODESET_TEXT_MAX];
	struct cm_line line;

	cm_line_init(&line, text, sizeof(text), -1);
	cm_option_format(&line, settings, id);
	return text;
}

static void assert_nodes(const struct cm_nodeset *nodes, const char *expected)
{
	char text[CM_NODESET_TEXT_MAX];

	cm_nodeset_format(nodes, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void defaults_are_what_their_text_says(void **state)
{
	struct cm_settings defaults, parsed;

	(void)state;
	cm_conf_defaults(&defaults);
	memcpy(&parsed, &defaults, sizeof(parsed));
	for (unsigned id = 0; id < CM_NR_OPTIONS; id++) {
		assert_string_equal(shown(&defaults, id), default_text[id]);
		assert_int_equal(cm_option_set(&parsed, id,
					       cm_slice_of(default_text[id])),
				 0);
		assert_string_equal(shown(&parsed, id), default_text[id]);
	}
	/* all that differs is that they were given */
	assert_true(parsed.given == (UINT64_C(1) << CM_NR_OPTIONS) - 1);
	parsed.given = 0;
	assert_memory_equal(&parsed, &defaults, sizeof(parsed));
}

static void the_defaults_are_the_documented_ones(void **state)
{
	struct cm_settings s;

	(void)state;
	cm_conf_defaults(&s);
	assert_int_equal(s.policy, CM_POLICY_PRIORITY);
	assert_int_equal(s.nr_order, 2);
	assert_int_equal(s.order[0], CM_TIER_DDR);
	assert_int_equal(s.order[1], CM_TIER_CXL);
	assert_int_equal(s.on_full, CM_ON_FULL_SPILL);
	assert_int_equal(s.placement, CM_PLACEMENT_AUTO);
	for (unsigned tier = 0; tier < CM_NR_TIERS; tier++) {
		assert_true(s.tier[tier].limit == CM_NO_LIMIT);
		assert_int_equal(s.tier[tier].nodes_from, CM_NODES_AUTO);
		assert_true(cm_nodeset_empty(&s.tier[tier].nodes));
	}
	assert_int_equal(s.nr_arenas, 0);
	assert_int_equal(s.decay_ms, 10000);
	assert_int_equal(s.stats_format, CM_STATS_TABLE);
	assert_string_equal(s.stats_file, "");
	assert_false(s.disable || s.abort_conf || s.stats_print || s.smdk);
}

static void every_option_is_read(void **state)
{
	struct cm_settings s = parse_clean(
		"policy=priority,order=cxl:ddr,ddr.limit=64m,cxl.limit=2t,"
		"background_thread=true,interleave=3:1,sizes=cxl:4k:ddr,control=true,"
		"on_full=remain,ddr.nodes=0,2-3,cxl.nodes=1+4,"
		"ddr.groups=near=0/far=2-3,cxl.groups=node,"
		"placement=preferred,arenas=8,decay_ms=-1,stats_print=true,"
		"stats_format=json,stats_file=/tmp/%p,abort_conf=true,"
		"sizes=ddr:4k:cxl,control=false,rule=lib*.so:cxl;exe!main:ddr,"
		"rule=a:ddr,thread=io-*:cxl,thread.inherit=true,"
		"hint=my index:ddr;cache.*:cxl,"
		"mmap.policy=cxl,mmap.min=1m,profile=apply:/p");

	(void)state;
	assert_int_equal(s.order[0], CM_TIER_CXL);
	assert_int_equal(s.order[1], CM_TIER_DDR);
	assert_true(s.tier[CM_TIER_DDR].limit == 64 * MIB);
	assert_true(s.tier[CM_TIER_CXL].limit == 2 * TIB);
	assert_int_equal(s.on_full, CM_ON_FULL_REMAIN);
	assert_int_equal(s.tier[CM_TIER_DDR].nodes_from, CM_NODES_LIST);
	assert_nodes(&s.tier[CM_TIER_DDR].nodes, "0,2-3");
	assert_int_equal(s.tier[CM_TIER_CXL].nodes_from, CM_NODES_LIST);
	assert_nodes(&s.tier[CM_TIER_CXL].nodes, "1,4");
	assert_int_equal(s.tier[CM_TIER_DDR].groups.from, CM_GROUPS_NAMED);
	assert_int_equal(s.tier[CM_TIER_DDR].groups.nr, 2);
	assert_string_equal(s.tier[CM_TIER_DDR].groups.of[1].name, "far");
	assert_nodes(&s.tier[CM_TIER_DDR].groups.of[1].nodes, "2-3");
	assert_int_equal(s.tier[CM_TIER_CXL].groups.from, CM_GROUPS_NODE);
	assert_int_equal(s.placement, CM_PLACEMENT_PREFERRED);
	assert_int_equal(s.nr_arenas, 8);
	assert_int_equal(s.decay_ms, -1);
	assert_int_equal(s.weight[CM_TIER_DDR], 3);
	assert_int_equal(s.weight[CM_TIER_CXL], 1);
	assert_int_equal(s.policy, CM_POLICY_PRIORITY);	/* it was named */
	assert_true(s.background_thread);
	assert_true(s.stats_print);
	assert_int_equal(s.stats_format, CM_STATS_JSON);
	assert_int_equal(s.mmap_policy, CM_MMAP_CXL);
	assert_true(s.mmap_min == MIB);
	assert_string_equal(s.stats_file, "/tmp/%p");
	assert_true(s.abort_conf);
	assert_string_equal(shown(&s, CM_OPT_SIZES), "ddr:4k:cxl");
	assert_string_equal(shown(&s, CM_OPT_CONTROL), "false");
	assert_string_equal(shown(&s, CM_OPT_RULE),
			    "lib*.so:cxl;exe!main:ddr;a:ddr");
	assert_string_equal(shown(&s, CM_OPT_THREAD), "io-*:cxl");
	assert_string_equal(shown(&s, CM_OPT_HINT), "my index:ddr;cache.*:cxl");
	assert_true(s.thread_inherit);
	assert_string_equal(shown(&s, CM_OPT_PROFILE), "apply:/p");
	assert_true(s.given == (UINT64_C(1) << CM_NR_OPTIONS) - 1);
	assert_int_equal(s.given_smdk, 0);
	assert_false(s.smdk);
}

static void every_word_is_read_and_shown(void **state)
{
	static const struct {
		const char *text;
		enum cm_option_id id;
		const char *shown;
	} cases[] = {
		{ "interleave=0=3,2=1", CM_OPT_INTERLEAVE, "0=3,2=1" },
		{ "interleave=0=3+2=1", CM_OPT_INTERLEAVE, "0=3,2=1" },
		{ "interleave:4=1000", CM_OPT_INTERLEAVE, "4=1000" },
		{ "ddr.groups=noop", CM_OPT_DDR_GROUPS, "noop" },
		{ "cxl.groups=near=1-2/far=3+5", CM_OPT_CXL_GROUPS,
		  "near=1-2/far=3+5" },
		{ "on_full=fail", CM_OPT_ON_FULL, "fail" },
		{ "on_full=oom", CM_OPT_ON_FULL, "fail" },
		{ "on_full=spill", CM_OPT_ON_FULL, "spill" },
		{ "on_full=interleave", CM_OPT_ON_FULL, "interleave" },
		{ "on_full=remain", CM_OPT_ON_FULL, "remain" },
		{ "placement=auto", CM_OPT_PLACEMENT, "auto" },
		{ "placement=strict", CM_OPT_PLACEMENT, "strict" },
		{ "cxl.nodes=emulated", CM_OPT_CXL_NODES, "emulated" },
		{ "cxl.nodes=7,cxl.nodes=auto", CM_OPT_CXL_NODES, "auto" },
		{ "ddr.nodes=3,1-2", CM_OPT_DDR_NODES, "1-3" },
		{ "order=cxl", CM_OPT_ORDER, "cxl" },
		{ "order=ddr", CM_OPT_ORDER, "ddr" },
		{ "order:cxl:ddr", CM_OPT_ORDER, "cxl:ddr" },
		{ "ddr.limit:1536m", CM_OPT_DDR_LIMIT, "1536m" },
		{ "ddr.limit=1023", CM_OPT_DDR_LIMIT, "1023" },
		{ "ddr.limit=4096g", CM_OPT_DDR_LIMIT, "4t" },
		{ "ddr.limit=0", CM_OPT_DDR_LIMIT, "0" },
		{ "ddr.limit=1,ddr.limit=none", CM_OPT_DDR_LIMIT, "none" },
		{ "ddr.limit=50%", CM_OPT_DDR_LIMIT, "50%" },
		{ "mmap.policy=malloc", CM_OPT_MMAP_POLICY, "malloc" },
		{ "mmap.policy=ddr", CM_OPT_MMAP_POLICY, "ddr" },
		{ "mmap.policy=off", CM_OPT_MMAP_POLICY, "off" },
		{ "mmap.min=4096", CM_OPT_MMAP_MIN, "4k" },
		{ "mmap.min=5000", CM_OPT_MMAP_MIN, "5000" },
		{ "mmap.min=1t", CM_OPT_MMAP_MIN, "1t" },
		{ "ddr.limit=50%,ddr.limit=1g", CM_OPT_DDR_LIMIT, "1g" },
		{ "cxl.limit=1g,cxl.limit=100%", CM_OPT_CXL_LIMIT, "100%" },
		{ "interleave=3:1", CM_OPT_INTERLEAVE, "3:1" },
		{ "interleave=0:1000", CM_OPT_INTERLEAVE, "0:1000" },
		{ "interleave=3:1,interleave=auto", CM_OPT_INTERLEAVE, "auto" },
		{ "interleave=3:1", CM_OPT_POLICY, "interleave" },
		{ "interleave=3:1,policy=priority", CM_OPT_POLICY, "priority" },
		{ "arenas=256", CM_OPT_ARENAS, "256" },
		{ "decay_ms=600000", CM_OPT_DECAY_MS, "600000" },
		{ "decay_ms=-1", CM_OPT_DECAY_MS, "-1" },
		{ "stats_file=", CM_OPT_STATS_FILE, "" },
		{ "stats_print=true", CM_OPT_STATS_PRINT, "true" },
	};
	struct cm_settings s;

	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(cases); i++) {
		s = parse_clean(cases[i].text);
		assert_string_equal(shown(&s, cases[i].id), cases[i].shown);
	}
}

static void words_replace_an_earlier_list(void **state)
{
	struct cm_settings s = parse_clean("cxl.nodes=1-3,cxl.nodes=emulated");

	(void)state;
	assert_int_equal(s.tier[CM_TIER_CXL].nodes_from, CM_NODES_EMULATED);
	assert_true(cm_nodeset_empty(&s.tier[CM_TIER_CXL].nodes));
}

static void the_last_of_two_wins(void **state)
{
	struct cm_settings s = parse_clean("ddr.limit=1m,ddr.limit=2m");

	(void)state;
	assert_true(s.tier[CM_TIER_DDR].limit == 2 * MIB);
}

static void a_path_fits_or_is_refused(void **state)
{
	char text[600] = "stats_file=";
	struct messages messages;
	struct cm_settings s;

	(void)state;
	memset(text + 11, 'p', CM_STATS_FILE_MAX - 1);
	s = parse_clean(text);
	assert_int_equal(strlen(s.stats_file), CM_STATS_FILE_MAX - 1);
	text[11 + CM_STATS_FILE_MAX - 1] = 'p';
	s = parse(text, &messages);
	assert_int_equal(messages.nr, 1);
	assert_non_null(strstr(messages.text[0],
			       "...: not a path of at most 511 bytes, "
			       "using \"\""));
	assert_string_equal(s.stats_file, "");
}

static const struct {
	const char *order, *on_full, *state;
} full_cases[] = {
#define ON_FULL_CASE(order, on_full, state, tier, how) \
	{ order, on_full, state },
#include "control/on_full.def"
};

static unsigned count_cases(const char *order, const char *on_full,
			    const char *state)
{
	unsigned count = 0;

	for (size_t i = 0; i < CM_ARRAY_SIZE(full_cases); i++)
		count += !strcmp(full_cases[i].order, order) &&
			 !strcmp(full_cases[i].state, state) &&
			 (!strcmp(full_cases[i].on_full, "any") ||
			  !strcmp(full_cases[i].on_full, on_full));
	return count;
}

/* on_full.def answers each question once. */
static void the_table_of_full_tiers_is_complete(void **state)
{
	static const char *const orders[] = { "ddr:cxl", "cxl:ddr", "ddr",
					      "cxl" };
	static const char *const states[] = { "room", "first_full",
					      "all_full" };
	const char *word;
	unsigned n, found;

	(void)state;
	for (size_t i = 0; i < 4 * 3; i++) {
		for (n = 0; n < 4; n++) {
			word = cm_option_nth_word(CM_OPT_ON_FULL, n);
			found = count_cases(orders[i / 3], word, states[i % 3]);
			/* one tier that is full is all of them */
			assert_int_equal(found, i / 3 < 2 || i % 3 != 1);
		}
	}
}

/* Random settings, some near real ones: no crash, and all values in range. */
static void any_bytes_leave_valid_settings(void **state)
{
	static const char *const parts[] = { "ddr.limit",
					     "order",
					     "cxl.nodes",
					     "arenas",
					     "decay_ms",
					     "stats_file",
					     "on_full",
					     "exmem_size",
					     "priority",
					     "use_exmem",
					     "=",
					     "=",
					     ":",
					     ":",
					     ",",
					     ",",
					     ",",
					     "ddr",
					     "cxl",
					     "auto",
					     "1",
					     "-1",
					     "999999999999999999999",
					     "g",
					     "true",
					     "\xff",
					     " ",
					     "0-3",
					     "+",
					     "%",
					     "fail",
					     "policy",
					     "exmem_partition_range",
					     "use_adaptive_interleaving",
					     "exmem" };
	uint32_t seed = 20261121;
	struct messages messages;
	struct cm_settings s;
	char text[1024];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		text[0] = '\0';
		for (unsigned n = test_random(&seed) % 24; n > 0; n--)
			strcat(text, parts[test_random(&seed) %
					   CM_ARRAY_SIZE(parts)]);
		s = parse(text, &messages);
		assert_in_range(s.nr_order, 1, CM_NR_TIERS);
		assert_in_range(s.order[0], 0, CM_NR_TIERS - 1);
		assert_true(s.nr_order == 1 || s.order[0] != s.order[1]);
		assert_in_range(s.nr_arenas, 0, 256);
		assert_true(s.decay_ms >= -1 && s.decay_ms <= 600000);
		assert_in_range(s.on_full, CM_ON_FULL_FAIL, CM_ON_FULL_REMAIN);
		for (unsigned tier = 0; tier < CM_NR_TIERS; tier++)
			assert_int_equal(
				s.tier[tier].nodes_from == CM_NODES_LIST,
				!cm_nodeset_empty(&s.tier[tier].nodes));
	}
}

static void what_an_option_expects_fits_a_message(void **state)
{
	struct cm_line line;
	char text[128];

	(void)state;
	for (unsigned id = 0; id < CM_NR_OPTIONS; id++) {
		cm_line_init(&line, text, sizeof(text), -1);
		cm_option_expect(&line, id);
		assert_in_range(line.len, 8, sizeof(text) - 1);
		assert_false(line.cut);
		assert_int_equal(
			cm_option_find(cm_slice_of(cm_options[id].key)), id);
	}
	assert_true(cm_option_find(cm_slice_of("")) < 0);
	assert_true(cm_option_find(cm_slice_of("orde")) < 0);
	assert_true(cm_option_find(cm_slice_of("orders")) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_what_their_text_says),
		cmocka_unit_test(the_defaults_are_the_documented_ones),
		cmocka_unit_test(every_option_is_read),
		cmocka_unit_test(every_word_is_read_and_shown),
		cmocka_unit_test(words_replace_an_earlier_list),
		cmocka_unit_test(the_last_of_two_wins),
		cmocka_unit_test(a_path_fits_or_is_refused),
		cmocka_unit_test(what_an_option_expects_fits_a_message),
		cmocka_unit_test(the_table_of_full_tiers_is_complete),
		cmocka_unit_test(any_bytes_leave_valid_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
