/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near_where - which CPUs are near a node, from trees of sysfs made for it;
 * which node has memory, from this kernel; and threads that cannot be had
 */
#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "near/near.h"

static char tree[] = "/tmp/cxlm-near.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/devices/system/node/%s", tree, name);
	for (char *at = path + strlen(tree) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		mkdir(path, 0700);
		*at = '/';
	}
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		_exit(97);
}

static void node(unsigned number, const char *cpus, const char *distance)
{
	char name[64];

	snprintf(name, sizeof(name), "node%u/cpulist", number);
	put(name, cpus);
	snprintf(name, sizeof(name), "node%u/distance", number);
	put(name, distance);
}

/* CPUs up to 63 as a mask, and 8191 as bit 63; 0: none */
static uint64_t cpus_of(int number, uint64_t allowed_low, bool allowed_last)
{
	struct cm_near_cpus allowed = { { 0 } }, cpus;
	const size_t last = CM_ARRAY_SIZE(allowed.bits) - 1;

	allowed.bits[0] = allowed_low;
	if (allowed_last)
		allowed.bits[last] = 1UL << 63;
	if (!cm_near_cpus_of(tree, number, &allowed, &cpus))
		return 0;
	for (size_t i = 1; i < last; i++)
		if (cpus.bits[i])
			return 0xbad;
	return cpus.bits[0] | cpus.bits[last];
}

static void trees(void)
{
	check(!cpus_of(0, ~0UL, false), "no sysfs: none");
	/* 0, 1: sockets; 3: behind 1; 4: behind 0; 2 is offline; 5: between */
	put("online", "0-1,3-5\n");
	node(0, "0-1,4\n", "10 21 31 20 17\n");
	node(1, "2-3,8191\n", "21 10 20 31 17\n");
	node(3, "\n", "31 20 10 41 30\n");
	node(4, "\n", "20 31 41 10 30\n");
	node(5, "\n", "17 17 30 30 10\n");
	check(cpus_of(0, ~0UL >> 1, true) == 0x13, "a node's own CPUs");
	check(cpus_of(1, ~0UL >> 1, true) == (0xc | 1UL << 63),
	      "also the highest there may be");
	check(cpus_of(3, ~0UL >> 1, false) == 0xc &&
		      cpus_of(4, ~0UL >> 1, false) == 0x13,
	      "a node without CPUs: those at the least distance");
	check(cpus_of(5, ~0UL >> 1, false) == 0x1f,
	      "of two at the same distance, both");
	check(cpus_of(0, 0x2, false) == 0x2 && cpus_of(4, 0x12, false) == 0x12,
	      "only those that are allowed");
	check(cpus_of(4, 0x8, false) == 0x8,
	      "when none of the nearest is, the next in distance");
	check(cpus_of(0, 0x100, false) == 0, "none is allowed: none");
	check(!cpus_of(2, ~0UL, false) && !cpus_of(-1, ~0UL, false) &&
		      !cpus_of(99, ~0UL, false),
	      "a node that is not there: none");
	put("node3/distance", "31 20");
	check(cpus_of(3, ~0UL >> 1, false) == 0xc,
	      "a node came or went meanwhile: what is there is read");
	put("node3/distance", "what\n");
	check(!cpus_of(3, ~0UL, false), "not numbers: none");
}

static void pages(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len = 64 * page;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int before = cm_near_node_of_range(p, len), node;

	memset(p, 1, len);
	node = cm_near_node_of_range(p, len);
	check(before == -1, "pages that were never touched are on no node");
	if (node >= 0) {
		check(cm_near_node_of_range(p + 5, 1) == node,
		      "touched ones are on node %d", node);
		munmap(p + page, len - page);
		check(cm_near_node_of_range(p, 2 * page) == node,
		      "what is not mapped is left out");
	}
	check(cm_near_node_of_range(p, 0) == -1, "an empty range is nowhere");
}

#if defined(__has_feature)
#define HAS_FEATURE(x)	__has_feature(x)
#else
#define HAS_FEATURE(x)	0
#endif

static int nr_tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	int nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr - 2;
}

/* Address space for some stacks only: those that started end again. */
static int many_threads(void)
{
	struct cxlm_near_attr attr = { sizeof(attr), 64, NULL };
	struct rlimit room;
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu", &pages) != 1)
		return 2;
	fclose(f);
	room.rlim_cur = room.rlim_max = pages * (unsigned long)sysconf(
							_SC_PAGESIZE) +
					((unsigned long)40 << 20);
	if (setrlimit(RLIMIT_AS, &room) || cxlm_near_create(&attr))
		return 3;
	if (errno != EAGAIN)
		return 4;
	/* One that has been joined may be seen a moment longer. */
	for (int i = 0; i < 100000 && nr_tasks() > 1; i++)
		sched_yield();
	return nr_tasks() == 1 ? 0 : 5;
}

static void too_many(void)
{
	int status = -1;
	pid_t pid;

	/* These have no use for a limit on addresses. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
	return;
#endif
	pid = fork();
	if (!pid)
		_exit(many_threads());
	waitpid(pid, &status, 0);
	check(status == 0,
	      "no addresses for 64 stacks: EAGAIN, no threads (%x)",
	      (unsigned)status);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(tree))
		return 99;
	trees();
	pages();
	too_many();
	snprintf(command, sizeof(command), "rm -rf %s", tree);
	check(!system(command), "the tree is gone");
	return check_done();
}
