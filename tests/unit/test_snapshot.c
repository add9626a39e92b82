/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot: a reader sees one policy whole for as long as it likes, a writer
 * never waits; run under ThreadSanitizer too (--enable-tsan)
 */
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "policy/snapshot.h"

#define NR_READERS	6
#define NR_PUBLISHED	20000

/* Every field follows from one number. */
static struct cm_policy_snapshot numbered(unsigned n)
{
	struct cm_policy_snapshot policy;

	memset(&policy, 0, sizeof(policy));
	policy.weight[0] = n;
	policy.weight[1] = ~n;
	policy.sizes.nr = CM_MAX_SIZES - 1;
	for (unsigned i = 0; i < policy.sizes.nr; i++)
		policy.sizes.bound[i] = (uint64_t)n * 100 + i;
	return policy;
}

static bool is_whole(const struct cm_policy_snapshot *policy)
{
	struct cm_policy_snapshot whole = numbered(policy->weight[0]);

	return !memcmp(policy, &whole, sizeof(whole));
}

static _Atomic bool stop;
static _Atomic unsigned nr_torn, nr_back, nr_read;

static void read_one(unsigned *last)
{
	struct cm_snapshot_ticket ticket, inner;
	const struct cm_policy_snapshot *policy = cm_snapshot_enter(&ticket,
								    &ticket);
	unsigned n = policy->weight[0];

	if (!is_whole(policy))
		atomic_fetch_add(&nr_torn, 1);
	/* What is in force only goes forward. */
	if (n < *last)
		atomic_fetch_add(&nr_back, 1);
	*last = n;
	if (n % 4 == 0) {
		policy = cm_snapshot_enter(&inner, &inner);
		if (!is_whole(policy) || policy->weight[0] < n)
			atomic_fetch_add(&nr_torn, 1);
		cm_snapshot_leave(&inner);
	}
	cm_snapshot_leave(&ticket);
	atomic_fetch_add(&nr_read, 1);
}

static void *reader(void *arg)
{
	unsigned last = 0;

	while (!atomic_load(&stop))
		read_one(&last);
	return arg;
}

static void readers_see_wholes(void **state)
{
	pthread_t thread[NR_READERS];
	unsigned published = 0, refused = 0, read_before;
	struct cm_policy_snapshot policy = numbered(0);

	(void)state;
	assert_int_equal(cm_snapshot_publish(&policy), 0);
	for (int i = 0; i < NR_READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader, NULL),
				 0);
	while (!atomic_load(&nr_read))
		sched_yield();
	read_before = atomic_load(&nr_read);
	while (published < NR_PUBLISHED) {
		policy = numbered(published + 1);
		if (cm_snapshot_publish(&policy) == 0)
			published++;
		else
			refused++;
		if (published % 64 == 0)
			sched_yield();
	}
	while (atomic_load(&nr_read) == read_before)
		sched_yield();
	atomic_store(&stop, true);
	for (int i = 0; i < NR_READERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&nr_torn), 0);
	assert_int_equal(atomic_load(&nr_back), 0);
	print_message("# %u read, %u published, %u times all slots were read\n",
		      atomic_load(&nr_read), published, refused);
}

static unsigned in_force(struct cm_snapshot_ticket *ticket)
{
	return cm_snapshot_enter(ticket, ticket)->weight[0];
}

/* One reader in each slot: the writer is told, and succeeds when one leaves. */
static void writer_never_waits(void **state)
{
	struct cm_snapshot_ticket held[CM_NR_SNAPSHOTS], ticket;
	struct cm_policy_snapshot policy;

	(void)state;
	for (unsigned i = 0; i < CM_NR_SNAPSHOTS; i++) {
		policy = numbered(1000 + i);
		assert_int_equal(cm_snapshot_publish(&policy), 0);
		assert_int_equal(in_force(&held[i]), 1000 + i);
	}
	policy = numbered(5);
	assert_int_equal(cm_snapshot_publish(&policy), -EBUSY);
	assert_int_equal(in_force(&ticket), 1000 + CM_NR_SNAPSHOTS - 1);
	cm_snapshot_leave(&ticket);
	cm_snapshot_leave(&held[3]);
	assert_int_equal(cm_snapshot_publish(&policy), 0);
	assert_int_equal(in_force(&ticket), 5);
	cm_snapshot_leave(&ticket);
	for (unsigned i = 0; i < CM_NR_SNAPSHOTS; i++)
		if (i != 3)
			cm_snapshot_leave(&held[i]);
}

/* Threads that read in the parent are not in the child. */
static void child_starts_without_readers(void **state)
{
	struct cm_snapshot_ticket held;
	struct cm_policy_snapshot policy;

	(void)state;
	for (unsigned i = 0; i < CM_NR_SNAPSHOTS; i++) {
		policy = numbered(i);
		assert_int_equal(cm_snapshot_publish(&policy), 0);
		(void)in_force(&held);
	}
	assert_int_equal(cm_snapshot_publish(&policy), -EBUSY);
	cm_snapshot_fork_child();
	assert_int_equal(cm_snapshot_publish(&policy), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_wholes),
		cmocka_unit_test(writer_never_waits),
		cmocka_unit_test(child_starts_without_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
