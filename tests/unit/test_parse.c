/* SPDX-License-Identifier: BSD-2-Clause */
/* parse: the two forms become tokens, tokens become values */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "control/parse.h"

static struct cm_slice slice(const char *text)
{
	return cm_slice_of(text);
}

static void assert_slice(struct cm_slice actual, const char *expected)
{
	if (!cm_slice_is(actual, expected))
		fail_msg("\"%.*s\" is not \"%s\"", (int)actual.len, actual.at,
			 expected);
}

static void assert_token(const struct cm_token *token, const char *key,
			 char separator, const char *value)
{
	assert_slice(token->key, key);
	assert_int_equal(token->separator, separator);
	assert_slice(token->value, value);
}

static void a_list_is_split_at_commas(void **state)
{
	const char *at = "order=cxl:ddr,ddr.limit:64m,  on_full = fail ";
	struct cm_token token;

	(void)state;
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "order", '=', "cxl:ddr");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "ddr.limit", ':', "64m");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "on_full", '=', "fail");
	assert_slice(token.whole, "on_full = fail");
	assert_false(cm_parse_list(&token, &at));
	assert_false(cm_parse_list(&token, &at));
}

static void the_first_separator_counts(void **state)
{
	const char *at = "order:ddr:cxl,stats_file=a=b,x:=y";
	struct cm_token token;

	(void)state;
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "order", ':', "ddr:cxl");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "stats_file", '=', "a=b");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "x", ':', "=y");
}

static void a_list_of_nodes_continues_its_value(void **state)
{
	const char *at = "ddr.nodes=0,2-3, 5+6 ,order=ddr,arenas=1,2x,3";
	struct cm_token token;

	(void)state;
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "ddr.nodes", '=', "0,2-3, 5+6");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "order", '=', "ddr");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "arenas", '=', "1");
	/* not made like a list, so it is a setting of its own, without '=' */
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "2x", 0, "");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "3", 0, "");
	assert_false(cm_parse_list(&token, &at));
}

static void empty_parts_are_passed_over(void **state)
{
	static const char *const empty[] = { "",  ",",	",,,",	"  , \t",
					     ":", ",:", ": ,:," };
	struct cm_token token;
	const char *at;

	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(empty); i++) {
		at = empty[i];
		assert_false(cm_parse_list(&token, &at));
	}
	at = ",,a=,:,=b,=";
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "a", '=', "");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "", '=', "b");
	assert_true(cm_parse_list(&token, &at));
	assert_token(&token, "", '=', "");
	assert_false(cm_parse_list(&token, &at));
}

static void lines_have_comments_and_numbers(void **state)
{
	const char *at = "# first\n\norder = cxl:ddr # why\r\n"
			 "\tstats_file=/a#b,c\n   # indented\nlast=1";
	struct cm_token token;
	unsigned nr_line = 0;

	(void)state;
	assert_true(cm_parse_lines(&token, &at, &nr_line));
	assert_token(&token, "order", '=', "cxl:ddr");
	assert_int_equal(nr_line, 3);
	assert_true(cm_parse_lines(&token, &at, &nr_line));
	assert_token(&token, "stats_file", '=', "/a#b,c");
	assert_int_equal(nr_line, 4);
	assert_true(cm_parse_lines(&token, &at, &nr_line));
	assert_token(&token, "last", '=', "1");
	assert_int_equal(nr_line, 6);
	assert_false(cm_parse_lines(&token, &at, &nr_line));
}

static void assert_size(const char *text, uint64_t expected)
{
	uint64_t size = 12345;

	if (cm_parse_size(slice(text), &size) != 0)
		fail_msg("%s is refused", text);
	if (size != expected)
		fail_msg("%s is %llu", text, (unsigned long long)size);
}

static void refuse_size(const char *text, int err)
{
	uint64_t size = 12345;

	if (cm_parse_size(slice(text), &size) != err)
		fail_msg("%s: not %d", text, err);
	assert_int_equal(size, 12345);
}

static void sizes_are_powers_of_1024(void **state)
{
	(void)state;
	assert_size("0", 0);
	assert_size("1", 1);
	assert_size("007", 7);
	assert_size("64k", 64 * KIB);
	assert_size("64K", 64 * KIB);
	assert_size("64m", 64 * MIB);
	assert_size("3G", 3 * GIB);
	assert_size("2t", 2 * TIB);
	assert_size("none", CM_NO_LIMIT);
}

static void sizes_end_below_2_to_the_64(void **state)
{
	(void)state;
	/* the largest number means none, so it is no size */
	assert_size("18446744073709551614", UINT64_MAX - 1);
	refuse_size("18446744073709551615", -ERANGE);
	refuse_size("18446744073709551616", -ERANGE);
	refuse_size("99999999999999999999999999999999", -ERANGE);
	assert_size("16777215t", 16777215 * TIB);
	refuse_size("16777216t", -ERANGE);
	assert_size("18014398509481983k", UINT64_MAX - 1023);
	refuse_size("18014398509481984k", -ERANGE);
}

static void what_is_no_size_is_refused(void **state)
{
	static const char *const bad[] = { "",	    "k",   "12q",  "16e",
					   "-1",    "+1",  "1.5g", "1 g",
					   "0x10",  "1kb", "1kk",  "None",
					   "none ", "1,2", " 1",   "\xff" };

	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(bad); i++)
		refuse_size(bad[i], -EINVAL);
}

static void integers_keep_their_range(void **state)
{
	int64_t value = 77;

	(void)state;
	assert_int_equal(cm_parse_int(slice("0"), 0, 256, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(cm_parse_int(slice("256"), 0, 256, &value), 0);
	assert_int_equal(value, 256);
	assert_int_equal(cm_parse_int(slice("-1"), -1, 600000, &value), 0);
	assert_int_equal(value, -1);
	assert_int_equal(cm_parse_int(slice("257"), 0, 256, &value), -ERANGE);
	assert_int_equal(cm_parse_int(slice("-2"), -1, 9, &value), -ERANGE);
	assert_int_equal(cm_parse_int(slice("9223372036854775808"), INT64_MIN,
				      INT64_MAX, &value),
			 -ERANGE);
	assert_int_equal(cm_parse_int(slice("18446744073709551616"), INT64_MIN,
				      INT64_MAX, &value),
			 -ERANGE);
	assert_int_equal(value, -1);
	assert_int_equal(cm_parse_int(slice("9223372036854775807"), INT64_MIN,
				      INT64_MAX, &value),
			 0);
	assert_int_equal(value, INT64_MAX);
	assert_int_equal(cm_parse_int(slice(""), 0, 9, &value), -EINVAL);
	assert_int_equal(cm_parse_int(slice("-"), -9, 9, &value), -EINVAL);
	assert_int_equal(cm_parse_int(slice("--1"), -9, 9, &value), -EINVAL);
	assert_int_equal(cm_parse_int(slice("+1"), 0, 9, &value), -EINVAL);
	assert_int_equal(cm_parse_int(slice("1x"), 0, 9, &value), -EINVAL);
}

static void booleans_are_two_words(void **state)
{
	static const char *const bad[] = { "",	   "1",	    "0",   "yes",
					   "True", "true ", "tru", "falsely" };
	bool value = false;

	(void)state;
	assert_int_equal(cm_parse_bool(slice("true"), &value), 0);
	assert_true(value);
	for (size_t i = 0; i < CM_ARRAY_SIZE(bad); i++)
		assert_int_equal(cm_parse_bool(slice(bad[i]), &value), -EINVAL);
	assert_true(value);
	assert_int_equal(cm_parse_bool(slice("false"), &value), 0);
	assert_false(value);
}

static void an_order_names_each_tier_once(void **state)
{
	static const char *const bad[] = {
		"",	   ":",	  "ddr:", ":cxl",     "ddr:ddr", "ddr:cxl:ddr",
		"ddr,cxl", "DDR", "hbm",  "ddr::cxl", "ddrcxl"
	};
	enum cm_tier order[CM_NR_TIERS] = { CM_TIER_DDR, CM_TIER_DDR };
	unsigned nr = 9;

	(void)state;
	assert_int_equal(cm_parse_order(slice("ddr:cxl"), order, &nr), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(order[0], CM_TIER_DDR);
	assert_int_equal(order[1], CM_TIER_CXL);
	assert_int_equal(cm_parse_order(slice("cxl : ddr"), order, &nr), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(order[0], CM_TIER_CXL);
	assert_int_equal(order[1], CM_TIER_DDR);
	for (size_t i = 0; i < CM_ARRAY_SIZE(bad); i++)
		assert_int_equal(cm_parse_order(slice(bad[i]), order, &nr),
				 -EINVAL);
	assert_int_equal(nr, 2);
	assert_int_equal(cm_parse_order(slice("ddr"), order, &nr), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(order[0], CM_TIER_DDR);
	assert_int_equal(cm_parse_order(slice("cxl"), order, &nr), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(order[0], CM_TIER_CXL);
}

static void the_distance_counts_changed_characters(void **state)
{
	char huge[128];

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(
		cm_parse_distance(slice("on_full"), slice("on_full"), 2), 0);
	assert_int_equal(
		cm_parse_distance(slice("narenas"), slice("arenas"), 2), 1);
	assert_int_equal(
		cm_parse_distance(slice("cxl.limt"), slice("cxl.limit"), 2), 1);
	assert_int_equal(cm_parse_distance(slice("oredr"), slice("order"), 2),
			 2);
	assert_int_equal(cm_parse_distance(slice(""), slice("abc"), 2), 3);
	assert_int_equal(cm_parse_distance(slice("abc"), slice(""), 2), 3);
	assert_int_equal(cm_parse_distance(slice(huge), slice("order"), 2), 3);
	assert_int_equal(cm_parse_distance(slice("order"), slice(huge), 2), 3);
}

/* Whatever the bytes, tokens lie in order inside the text and it ends. */
static void any_bytes_end(void **state)
{
	static const char alphabet[] = "az09=:,+-#. \t\n_%\x01\xff";
	uint32_t seed = 20261121;
	struct cm_token token;
	const char *at, *last;
	unsigned nr_line;
	char text[65];
	size_t len;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		len = test_random(&seed) % (sizeof(text) - 1);
		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[test_random(&seed) %
					   (sizeof(alphabet) - 1)];
		text[len] = '\0';
		last = at = text;
		while (cm_parse_list(&token, &at)) {
			assert_true(token.whole.at >= last);
			assert_true(token.whole.len > 0);
			assert_true(token.value.at + token.value.len <=
				    text + len);
			last = token.whole.at + token.whole.len;
			assert_true(at >= last && at <= text + len);
		}
		assert_ptr_equal(at, text + len);
		nr_line = 0;
		at = text;
		while (cm_parse_lines(&token, &at, &nr_line))
			assert_true(at <= text + len && nr_line <= len + 1);
		assert_ptr_equal(at, text + len);
	}
}

static int weights_of(const char *text, struct cm_node_weights *w)
{
	return cm_parse_node_weights(cm_slice_of(text), 1000, w);
}

static void weights_of_nodes_are_read_or_refused_whole(void **state)
{
	struct cm_node_weights w = { .nr = 9 };

	(void)state;
	assert_int_equal(weights_of("0=3,12=1", &w), 0);
	assert_int_equal(w.nr, 2);
	assert_int_equal(w.of[1].node, 12);
	assert_int_equal(w.of[1].weight, 1);
	assert_int_equal(weights_of("1023=1000 + 0=1", &w), 0);
	assert_int_equal(w.of[0].node, 1023);
	assert_int_equal(weights_of("1024=1", &w), -ERANGE);
	assert_int_equal(weights_of("0=1001", &w), -ERANGE);
	assert_int_equal(weights_of("0=0", &w), -ERANGE);
	assert_int_equal(weights_of("0=1,0=2", &w), -EINVAL);
	assert_int_equal(weights_of("0=1,", &w), -EINVAL);
	assert_int_equal(weights_of(",0=1", &w), -EINVAL);
	assert_int_equal(weights_of("0=", &w), -EINVAL);
	assert_int_equal(weights_of("=1", &w), -EINVAL);
	assert_int_equal(weights_of("0=1=2", &w), -EINVAL);
	assert_int_equal(weights_of("", &w), -EINVAL);
	assert_int_equal(w.nr, 2);
	assert_int_equal(w.of[0].node, 1023);
}

static int groups_of(const char *text, struct cm_group_settings *g)
{
	return cm_parse_groups(cm_slice_of(text), g);
}

static void groups_are_read_or_refused_whole(void **state)
{
	struct cm_group_settings g;

	(void)state;
	assert_int_equal(groups_of("near=1-2/far_2=3+5", &g), 0);
	assert_int_equal(g.from, CM_GROUPS_NAMED);
	assert_int_equal(g.nr, 2);
	assert_string_equal(g.of[1].name, "far_2");
	assert_int_equal(cm_nodeset_weight(&g.of[1].nodes), 2);
	assert_int_equal(groups_of("near", &g), -EINVAL);
	assert_int_equal(groups_of("Near=1", &g), -EINVAL);
	assert_int_equal(groups_of("a=1/", &g), -EINVAL);
	assert_int_equal(groups_of("/a=1", &g), -EINVAL);
	assert_int_equal(groups_of("a=1/a=2", &g), -EINVAL);
	assert_int_equal(groups_of("a=1-3/b=2", &g), -EINVAL);
	assert_int_equal(groups_of("a=", &g), -EINVAL);
	assert_int_equal(groups_of("a=1/b=2/c=3/d=4/e=5/f=6/g=7/h=8", &g),
			 -ERANGE);
	assert_int_equal(groups_of("a_name_too_long_by_1=1", &g), -EINVAL);
	assert_int_equal(g.nr, 2);
	assert_int_equal(groups_of("node", &g), 0);
	assert_int_equal(g.from, CM_GROUPS_NODE);
	assert_int_equal(groups_of("noop", &g), 0);
	assert_int_equal(g.from, CM_GROUPS_NOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_of_nodes_are_read_or_refused_whole),
		cmocka_unit_test(groups_are_read_or_refused_whole),
		cmocka_unit_test(a_list_is_split_at_commas),
		cmocka_unit_test(the_first_separator_counts),
		cmocka_unit_test(a_list_of_nodes_continues_its_value),
		cmocka_unit_test(empty_parts_are_passed_over),
		cmocka_unit_test(lines_have_comments_and_numbers),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(sizes_end_below_2_to_the_64),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(integers_keep_their_range),
		cmocka_unit_test(booleans_are_two_words),
		cmocka_unit_test(an_order_names_each_tier_once),
		cmocka_unit_test(the_distance_counts_changed_characters),
		cmocka_unit_test(any_bytes_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
