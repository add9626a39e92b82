/* SPDX-License-Identifier: BSD-2-Clause */
/* interleave: bytes follow the weights, whoever allocates */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "policy/turns.h"
#include "topology/weights.h"

static uint64_t random_state = 42;

static size_t random_size(size_t max)
{
	random_state = random_state * 6364136223846793005u + 1;
	return 1 + (random_state >> 33) % max;
}

#define TURN (64 * KIB)

/*
 * Somebody comes by a slow path every few blocks. DDR's share must be its
 * weight's, within a turn of each tier.
 */
static void keeps(unsigned ddr, unsigned cxl, size_t max, int count)
{
	const unsigned weight[CM_NR_TIERS] = { ddr, cxl };
	uint64_t taken[CM_NR_TIERS] = { 0 }, all, slow = 0;
	int64_t turn = (int64_t)((TURN + max) * (ddr + cxl)), off;
	enum cm_tier tier = CM_TIER_DDR;

	for (int i = 0; i < count; i++) {
		size_t size = random_size(max);

		slow += size;
		if (slow >= TURN || random_size(10) == 1) {
			tier = cm_turns_next(weight, taken);
			slow = 0;
		}
		taken[tier] += size;
	}
	all = taken[CM_TIER_DDR] + taken[CM_TIER_CXL];
	off = (int64_t)(taken[CM_TIER_DDR] * (ddr + cxl)) -
	      (int64_t)(all * ddr);
	assert_true(off > -turn && off < turn);
}

static void bytes_follow_the_weights(void **state)
{
	(void)state;
	for (unsigned ddr = 1; ddr <= 10; ddr++)
		for (unsigned cxl = 1; cxl <= 10; cxl++)
			keeps(ddr, cxl, 1024, 100000);
	keeps(1000, 1, 1024, 1000000);
	keeps(1, 1000, 1024, 1000000);
	keeps(999, 1000, 1024, 1000000);
	keeps(3, 1, 4 * MIB, 100000);
	keeps(1000, 999, GIB, 10000);
}

/* --- weights=auto ----------------------------------------------------- */

static char root[] = "/tmp/test_weights.XXXXXX";

static int make_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
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

static void kernel_weight(unsigned node, unsigned weight)
{
	char command[256];

	assert_true(snprintf(command, sizeof(command),
			     "d=%s/kernel/mm/mempolicy/weighted_interleave && "
			     "mkdir -p $d && echo %u >$d/node%u",
			     root, weight, node) < (int)sizeof(command));
	assert_int_equal(system(command), 0);
}

static void bandwidth(unsigned node, unsigned mbs)
{
	char command[256];

	assert_true(snprintf(command, sizeof(command),
			     "d=%s/devices/system/node/node%u/access0/"
			     "initiators && mkdir -p $d && "
			     "echo %u >$d/read_bandwidth",
			     root, node, mbs) < (int)sizeof(command));
	assert_int_equal(system(command), 0);
}

static void expect(unsigned ddr, unsigned cxl)
{
	struct cm_nodeset nodes[CM_NR_TIERS] = { 0 };
	unsigned weight[CM_NR_TIERS] = { 77, 77 };

	cm_nodeset_set(&nodes[CM_TIER_DDR], 0);
	cm_nodeset_set(&nodes[CM_TIER_DDR], 1);
	cm_nodeset_set(&nodes[CM_TIER_CXL], 2);
	assert_int_equal(cm_weights_read(root, nodes, weight), ddr != 77);
	assert_int_equal(weight[CM_TIER_DDR], ddr);
	assert_int_equal(weight[CM_TIER_CXL], cxl);
	cm_nodeset_zero(&nodes[CM_TIER_CXL]);
	assert_false(cm_weights_read(root, nodes, weight));
}

static void weights_are_the_kernels_or_the_bandwidths(void **state)
{
	(void)state;
	expect(77, 77);			/* nothing known */
	kernel_weight(0, 1);
	kernel_weight(1, 1);
	kernel_weight(2, 1);
	expect(77, 77);			/* its default says nothing */
	bandwidth(0, 50000);
	bandwidth(1, 50000);
	expect(77, 77);			/* not of every node */
	bandwidth(2, 25000);
	expect(100, 25);
	bandwidth(2, 10);
	expect(100, 1);			/* never without */
	kernel_weight(0, 4);
	kernel_weight(1, 3);
	expect(7, 1);
}

static void large_blocks_are_the_kernels_when_its_weights_are_ours(void **state)
{
	struct cm_nodeset nodes[CM_NR_TIERS] = { 0 };
	struct cm_node_weights none = { .nr = 0 };
	struct cm_node_weights of = { .nr = 3,
				      .of = { { 0, 4 }, { 1, 2 }, { 2, 2 } } };
	const unsigned three[] = { 3, 1 }, six[] = { 6, 2 }, two[] = { 2, 1 };

	(void)state;
	cm_nodeset_set(&nodes[CM_TIER_DDR], 0);
	cm_nodeset_set(&nodes[CM_TIER_DDR], 1);
	cm_nodeset_set(&nodes[CM_TIER_CXL], 2);
	kernel_weight(0, 2);
	kernel_weight(1, 1);
	assert_false(cm_weights_are_kernels(root, nodes, three, &none));
	kernel_weight(2, 1);
	assert_true(cm_weights_are_kernels(root, nodes, three, &none));
	assert_true(cm_weights_are_kernels(root, nodes, six, &none));
	assert_false(cm_weights_are_kernels(root, nodes, two, &none));
	assert_true(cm_weights_are_kernels(root, nodes, six, &of));
	of.of[0].weight = 3;	/* the same sum, but not of each node */
	of.of[1].weight = 3;
	assert_false(cm_weights_are_kernels(root, nodes, six, &of));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_follow_the_weights),
		cmocka_unit_test_setup_teardown(
			weights_are_the_kernels_or_the_bandwidths, make_tree,
			remove_tree),
		cmocka_unit_test_setup_teardown(
			large_blocks_are_the_kernels_when_its_weights_are_ours,
			make_tree, remove_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
