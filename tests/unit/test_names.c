/* SPDX-License-Identifier: BSD-2-Clause */
/* names: each name there is is found, and is what it says */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "control/figures.h"
#include "control/names.h"
#include "control/option.h"
#include "support/test.h"

static void each_name_is_found_again(void **state)
{
	char text[CM_NAME_MAX], seen[256][CM_NAME_MAX];
	struct cm_nodeset nodes = { { 0 } };
	struct cm_name name, found;
	unsigned nr, residents = 0, figures = 0, options = 0;

	(void)state;
	cm_nodeset_set(&nodes, 0);
	cm_nodeset_set(&nodes, 7);
	cm_nodeset_set(&nodes, CM_MAX_NODES - 1);
	for (nr = 0; cm_name_nth(nr, &nodes, &name, text) == 0; nr++) {
		assert_in_range(nr, 0, CM_ARRAY_SIZE(seen) - 1);
		for (unsigned i = 0; i < nr; i++)
			assert_string_not_equal(seen[i], text);
		strcpy(seen[nr], text);
		memset(&found, 0xff, sizeof(found));
		if (cm_name_find(text, &found))
			fail_msg("%s", text);
		assert_int_equal(found.of, name.of);
		assert_int_equal(found.tier, name.tier);
		assert_int_equal(found.id, name.id);
		assert_int_equal(found.is_text, name.is_text);
		assert_int_equal(found.writable, name.writable);
		residents += name.of == CM_NAME_RESIDENT;
		figures += name.of == CM_NAME_FIGURE;
		options += name.of == CM_NAME_OPTION;
	}
	assert_int_equal(residents, 3 * CM_NR_TIERS);
	assert_int_equal(figures, CM_NR_FIGURES * CM_NR_TIERS);
	assert_int_equal(options, CM_NR_OPTIONS);
	assert_int_equal(cm_name_nth(nr, &nodes, &name, text), -ENOENT);
	assert_int_equal(cm_name_nth(UINT32_MAX, &nodes, &name, text), -ENOENT);
}

static void what_a_name_means(void **state)
{
	struct cm_name name;

	(void)state;
	assert_int_equal(cm_name_find("tier.cxl.used", &name), 0);
	assert_int_equal(name.of, CM_NAME_FIGURE);
	assert_int_equal(name.tier, CM_TIER_CXL);
	assert_string_equal(cm_figures[name.id].key, "used");
	assert_false(name.is_text || name.writable);
	assert_int_equal(cm_name_find("tier.ddr.limit", &name), 0);
	assert_true(name.writable && !name.is_text);
	assert_int_equal(cm_name_find("tier.cxl.resident.1023", &name), 0);
	assert_int_equal(name.id, 1023);
	assert_int_equal(cm_name_find("option.cxl.limit", &name), 0);
	assert_int_equal(name.id, CM_OPT_CXL_LIMIT);
	assert_true(name.writable && name.is_text);
	assert_int_equal(cm_name_find("option.arenas", &name), 0);
	assert_false(name.writable);
}

static void what_is_no_name(void **state)
{
	static const char *const bad[] = {
		"",
		".",
		"tier",
		"tier.",
		"tier.ddr",
		"tier.ddr.",
		"tier.ddr.resident",
		"tier.ddr.resident.",
		"tier.ddr.resident.-1",
		"tier.ddr.resident.01",
		"tier.ddr.resident.1 ",
		"tier.ddr.resident.1024",
		"tier.ddr.resident.4294967296",
		"tier.ddr.used.0",
		"tier.dd.used",
		"tier.ddrx.used",
		"tier..used",
		"TIER.ddr.used",
		"option",
		"option.",
		"option.use_exmem",
		"options.policy",
		"cgroup",
		"cgroup.max ",
		"conf.",
	};
	struct cm_name name;

	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(bad); i++)
		if (cm_name_find(bad[i], &name) != -ENOENT)
			fail_msg("\"%s\"", bad[i]);
}

/* A key or a name that fills its array would have no end. */
static void the_figures_fit(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CM_NR_FIGURES; i++) {
		const struct cm_figure *f = &cm_figures[i];

		assert_non_null(memchr(f->key, '\0', sizeof(f->key)));
		assert_non_null(memchr(f->name, '\0', sizeof(f->name)));
		assert_non_null(memchr(f->meaning, '\0', sizeof(f->meaning)));
		assert_true(f->key[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_is_found_again),
		cmocka_unit_test(what_a_name_means),
		cmocka_unit_test(what_is_no_name),
		cmocka_unit_test(the_figures_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
