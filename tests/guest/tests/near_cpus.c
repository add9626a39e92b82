/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near_cpus LIBCXLMEM THREADS NODE... - a column with a slice on each of these
 * nodes is scanned, rows of a table laid likewise are summed
 *
 * Prints, for each operation, "scan COUNT PARTS BOUND: CPUS..." with the CPUs
 * each thread may run on then, as the kernel lists them, sorted by thread; and
 * at the end "own CPUS", of the thread that called.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../include/cxlmalloc/near.h"

#define SLICE	((size_t)4 << 20)
#define BIND	2

static __typeof__(cxlm_near_create) *create;
static __typeof__(cxlm_near_stat) *stat_of;
static __typeof__(cxlm_near_scan_range) *scan_range;
static __typeof__(cxlm_near_sls) *sls;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void *find(void *library, const char *name)
{
	void *p = dlsym(library, name);

	if (!p)
		die(name);
	return p;
}

/* The value behind "name:" of a thread's status, or its comm's line. */
static int line_of(const char *task, const char *file, const char *name,
		   char *value, int size)
{
	char path[300], line[1024];
	int found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/%s", task, file);
	f = fopen(path, "r");
	while (f && !found && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name))) {
			snprintf(value, size, "%s", line + strlen(name));
			value[strcspn(value, "\n")] = 0;
			found = 1;
		}
	if (f)
		fclose(f);
	return found;
}

static void say_cpus(void)
{
	struct dirent **task;
	int nr = scandir("/proc/self/task", &task, NULL, versionsort);
	char name[64], cpus[1024];

	for (int i = 0; i < nr; i++)
		if (line_of(task[i]->d_name, "comm", "", name, sizeof(name)) &&
		    !strcmp(name, "cxlm-near") &&
		    line_of(task[i]->d_name, "status", "Cpus_allowed_list:\t",
			    cpus, sizeof(cpus)))
			printf(" %s", cpus);
	puts("");
}

static struct cxlm_near_stat said;

static void say(const char *what, cxlm_near *near, unsigned long count)
{
	struct cxlm_near_stat now = { .size = sizeof(now) };

	if (stat_of(near, &now))
		die("cxlm_near_stat");
	printf("%s %lu %lu %lu:", what, count,
	       (unsigned long)(now.parts - said.parts),
	       (unsigned long)(now.bound - said.bound));
	said = now;
	say_cpus();
}

int main(int argc, char **argv)
{
	void *library = dlopen(argc > 3 ? argv[1] : "", RTLD_NOW);
	size_t len = SLICE * (size_t)(argc - 3), row = 4096;
	struct cxlm_near_attr attr = { .size = sizeof(attr) };
	struct cxlm_near_range one = { 1, 1 };
	struct cxlm_near_result result = { 0 };
	uint32_t *data, *length, *index;
	size_t rows = len / row;
	uint64_t *sums;
	cxlm_near *near;
	char own[1024];

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	create = find(library, "cxlm_near_create");
	stat_of = find(library, "cxlm_near_stat");
	scan_range = find(library, "cxlm_near_scan_range");
	sls = find(library, "cxlm_near_sls");
	data = mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 3; i < argc; i++) {
		unsigned long node = 1UL << atoi(argv[i]);

		if (syscall(SYS_mbind, (char *)data + SLICE * (i - 3), SLICE,
			    BIND, &node, 64UL, 0))
			die("mbind");
	}
	for (size_t i = 0; i < len / 4; i++)
		data[i] = i % 4;

	attr.threads = (unsigned)atoi(argv[2]);
	near = create(&attr);
	if (!near)
		die("cxlm_near_create");
	struct cxlm_near_column column = { sizeof(column), data, len / 4,
					   CXLM_NEAR_U32, 0 };
	if (scan_range(near, &column, &one, 1, &result))
		die("cxlm_near_scan_range");
	say("scan", near, result.count);

	/* Each row once, in its order, in bags of eight. */
	length = malloc(rows / 8 * sizeof(*length));
	index = malloc(rows * sizeof(*index));
	sums = malloc(rows / 8 * row);
	for (size_t i = 0; i < rows; i++) {
		length[i / 8] = 8;
		index[i] = i;
	}
	struct cxlm_near_table table = { sizeof(table), data, CXLM_NEAR_I64,
					 rows,		row / 8, 0 };
	struct cxlm_near_bags bags = { sizeof(bags), length, rows / 8,
				       index,	     NULL,   rows };
	if (sls(near, &table, &bags, sums, rows / 8 * row))
		die("cxlm_near_sls");
	/* 0 and 1 in eight words of 64 bits, added. */
	say("sls", near, sums[0] >> 32);
	if (!line_of("../../self", "status", "Cpus_allowed_list:\t", own,
		     sizeof(own)))
		return 2;
	printf("own %s\n", own);
	return 0;
}
