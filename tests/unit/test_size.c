/* SPDX-License-Identifier: BSD-2-Clause */
/* size: classes to tiers; what comes first when a tier is full; the word */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "control/option.h"

#include "policy/policy.h"

static int parse(const char *text, struct cm_sizes *sizes)
{
	return cm_parse_sizes(cm_slice_of(text), sizes);
}

static void classes(void **state)
{
	struct cm_sizes sizes;

	(void)state;
	assert_int_equal(parse("ddr:64k:cxl", &sizes), 0);
	assert_int_equal(sizes.nr, 1);
	assert_int_equal(cm_policy_by_size(&sizes, 1), CM_TIER_DDR);
	assert_int_equal(cm_policy_by_size(&sizes, 65535), CM_TIER_DDR);
	assert_int_equal(cm_policy_by_size(&sizes, 65536), CM_TIER_CXL);
	assert_int_equal(cm_policy_by_size(&sizes, SIZE_MAX), CM_TIER_CXL);
	assert_int_equal(parse(" cxl : 16 : ddr : 1m : cxl ", &sizes), 0);
	assert_int_equal(cm_policy_by_size(&sizes, 15), CM_TIER_CXL);
	assert_int_equal(cm_policy_by_size(&sizes, 16), CM_TIER_DDR);
	assert_int_equal(cm_policy_by_size(&sizes, MIB), CM_TIER_CXL);
	assert_int_equal(parse("cxl", &sizes), 0);
	assert_int_equal(sizes.nr, 0);
	assert_int_equal(cm_policy_by_size(&sizes, 1), CM_TIER_CXL);
}

/* One more than there may be. */
static const char too_many[] =
	"ddr:1:cxl:2:ddr:3:cxl:4:ddr:5:cxl:6:ddr:7:cxl:8:ddr:9:cxl:10:ddr:11:"
	"cxl:12:ddr:13:cxl:14:ddr:15:cxl:16:ddr";

static void bad_classes_change_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"64k",
		"ddr:",
		"ddr:64k",
		"ddr:64k:",
		"ddr:cxl",
		"ddr:0:cxl",
		"ddr:64k:cxl:64k:ddr",
		"ddr:64k:cxl:4k:ddr",
		"ddr:none:cxl",
		"ddr:x:cxl",
		"ddr:64k:hbm",
		"ddr:-1:cxl",
		"ddr:99999999999999999999:cxl",
		too_many,
	};
	struct cm_sizes sizes, before;

	(void)state;
	assert_int_equal(parse("ddr:4k:cxl", &before), 0);
	for (size_t i = 0; i < CM_ARRAY_SIZE(bad); i++) {
		sizes = before;
		if (parse(bad[i], &sizes) >= 0)
			fail_msg("taken: \"%s\"", bad[i]);
		assert_memory_equal(&sizes, &before, sizeof(sizes));
	}
	/* One tier less is the most there may be. */
	assert_int_equal(
		parse("ddr:1:cxl:2:ddr:3:cxl:4:ddr:5:cxl:6:ddr:7:cxl:8:ddr:9:"
		      "cxl:10:ddr:11:cxl:12:ddr:13:cxl:14:ddr:15:cxl",
		      &sizes),
		0);
	assert_int_equal(sizes.nr, CM_MAX_SIZES - 1);
}

static struct cm_policy_snapshot policy_of(enum cm_policy_id id,
					   enum cm_on_full on_full)
{
	struct cm_policy_snapshot policy = {
		.id = id,
		.on_full = on_full,
		.nr_order = 2,
		.order = { CM_TIER_CXL, CM_TIER_DDR },
	};

	return policy;
}

static int first(const struct cm_policy_snapshot *policy, enum cm_tier wanted,
		 bool ddr_full, bool cxl_full)
{
	const struct cm_policy_view view = { { ddr_full, cxl_full } };
	enum cm_tier order[CM_NR_TIERS];

	assert_int_equal(cm_policy_order(policy, wanted, order),
			 policy->nr_order);
	return cm_policy_first(policy, order, &view);
}

static void full_tiers_are_passed_over(void **state)
{
	struct cm_policy_snapshot policy = policy_of(CM_POLICY_SIZE,
						     CM_ON_FULL_FAIL);

	(void)state;
	assert_int_equal(first(&policy, CM_TIER_DDR, false, false),
			 CM_TIER_DDR);
	assert_int_equal(first(&policy, CM_TIER_CXL, false, false),
			 CM_TIER_CXL);
	assert_int_equal(first(&policy, CM_TIER_DDR, true, false), CM_TIER_CXL);
	assert_int_equal(first(&policy, CM_TIER_DDR, true, true),
			 CM_POLICY_ALL_FULL);
	policy.on_full = CM_ON_FULL_SPILL;	/* DDR is the last of order */
	assert_int_equal(first(&policy, CM_TIER_CXL, true, true), CM_TIER_DDR);
	/* A tier that is not in use is nobody's first. */
	policy.nr_order = 1;
	assert_int_equal(first(&policy, CM_TIER_DDR, false, false),
			 CM_TIER_CXL);
}

static unsigned word(enum cm_policy_id id, enum cm_on_full on_full)
{
	struct cm_policy_snapshot policy = policy_of(id, on_full);

	return cm_policy_word_of(&policy);
}

static void the_word_says_who_serves_unasked(void **state)
{
	const unsigned used = CM_WORD_USED(CM_TIER_DDR) |
			      CM_WORD_USED(CM_TIER_CXL);
	const unsigned both = CM_WORD_FIRST(CM_TIER_DDR) |
			      CM_WORD_FIRST(CM_TIER_CXL);

	(void)state;
	assert_int_equal(word(CM_POLICY_PRIORITY, CM_ON_FULL_SPILL),
			 used | CM_WORD_FIRST(CM_TIER_CXL));
	assert_int_equal(word(CM_POLICY_INTERLEAVE, CM_ON_FULL_SPILL),
			 used | both | CM_WORD_TURNS);
	assert_int_equal(word(CM_POLICY_BANDWIDTH, CM_ON_FULL_FAIL),
			 used | both | CM_WORD_TURNS);
	assert_int_equal(word(CM_POLICY_SIZE, CM_ON_FULL_SPILL),
			 used | CM_WORD_SIZE);
	assert_int_equal(word(CM_POLICY_PRIORITY, CM_ON_FULL_INTERLEAVE),
			 used | CM_WORD_ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes),
		cmocka_unit_test(bad_classes_change_nothing),
		cmocka_unit_test(full_tiers_are_passed_over),
		cmocka_unit_test(the_word_says_who_serves_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
