/* SPDX-License-Identifier: BSD-2-Clause */
/* nodeset: sets of nodes, read and written the kernel's way */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "base/nodeset.h"

static struct cm_nodeset nodes(const char *text)
{
	struct cm_nodeset set;
	int err = cm_nodeset_parse(&set, text, strlen(text));

	if (err < 0)
		fail_msg("%s: %d", text, err);
	return set;
}

static void assert_reads_as(const char *text, const char *expected)
{
	struct cm_nodeset set = nodes(text);
	char written[CM_NODESET_TEXT_MAX];

	assert_int_equal(cm_nodeset_format(&set, written, sizeof(written)),
			 strlen(expected));
	assert_string_equal(written, expected);
}

static void lists_and_ranges_are_read(void **state)
{
	(void)state;
	assert_reads_as("0", "0");
	assert_reads_as("0-1,3", "0-1,3");
	assert_reads_as("3,1,0", "0-1,3");
	assert_reads_as("0-1+3", "0-1,3");
	assert_reads_as("5-5", "5");
	assert_reads_as("0,1,2,3", "0-3");
	assert_reads_as("1-4,2-6", "1-6");
	assert_reads_as("63,64,65", "63-65");
	assert_reads_as("1023", "1023");
	assert_reads_as("0-1023", "0-1023");
	assert_reads_as(" 0 , 2-3 ", "0,2-3");
	assert_reads_as("00012", "12");
}

static void the_kernels_newline_and_empty_list_are_read(void **state)
{
	(void)state;
	assert_reads_as("0-1\n", "0-1");
	assert_reads_as("", "");
	assert_reads_as("\n", "");
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const bad[] = { "a",	   "-",	    "-1",   "1-",
					   "1--2", ",",	    "1,",   ",1",
					   "1,,2", "2-1",   "1 2",  "1;2",
					   "0x1",  "1-2-3", "all",  "+1",
					   "1+",   "1-,2",  "\xff", "1.5" };
	struct cm_nodeset set = nodes("7"), before = set;

	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(bad); i++) {
		if (cm_nodeset_parse(&set, bad[i], strlen(bad[i])) != -EINVAL)
			fail_msg("%s is not refused", bad[i]);
		assert_true(cm_nodeset_equal(&set, &before));
	}
}

static void nodes_end_at_1023(void **state)
{
	static const char *const bad[] = { "1024",
					   "0-1024",
					   "1023-1024",
					   "4294967296",
					   "99999999999999999999",
					   "0,1,5000",
					   "0-99999999999999999999" };
	struct cm_nodeset set = nodes("7"), before = set;

	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(bad); i++) {
		if (cm_nodeset_parse(&set, bad[i], strlen(bad[i])) != -ERANGE)
			fail_msg("%s is not refused", bad[i]);
		assert_true(cm_nodeset_equal(&set, &before));
	}
}

static void only_len_bytes_are_read(void **state)
{
	struct cm_nodeset set;

	(void)state;
	assert_int_equal(cm_nodeset_parse(&set, "12345", 2), 0);
	assert_int_equal(cm_nodeset_first(&set), 12);
	assert_int_equal(cm_nodeset_weight(&set), 1);
}

static void a_small_buffer_takes_the_beginning(void **state)
{
	struct cm_nodeset set = nodes("0,2,4,6");
	char text[6];

	(void)state;
	assert_int_equal(cm_nodeset_format(&set, text, sizeof(text)), -ENOSPC);
	assert_string_equal(text, "0,2,4");
	assert_int_equal(cm_nodeset_format(&set, text, 1), -ENOSPC);
	assert_string_equal(text, "");
}

static void the_longest_text_fits_its_buffer(void **state)
{
	char text[CM_NODESET_TEXT_MAX];
	struct cm_nodeset set, again;
	unsigned node;
	int len;

	(void)state;
	cm_nodeset_zero(&set);
	for (node = 1; node < CM_MAX_NODES; node += 2)
		cm_nodeset_set(&set, node);
	len = cm_nodeset_format(&set, text, sizeof(text));
	assert_in_range(len, 1, sizeof(text) - 1);
	assert_int_equal(cm_nodeset_parse(&again, text, (size_t)len), 0);
	assert_true(cm_nodeset_equal(&set, &again));
	assert_int_equal(cm_nodeset_weight(&again), CM_MAX_NODES / 2);
}

static void single_nodes_are_set_and_cleared(void **state)
{
	struct cm_nodeset set;

	(void)state;
	cm_nodeset_zero(&set);
	assert_true(cm_nodeset_empty(&set));
	assert_int_equal(cm_nodeset_first(&set), CM_MAX_NODES);
	cm_nodeset_set(&set, 64);
	cm_nodeset_set(&set, 1023);
	assert_true(cm_nodeset_test(&set, 64));
	assert_false(cm_nodeset_test(&set, 63));
	assert_false(cm_nodeset_test(&set, 65));
	assert_int_equal(cm_nodeset_first(&set), 64);
	assert_int_equal(cm_nodeset_weight(&set), 2);
	cm_nodeset_clear(&set, 64);
	assert_false(cm_nodeset_test(&set, 64));
	assert_int_equal(cm_nodeset_first(&set), 1023);
	assert_false(cm_nodeset_empty(&set));
}

static void sets_are_combined(void **state)
{
	struct cm_nodeset set = nodes("0-3,100"), other = nodes("2-5,100");
	struct cm_nodeset expected;

	(void)state;
	cm_nodeset_and(&set, &other);
	expected = nodes("2-3,100");
	assert_true(cm_nodeset_equal(&set, &expected));
	set = nodes("0-3,100");
	cm_nodeset_andnot(&set, &other);
	expected = nodes("0-1");
	assert_true(cm_nodeset_equal(&set, &expected));
	cm_nodeset_or(&set, &other);
	expected = nodes("0-5,100");
	assert_true(cm_nodeset_equal(&set, &expected));
	assert_false(cm_nodeset_equal(&set, &other));
}

static void the_loop_visits_each_node_once(void **state)
{
	struct cm_nodeset set = nodes("0,63-64,127,1023"), seen;
	unsigned node, count = 0;

	(void)state;
	cm_nodeset_zero(&seen);
	cm_nodeset_for_each(node, &set) {
		cm_nodeset_set(&seen, node);
		count++;
	}
	assert_int_equal(count, 5);
	assert_true(cm_nodeset_equal(&set, &seen));
	assert_int_equal(cm_nodeset_next(&set, 1), 63);
	assert_int_equal(cm_nodeset_next(&set, 1024), CM_MAX_NODES);
	assert_int_equal(cm_nodeset_next(&set, UINT32_MAX), CM_MAX_NODES);
}

static void what_is_written_reads_back(void **state)
{
	char text[CM_NODESET_TEXT_MAX];
	struct cm_nodeset set, again;
	uint32_t seed = 7;
	int len;

	(void)state;
	for (int round = 0; round < 500; round++) {
		cm_nodeset_zero(&set);
		for (unsigned n = test_random(&seed) % 40; n > 0; n--)
			cm_nodeset_set(&set, test_random(&seed) % CM_MAX_NODES);
		len = cm_nodeset_format(&set, text, sizeof(text));
		assert_true(len >= 0);
		assert_int_equal(cm_nodeset_parse(&again, text, (size_t)len),
				 0);
		assert_true(cm_nodeset_equal(&set, &again));
	}
}

static void any_bytes_are_read_or_refused(void **state)
{
	static const char alphabet[] = "0123456789,-+ \n:x\xff";
	uint32_t seed = 99;
	struct cm_nodeset set;
	char text[24];
	size_t len;
	int err;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		len = test_random(&seed) % sizeof(text);
		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[test_random(&seed) %
					   (sizeof(alphabet) - 1)];
		err = cm_nodeset_parse(&set, text, len);
		assert_true(err == 0 || err == -EINVAL || err == -ERANGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_and_ranges_are_read),
		cmocka_unit_test(the_kernels_newline_and_empty_list_are_read),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(nodes_end_at_1023),
		cmocka_unit_test(only_len_bytes_are_read),
		cmocka_unit_test(a_small_buffer_takes_the_beginning),
		cmocka_unit_test(the_longest_text_fits_its_buffer),
		cmocka_unit_test(single_nodes_are_set_and_cleared),
		cmocka_unit_test(sets_are_combined),
		cmocka_unit_test(the_loop_visits_each_node_once),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(any_bytes_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
