/* SPDX-License-Identifier: BSD-2-Clause */
/* isolate: what refuses a control group, and that nothing is left of it */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "cxlctl/isolate.h"

static char root[] = "/tmp/test_isolate.XXXXXX";
static char said[512];

static const char *at(const char *name)
{
	static char path[256];

	assert_in_range(snprintf(path, sizeof(path), "%s/%s", root, name), 1,
			(int)sizeof(path) - 1);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void is_mounted(void)
{
	char line[512];

	assert_true(snprintf(line, sizeof(line),
			     "41 31 0:38 / %s/cg rw - cgroup2 cgroup2 rw\n",
			     root) > 0);
	put("self/mountinfo", line);
}

/* A tree of plain files: the kernel's part is missing, and so is its success. */
static int set_up(void **state)
{
	static const char *const folders[] = { "self", "cg", "cg/mine" };

	(void)state;
	for (unsigned i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(at(folders[i]), 0755) && errno != EEXIST)
			fail_msg("%s: %s", folders[i], strerror(errno));
	put("self/cgroup", "3:pids:/x\n0::/mine\n");
	is_mounted();
	put("cg/mine/cgroup.controllers", "cpuset cpu memory pids\n");
	put("cg/mine/cgroup.subtree_control", "cpuset memory\n");
	put("cg/mine/cgroup.procs", "");
	/* without cgroup.type it is a root */
	return 0;
}

/* 0 or -1; what it said in said, without the part that each line has */
static int begin(uint64_t max)
{
	static const char prefix[] = "cxlctl run: --isolate: ";
	struct cm_nodeset mems = { { 0 } };
	struct isolate iso;
	FILE *f = tmpfile();
	int err, stderr_was = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(f);
	cm_nodeset_set(&mems, 1);
	dup2(fileno(f), STDERR_FILENO);
	err = isolate_begin(&iso, root, &mems, max);
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	rewind(f);
	len = fread(said, 1, sizeof(said) - 1, f);
	said[len] = '\0';
	fclose(f);
	if (err) {
		assert_int_equal(strncmp(said, prefix, sizeof(prefix) - 1), 0);
		assert_ptr_equal(strchr(said, '\n'), said + len - 1);
	}
	return err;
}

static void assert_refused(uint64_t max, const char *why)
{
	char group[64];

	assert_int_equal(begin(max), -1);
	if (!strstr(said, why))
		fail_msg("no \"%s\" in: %s", why, said);
	snprintf(group, sizeof(group), "cg/mine/cxlctl-%ld", (long)getpid());
	assert_int_equal(access(at(group), F_OK), -1);
	snprintf(group, sizeof(group), "cg/mine/cxlctl-%ld-self",
		 (long)getpid());
	assert_int_equal(access(at(group), F_OK), -1);
}

static void no_v2(void **state)
{
	(void)state;
	put("self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/vda rw\n");
	assert_refused(CM_NO_LIMIT, "no cgroup v2 is mounted");
}

static void own_group_out_of_sight(void **state)
{
	(void)state;
	put("self/cgroup", "0::/../other\n");
	assert_refused(CM_NO_LIMIT, "outside of what can be seen");
}

static void a_controller_that_is_not_there(void **state)
{
	(void)state;
	put("cg/mine/cgroup.controllers", "cpu cpusets memory\n");
	assert_refused(CM_NO_LIMIT, "has no controller cpuset");
	assert_non_null(strstr(said, "Delegate=yes"));
	put("cg/mine/cgroup.controllers", "cpuset cpu\n");
	assert_refused(1 << 20, "has no controller memory");
}

/* Only what is wanted has to be there. */
static void memory_is_asked_for_with_a_limit_only(void **state)
{
	(void)state;
	put("cg/mine/cgroup.controllers", "cpuset cpu\n");
	assert_refused(CM_NO_LIMIT, "cpuset.mems=1: No such file");
}

static void a_controller_that_v1_has(void **state)
{
	(void)state;
	put("self/cgroup", "4:memory:/x\n3:cpuset:/\n0::/mine\n");
	put("cg/mine/cgroup.controllers", "\n");
	assert_refused(CM_NO_LIMIT, "cpuset is with cgroup v1");
}

static void a_group_that_is_nobodys(void **state)
{
	(void)state;
	put("self/cgroup", "0::/mine/gone\n");
	assert_refused(CM_NO_LIMIT, "cannot be read: No such file");
}

static void what_is_enabled_is_not_written_again(void **state)
{
	char text[64];
	FILE *f;

	(void)state;
	put("cg/mine/cgroup.subtree_control", "memory\n");
	assert_refused(1 << 20, "cpuset.mems=1: No such file");
	f = fopen(at("cg/mine/cgroup.subtree_control"), "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "+cpuset");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_v2, set_up),
		cmocka_unit_test_setup(own_group_out_of_sight, set_up),
		cmocka_unit_test_setup(a_controller_that_is_not_there, set_up),
		cmocka_unit_test_setup(memory_is_asked_for_with_a_limit_only,
				       set_up),
		cmocka_unit_test_setup(a_controller_that_v1_has, set_up),
		cmocka_unit_test_setup(a_group_that_is_nobodys, set_up),
		cmocka_unit_test_setup(what_is_enabled_is_not_written_again,
				       set_up),
	};
	char command[128];
	int failed;

	if (!mkdtemp(root))
		return 99;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command) ? 99 : failed;
}
