/* SPDX-License-Identifier: BSD-2-Clause */
/* rule: globs, PATTERN:TIER as it is taken and refused, which rule is first */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "policy/rule.h"

static void globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} row[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "**", "", true },
		{ "*", "anything", true },
		{ "abc", "abc", true },
		{ "abc", "abcd", false },
		{ "abc", "ab", false },
		{ "a?c", "abc", true },
		{ "a?", "a", false },
		{ "libpython3*.so*", "libpython3.11.so.1.0", true },
		{ "libpython3*.so*", "libpython2.7.so.1.0", false },
		{ "*.so", "a.so.so", true },
		{ "*a*b*c", "xxaxxbxxbc", true },
		{ "*a*b*c", "xxaxxbxxb", false },
		{ "[abc]x", "bx", true },
		{ "[abc]x", "dx", false },
		{ "[a-c]x", "bx", true },
		{ "[a-c]x", "-x", false },
		{ "[a-]x", "-x", true },
		{ "[^a-c]x", "bx", false },
		{ "[^a-c]x", "dx", true },
		{ "[]]x", "]x", true },
		{ "[^]]x", "]x", false },
		{ "[^]]x", "ax", true },
		{ "*[0-9]", "lib7", true },
		{ "*[0-9]", "libx", false },
		{ "[\xc0-\xff]", "\xe9", true },
	};

	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(row); i++)
		if (cm_rule_glob(row[i].pattern, row[i].text) != row[i].match)
			fail_msg("%s on %s", row[i].pattern, row[i].text);
}

/* A backtracking matcher would be at it for ever. */
static void many_stars_are_no_work(void **state)
{
	char pattern[201], text[201];

	(void)state;
	for (size_t i = 0; i < 200; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[200] = '\0';
	memset(text, 'a', 199);
	text[199] = 'b';
	text[200] = '\0';
	assert_false(cm_rule_glob(pattern, text));
}

static int add(struct cm_rules *rules, const char *text)
{
	return cm_rules_add(rules, CM_RULE_SITE, text, strlen(text));
}

static void refused_texts(void **state)
{
	static const char *const bad[] = {
		"a",	   ":cxl",     "a:",	    "a:dram",
		"a:CXL",   "!:cxl",    "a!:cxl",    "a b:cxl",
		"a/b:cxl", "a[b:cxl",  "a![x:cxl",  "a:cxl;b",
		"a:cxl:",  "a\tb:cxl", "a\x7f:cxl", "a:cxl;b:cxl;:ddr",
	};
	struct cm_rules rules = { 0 }, before;
	char text[400];

	(void)state;
	assert_int_equal(add(&rules, "x:cxl"), 0);
	before = rules;
	for (size_t i = 0; i < CM_ARRAY_SIZE(bad); i++) {
		if (add(&rules, bad[i]) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		assert_memory_equal(&rules, &before, sizeof(rules));
	}
	memset(text, 'a', CM_RULE_MAX + 1);
	memcpy(text + CM_RULE_MAX + 1, ":cxl", 5);
	assert_int_equal(add(&rules, text), -EINVAL);
	assert_int_equal(add(&rules, text + 1), 0);
}

static void taken_as_written(void **state)
{
	struct cm_rules rules = { 0 };

	(void)state;
	assert_int_equal(
		add(&rules, " lib*.so : cxl ; exe!main:ddr;!new_*:cxl"), 0);
	assert_int_equal(rules.nr, 3);
	assert_string_equal(cm_rule_pattern(&rules, 0), "lib*.so");
	assert_null(cm_rule_symbol(&rules, 0));
	assert_int_equal(rules.rule[0].tier, CM_TIER_CXL);
	assert_string_equal(cm_rule_pattern(&rules, 1), "exe");
	assert_string_equal(cm_rule_symbol(&rules, 1), "main");
	assert_int_equal(rules.rule[1].tier, CM_TIER_DDR);
	assert_string_equal(cm_rule_pattern(&rules, 2), "");
	assert_string_equal(cm_rule_symbol(&rules, 2), "new_*");
}

static void no_text_drops_all(void **state)
{
	struct cm_rules rules = { 0 }, none = { 0 };

	(void)state;
	assert_int_equal(add(&rules, "a:cxl"), 0);
	assert_int_equal(add(&rules, "  "), 0);
	assert_memory_equal(&rules, &none, sizeof(rules));
}

static void a_later_source_goes_first(void **state)
{
	static const char order[] = "cdabe";
	struct cm_rules rules = { 0 };

	(void)state;
	cm_rules_begin(&rules);
	assert_int_equal(add(&rules, "a:cxl"), 0);
	assert_int_equal(add(&rules, "b:cxl;e:cxl"), 0);
	cm_rules_begin(&rules);
	assert_int_equal(add(&rules, "c:cxl"), 0);
	assert_int_equal(add(&rules, "d:cxl"), 0);
	for (unsigned i = 0; i < rules.nr; i++)
		assert_int_equal(*cm_rule_pattern(&rules, i), order[i]);
}

static void no_more_than_fit(void **state)
{
	struct cm_rules rules = { 0 };
	char text[260];

	(void)state;
	for (unsigned i = 0; i < CM_MAX_RULES; i++)
		assert_int_equal(add(&rules, "a:cxl"), 0);
	assert_int_equal(add(&rules, "a:cxl"), -ENOSPC);
	assert_int_equal(rules.nr, CM_MAX_RULES);
	memset(&rules, 0, sizeof(rules));
	memset(text, 'a', 250);
	memcpy(text + 250, ":cxl", 5);
	while (add(&rules, text) == 0)
		assert_true(rules.used <= sizeof(rules.text));
	assert_int_equal(add(&rules, text), -ENOSPC);
	assert_int_equal(rules.nr, CM_RULES_TEXT / 251);
}

static void modules(void **state)
{
	struct cm_rules rules = { 0 };

	(void)state;
	assert_int_equal(add(&rules, "lib*:cxl;exe:cxl;!f:cxl;*:ddr"), 0);
	assert_true(cm_rule_has_module(&rules, 0, "libc.so.6", false));
	assert_false(cm_rule_has_module(&rules, 0, "redis-server", true));
	assert_true(cm_rule_has_module(&rules, 1, "redis-server", true));
	assert_false(cm_rule_has_module(&rules, 1, "libc.so.6", false));
	assert_true(cm_rule_has_module(&rules, 2, "libc.so.6", false));
	/* generated code is in no module */
	assert_true(cm_rule_has_module(&rules, 3, "", false));
	assert_false(cm_rule_has_module(&rules, 0, "", false));
}

static void threads(void **state)
{
	static const char text[] = "io-*:cxl;DOM Worker:ddr;a/b:cxl";
	struct cm_rules rules = { 0 };

	(void)state;
	assert_int_equal(
		cm_rules_add(&rules, CM_RULE_NAME, text, sizeof(text) - 1), 0);
	assert_int_equal(cm_rules_name(&rules, "io-7"), CM_TIER_CXL + 1);
	assert_int_equal(cm_rules_name(&rules, "DOM Worker"), CM_TIER_DDR + 1);
	assert_int_equal(cm_rules_name(&rules, "a/b"), CM_TIER_CXL + 1);
	assert_int_equal(cm_rules_name(&rules, "main"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs),
		cmocka_unit_test(many_stars_are_no_work),
		cmocka_unit_test(refused_texts),
		cmocka_unit_test(taken_as_written),
		cmocka_unit_test(no_text_drops_all),
		cmocka_unit_test(a_later_source_goes_first),
		cmocka_unit_test(no_more_than_fit),
		cmocka_unit_test(modules),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
