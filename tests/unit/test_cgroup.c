/* SPDX-License-Identifier: BSD-2-Clause */
/* cgroup: the smallest limit on the way up, over trees made here */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "topology/cgroup.h"

static char root[] = "/tmp/test_cgroup.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[512];
	FILE *f;

	assert_in_range(snprintf(path, sizeof(path), "%s/%s", root, name), 1,
			(int)sizeof(path) - 1);
	for (char *s = path + sizeof(root); (s = strchr(s, '/')); s++) {
		*s = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			fail_msg("%s: %s", path, strerror(errno));
		*s = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The hierarchy below mounted_root is at root/cg (an escaped name). */
static void mounted(const char *mounted_root)
{
	char line[512];

	assert_true(snprintf(line, sizeof(line),
			     "22 1 8:1 / / rw - ext4 /dev/vda rw\n"
			     "31 23 0:28 / /sys/fs/cgroup rw - tmpfs none rw\n"
			     "41 31 0:38 %s %s/c\\040g rw,nosuid shared:4 - "
			     "cgroup2 cgroup2 rw\n",
			     mounted_root, root) > 0);
	put("self/mountinfo", line);
}

static struct cm_report_cgroup read_it(int err)
{
	struct cm_report_cgroup out;

	assert_int_equal(cm_cgroup_read(root, &out), err);
	assert_int_equal(out.known, err == 0);
	return out;
}

static uint64_t memory(void)
{
	uint64_t bytes = 0;

	assert_int_equal(cm_cgroup_memory(root, &bytes), 0);
	return bytes;
}

static int make_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	put("meminfo", "MemTotal:        1024 kB\nMemFree:         100 kB\n");
	put("self/cgroup", "4:memory:/v1\n0::/a/b\n");
	mounted("/");
	return 0;
}

static int remove_tree(void **state)
{
	char command[64];

	(void)state;
	assert_true(snprintf(command, sizeof(command), "rm -rf %s", root) > 0);
	assert_int_equal(system(command), 0);
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	return 0;
}

static void the_smallest_of_all_ancestors_counts(void **state)
{
	struct cm_report_cgroup out;

	(void)state;
	put("c g/a/b/memory.max", "max\n");
	put("c g/a/b/memory.high", "700000\n");
	put("c g/a/b/memory.current", "4096\n");
	put("c g/a/memory.max", "500000\n");
	put("c g/a/memory.high", "max\n");
	put("c g/a/memory.current", "8192\n");
	out = read_it(0);
	assert_true(out.max == 500000);
	assert_true(out.high == 700000);
	assert_true(out.current == 4096);
	assert_true(memory() == 500000);
}

static void no_limit_is_the_machines_memory(void **state)
{
	struct cm_report_cgroup out;

	(void)state;
	put("c g/a/b/memory.max", "max\n");
	put("c g/a/b/memory.high", "max\n");
	out = read_it(0);
	assert_true(out.max == CM_NO_LIMIT);
	assert_true(out.high == CM_NO_LIMIT);
	assert_true(memory() == MIB);
}

static void a_container_sees_its_own_as_the_root(void **state)
{
	(void)state;
	put("self/cgroup", "0::/\n");
	put("c g/memory.max", "300000\n");
	put("c g/memory.high", "max\n");
	put("c g/a/memory.max", "1\n"); /* not on the way */
	assert_true(read_it(0).max == 300000);
}

static void a_part_of_the_hierarchy_is_mounted(void **state)
{
	(void)state;
	mounted("/a");
	put("c g/b/memory.max", "200000\n");
	put("c g/memory.max", "100000\n");
	assert_true(read_it(0).max == 100000);
	mounted("/ab"); /* no part of /a/b */
	put("c g/memory.max", "100001\n");
	assert_true(read_it(0).max == 100001);
}

static void outside_of_the_namespace_only_the_mount_is_seen(void **state)
{
	(void)state;
	put("self/cgroup", "0::/../other\n");
	put("c g/memory.max", "100000\n");
	put("other/memory.max", "5\n");
	assert_true(read_it(0).max == 100000);
}

static void another_part_that_is_mounted_first_is_not_ours(void **state)
{
	char line[512];

	(void)state;
	assert_true(
		snprintf(line, sizeof(line),
			 "40 31 0:38 /x %s/other rw - cgroup2 cgroup2 rw\n"
			 "41 31 0:38 / %s/c\\040g rw - cgroup2 cgroup2 rw\n",
			 root, root) > 0);
	put("self/mountinfo", line);
	put("other/memory.max", "5\n");
	put("c g/a/b/memory.max", "100000\n");
	assert_true(read_it(0).max == 100000);
}

static void without_v2_nothing_is_known(void **state)
{
	(void)state;
	put("self/cgroup", "4:memory:/v1\n");
	(void)read_it(-ENOENT);
	put("self/cgroup", "0::/a/b\n");
	(void)read_it(-ENOENT); /* no controller: no files */
	put("self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/vda rw\n");
	(void)read_it(-ENOENT);
	assert_true(memory() == MIB);
	assert_int_equal(remove_tree(state), 0);
	assert_true(memory() > MIB);	/* sysinfo(2)'s */
	assert_non_null(mkdtemp(root));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)
	const struct CMUnitTest tests[] = {
		TEST(the_smallest_of_all_ancestors_counts),
		TEST(no_limit_is_the_machines_memory),
		TEST(a_container_sees_its_own_as_the_root),
		TEST(a_part_of_the_hierarchy_is_mounted),
		TEST(outside_of_the_namespace_only_the_mount_is_seen),
		TEST(another_part_that_is_mounted_first_is_not_ours),
		TEST(without_v2_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
