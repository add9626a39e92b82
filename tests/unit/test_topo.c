/* SPDX-License-Identifier: BSD-2-Clause */
/* topo: nodes are told apart as the kernel tells them, over trees made here */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "support/test.h"
#include "topology/node.h"
#include "topology/topo.h"

static char root[] = "/tmp/test_topo.XXXXXX";

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

static int remove_tree(void **state)
{
	char command[64];

	(void)state;
	assert_true(snprintf(command, sizeof(command), "rm -rf %s", root) > 0);
	assert_int_equal(system(command), 0);
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	return 0;
}

static int make_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	return 0;
}

static void nodes(const char *memory, const char *cpu)
{
	put("devices/system/node/has_memory", memory);
	put("devices/system/node/has_cpu", cpu);
}

static void expect(enum cm_topo_source source, const char *ddr, const char *cxl)
{
	struct cm_topo topo;
	char text[64];

	cm_topo_read(&topo, root);
	assert_int_equal(topo.source, source);
	(void)cm_nodeset_format(&topo.tier[CM_TIER_DDR], text, sizeof(text));
	assert_string_equal(text, ddr);
	(void)cm_nodeset_format(&topo.tier[CM_TIER_CXL], text, sizeof(text));
	assert_string_equal(text, cxl);
}

static void no_sysfs_means_nothing_is_known(void **state)
{
	(void)state;
	expect(CM_TOPO_NONE, "", "");
}

/* [0: cpu+mem] */
static void one_node_is_ddr(void **state)
{
	(void)state;
	nodes("0\n", "0\n");
	expect(CM_TOPO_NONE, "0", "");
}

/* [0: cpu+mem] [1: cpu+mem] */
static void two_sockets_are_both_ddr(void **state)
{
	(void)state;
	nodes("0-1\n", "0-1\n");
	put("devices/virtual/memory_tiering/memory_tier4/nodelist", "0-1\n");
	expect(CM_TOPO_NONE, "0-1", "");
}

/* [0: cpu+mem] - [1: mem], all in one memory tier: no HMAT */
static void a_node_without_cpus_is_cxl(void **state)
{
	(void)state;
	nodes("0-1\n", "0\n");
	put("devices/virtual/memory_tiering/memory_tier4/nodelist", "0-1\n");
	expect(CM_TOPO_NO_CPUS, "0", "1");
}

/* the rig's hmat4: tiers 4 (0-1), 33 (2), 106 (3) */
static void slower_memory_tiers_are_cxl(void **state)
{
	(void)state;
	nodes("0-3\n", "0-1\n");
	put("devices/virtual/memory_tiering/memory_tier4/nodelist", "0-1\n");
	put("devices/virtual/memory_tiering/memory_tier33/nodelist", "2\n");
	put("devices/virtual/memory_tiering/memory_tier106/nodelist", "3\n");
	put("devices/virtual/memory_tiering/uevent", "");
	expect(CM_TOPO_MEMORY_TIERS, "0-1", "2-3");
}

/* [0: cpu+ddr] [1: hbm, faster] [2: cxl] */
static void a_faster_tier_without_cpus_is_not_cxl(void **state)
{
	(void)state;
	nodes("0-2\n", "0\n");
	put("devices/virtual/memory_tiering/memory_tier4/nodelist", "0\n");
	put("devices/virtual/memory_tiering/memory_tier2/nodelist", "1\n");
	put("devices/virtual/memory_tiering/memory_tier22/nodelist", "2\n");
	expect(CM_TOPO_MEMORY_TIERS, "0-1", "2");
}

static void a_node_the_hmat_calls_slow_is_cxl(void **state)
{
	(void)state;
	nodes("0-2\n", "0\n");
	put("devices/system/node/node0/access0/initiators/read_latency",
	    "100\n");
	put("devices/system/node/node1/access0/initiators/read_latency",
	    "120\n");
	put("devices/system/node/node2/access0/initiators/read_latency",
	    "300\n");
	expect(CM_TOPO_HMAT, "0-1", "2");
}

/* [0: cpu+mem] [1: mem] [2: mem fed by dax0.0] */
static void a_dax_device_tells_its_node(void **state)
{
	(void)state;
	nodes("0-2\n", "0\n");
	put("bus/dax/devices/dax0.0/target_node", "2\n");
	put("bus/dax/devices/dax1.0/target_node", "-1\n");
	expect(CM_TOPO_DAX, "0-1", "2");
}

static void a_dax_device_of_a_node_with_cpus_is_not_cxl(void **state)
{
	(void)state;
	nodes("0-1\n", "0-1\n");
	put("bus/dax/devices/dax0.0/target_node", "0\n");
	expect(CM_TOPO_NONE, "0-1", "");
}

static void rubbish_in_sysfs_is_not_believed(void **state)
{
	(void)state;
	nodes("0-1\n", "0\n");
	put("devices/virtual/memory_tiering/memory_tier4/nodelist", "zero\n");
	put("devices/virtual/memory_tiering/memory_tierX/nodelist", "1\n");
	put("devices/system/node/node0/access0/initiators/read_latency", "?\n");
	put("bus/dax/devices/dax0.0/target_node", "99999999999\n");
	expect(CM_TOPO_NO_CPUS, "0", "1");
	nodes("0-70000\n", "0\n");
	expect(CM_TOPO_NONE, "", "");
}

#define INITIATORS "devices/system/node/node2/access0/initiators/"

static void speeds_are_told_apart(void **state)
{
	struct cm_node_speed speed;

	(void)state;
	put(INITIATORS "read_latency", "250\n");
	put(INITIATORS "write_latency", "260\n");
	put(INITIATORS "read_bandwidth", "12288\n");
	cm_node_speed_read(root, 2, &speed);
	assert_int_equal(speed.read_latency_ns, 250);
	assert_int_equal(speed.write_latency_ns, 260);
	assert_int_equal(speed.read_bandwidth_mbs, 12288);
	assert_int_equal(speed.write_bandwidth_mbs, 0);
	put(INITIATORS "write_bandwidth", "6144\n");
	cm_node_speed_read(root, 2, &speed);
	assert_int_equal(speed.write_bandwidth_mbs, 6144);
	cm_node_speed_read(root, 3, &speed);
	assert_int_equal(speed.read_latency_ns, 0);
}

/* What any thread may ask is what the one that looks does. */
static void nodes_are_the_same_for_any_caller(void **state)
{
	struct cm_nodeset one, other;

	(void)state;
	assert_int_equal(cm_topo_memory_nodes_own(&one, root), -ENOENT);
	assert_true(cm_nodeset_empty(&one));
	nodes("0-1,1023\n", "0\n");
	assert_int_equal(cm_topo_memory_nodes_own(&one, root), 0);
	assert_int_equal(cm_topo_memory_nodes(&other, root), 0);
	assert_true(cm_nodeset_equal(&one, &other));
	assert_int_equal(cm_nodeset_weight(&one), 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_sysfs_means_nothing_is_known),
		T(one_node_is_ddr),
		T(two_sockets_are_both_ddr),
		T(a_node_without_cpus_is_cxl),
		T(slower_memory_tiers_are_cxl),
		T(a_faster_tier_without_cpus_is_not_cxl),
		T(a_node_the_hmat_calls_slow_is_cxl),
		T(a_dax_device_tells_its_node),
		T(a_dax_device_of_a_node_with_cpus_is_not_cxl),
		T(rubbish_in_sysfs_is_not_believed),
		T(speeds_are_told_apart),
		T(nodes_are_the_same_for_any_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
