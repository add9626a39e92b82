/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_threads - where blocks of threads with names are
 *
 *	rules_threads name NAME		a thread that takes its name before it
 *					allocates: its tier
 *	rules_threads late NAME		after: its tier before, and in the end
 *	rules_threads child NAME OTHER	a thread NAME makes one that is OTHER
 *	rules_threads api		cxlm_thread_tier: TAP
 */
#include "tiers.h"

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#define CXLM_INHERIT	1	/* cxlmalloc.h */

static int (*thread_tier)(int tier, int flags);
static const char *name, *other;

static int where(void)
{
	void *p = malloc(100);
	int tier = tier_of(p);

	free(p);
	return tier;
}

static void be(const char *who)
{
	pthread_setname_np(pthread_self(), who);
}

static void *named(void *arg)
{
	be(name);
	printf("%d\n", where());
	return arg;
}

/* Names are looked at every 250 ms: of a second at most ten. */
static void *late(void *arg)
{
	int before = where(), tier = before;
	time_t until = time(NULL) + 10;

	be(name);
	while (tier == before && time(NULL) < until) {
		/* more than any cache holds: a look comes by */
		void *p = malloc(300 << 10);

		tier = where();
		free(p);
	}
	printf("%d %d\n", before, tier);
	return arg;
}

static void *grandchild(void *arg)
{
	be(other);
	*(int *)arg = where();
	return NULL;
}

static void *parent(void *arg)
{
	pthread_t thread;
	int tier = -1;

	be(name);
	(void)where();
	pthread_create(&thread, NULL, grandchild, &tier);
	pthread_join(thread, NULL);
	printf("%d\n", tier);
	return arg;
}

static void *tell(void *arg)
{
	*(int *)arg = where();
	return NULL;
}

static void *tell_through(void *arg)
{
	pthread_t thread;

	(void)where();
	pthread_create(&thread, NULL, tell, arg);
	pthread_join(thread, NULL);
	return NULL;
}

static int in_thread(void *(*f)(void *))
{
	pthread_t thread;
	int tier = -1;

	if (pthread_create(&thread, NULL, f, &tier))
		return -2;
	pthread_join(thread, NULL);
	return tier;
}

static int api(void)
{
	int status, before = where();
	pid_t pid;

	check(thread_tier(2, 0) == -1 && errno == EINVAL, "2 is no tier");
	check(thread_tier(-2, 0) == -1 && errno == EINVAL, "-2 is no tier");
	check(thread_tier(CXL, 2) == -1 && errno == EINVAL, "2 is no flag");
	check(where() == before, "and nothing has changed");
	check(!thread_tier(CXL, 0) && where() == CXL, "this thread's are cxl");
	check(in_thread(tell) == before, "another thread's are not");
	pid = fork();
	if (!pid)
		_exit(where() == CXL ? 0 : 1);
	check(waitpid(pid, &status, 0) == pid && !status, "a child's are");
	check(!thread_tier(CXL, CXLM_INHERIT) && in_thread(tell) == CXL,
	      "CXLM_INHERIT: a thread it makes begins with it");
	check(in_thread(tell_through) == CXL, "and one that this makes");
	check(!thread_tier(DDR, 0) && where() == DDR, "then ddr");
	check(in_thread(tell) == before, "which is not inherited");
	check(!thread_tier(-1, 0) && where() == before, "then the policy's");
	return check_done();
}

static int refused(void)
{
	int ret = thread_tier(CXL, 0);

	printf("%d %d\n", ret, errno == ENOTSUP);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	*(void **)&thread_tier = dlsym(RTLD_DEFAULT, "cxlm_thread_tier");
	*(void **)&tier_of = dlsym(RTLD_DEFAULT, "cxlm_tier_of");
	if (argc < 2 || !tier_of || !thread_tier)
		return 1;
	name = argv[2];
	other = argc > 3 ? argv[3] : NULL;
	if (!strcmp(argv[1], "api"))
		return api();
	if (!strcmp(argv[1], "refused"))
		return refused();
	pthread_create(&thread, NULL,
		       argv[1][0] == 'n' ? named :
		       argv[1][0] == 'l' ? late :
					   parent,
		       NULL);
	pthread_join(thread, NULL);
	return 0;
}
