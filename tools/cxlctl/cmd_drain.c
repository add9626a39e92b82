/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cxlctl drain - have the library's processes leave nodes
 *
 * Processes read CM_DRAIN_FILE at most every 250 ms, when they allocate: from
 * then on nothing new goes to the nodes listed, and their ranges are bound to
 * those that remain. The pages that are there are moved from here, with
 * migrate_pages(2), and counted in each process's numa_maps.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "cmd.h"
#include "sys/file.h"
#include "topology/drain.h"
#include "topology/topo.h"

static struct {
	bool undo, json;
	const char *to, *wait;
} arg;

static const struct opt opts[] = {
	{ "to", 't', "NODES", "where pages go (all nodes that remain)", NULL,
	  &arg.to },
	{ "undo", 'u', NULL, "let processes use the nodes again", &arg.undo,
	  NULL },
	{ "wait", 'w', "SECONDS", "go on moving that long, 0..3600 (5)", NULL,
	  &arg.wait },
	{ "json", 'j', NULL, "JSON, one object", &arg.json, NULL },
	{ 0 }
};

struct process {
	long pid;
	char name[32];
	long before, left;	/* pages on the nodes */
};

struct count {
	const struct cm_nodeset *nodes;
	long pages;
};

/* " N1=23" for each node, in units of the line's kernelpagesize_kB */
static int count_line(char *line, void *data)
{
	struct count *count = data;
	const char *size = strstr(line, "kernelpagesize_kB=");
	long unit = size ? strtol(size + 18, NULL, 10) / 4 : 1;

	for (char *s = line; (s = strstr(s, " N"));) {
		char *end;
		unsigned long node = strtoul(s + 2, &end, 10);

		if (end > s + 2 && *end == '=' && node < CM_MAX_NODES &&
		    cm_nodeset_test(count->nodes, (unsigned)node))
			count->pages += strtol(end + 1, &end, 10) *
					(unit ? unit : 1);
		s = end;
	}
	return 0;
}

static long pages_on(long pid, const struct cm_nodeset *nodes)
{
	static char text[65536];
	struct count count = { nodes, 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/numa_maps", pid);
	(void)cm_file_lines(path, text, sizeof(text), count_line, &count);
	return count.pages;
}

static int has_library(char *line, void *data)
{
	(void)data;
	return strstr(line, "/libcxlmalloc.so") != NULL;
}

static bool uses_library(long pid)
{
	char path[64], text[8192];

	snprintf(path, sizeof(path), "/proc/%ld/maps", pid);
	return cm_file_lines(path, text, sizeof(text), has_library, NULL) == 1;
}

/* Processes under the library that this user may look at. */
static size_t find_processes(struct process *list, size_t max)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t nr = 0;

	while (proc && nr < max && (entry = readdir(proc))) {
		char path[64], *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid <= 0 || *end || !uses_library(pid))
			continue;
		list[nr] = (struct process){ .pid = pid };
		snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
		(void)cm_file_read(path, list[nr].name, sizeof(list[nr].name));
		list[nr].name[strcspn(list[nr].name, "\n")] = '\0';
		nr++;
	}
	if (proc)
		closedir(proc);
	return nr;
}

/* All or nothing, so that a reader never sees half a list. */
static int write_drained(const struct cm_nodeset *drained)
{
	char text[CM_NODESET_TEXT_MAX];
	int bad;
	FILE *f;

	if (mkdir(CM_DRAIN_DIR, 0755) && errno != EEXIST)
		return -errno;
	f = fopen(CM_DRAIN_FILE ".new", "w");
	if (!f)
		return -errno;
	(void)cm_nodeset_format(drained, text, sizeof(text));
	bad = fprintf(f, "%s\n", text) < 0;
	if (fclose(f) || bad || rename(CM_DRAIN_FILE ".new", CM_DRAIN_FILE))
		return -errno;
	return 0;
}

static void move(struct process *p, const struct cm_nodeset *from,
		 const struct cm_nodeset *to)
{
	(void)syscall(SYS_migrate_pages, p->pid, (long)CM_MAX_NODES + 1,
		      from->bits, to->bits);
	p->left = pages_on(p->pid, from);
}

/* Move, and again while a process that has not noticed yet puts pages back. */
static long move_all(struct process *list, size_t nr, long seconds,
		     const struct cm_nodeset *from, const struct cm_nodeset *to)
{
	const struct timespec pause = { 0, 250 * 1000 * 1000 };
	long left = 1;

	for (long i = 0; i <= seconds * 4 && left; i++) {
		if (i)
			nanosleep(&pause, NULL);
		left = 0;
		for (size_t k = 0; k < nr; k++) {
			move(&list[k], from, to);
			left += list[k].left;
		}
	}
	return left;
}

static void print(const struct process *list, size_t nr, const char *nodes)
{
	if (arg.json)
		printf("{\"schema\":1,\"nodes\":\"%s\",\"processes\":[", nodes);
	else
		printf("%8s  %-16s %12s %12s\n", "PID", "COMMAND",
		       "PAGES BEFORE", "PAGES LEFT");
	for (size_t i = 0; i < nr; i++) {
		if (!arg.json) {
			printf("%8ld  %-16s %12ld %12ld\n", list[i].pid,
			       list[i].name, list[i].before, list[i].left);
			continue;
		}
		printf("%s{\"pid\":%ld,\"command\":", i ? "," : "",
		       list[i].pid);
		cmd_json_string(list[i].name);
		printf(",\"before\":%ld,\"left\":%ld}", list[i].before,
		       list[i].left);
	}
	if (arg.json)
		printf("]}\n");
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "cxlctl drain: %s: %s\n", what, strerror(-err));
	return EXIT_FAILURE;
}

static bool parse_nodes(struct cm_nodeset *set, const char *text)
{
	return cm_nodeset_parse(set, text, strlen(text)) == 0 &&
	       !cm_nodeset_empty(set);
}

static int drain(const struct cm_nodeset *nodes, const char *text,
		 const struct cm_nodeset *to, long seconds)
{
	static struct process list[4096];
	size_t nr = find_processes(list, 4096);
	long left;

	for (size_t i = 0; i < nr; i++)
		list[i].before = pages_on(list[i].pid, nodes);
	left = move_all(list, nr, seconds, nodes, to);
	print(list, nr, text);
	if (left)
		fprintf(stderr,
			"cxlctl drain: %ld pages are still on %s: "
			"locked, shared, or of a process that does not "
			"allocate and touches them anew\n",
			left, text);
	return left ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	struct cm_nodeset nodes, memory, drained, to;
	char known[CM_NODESET_TEXT_MAX];
	char *end = NULL;
	long seconds = arg.wait ? strtol(arg.wait, &end, 10) : 5;
	int err;

	if (argc != 1)
		return cmd_usage_error(&cmd_drain, "one list of nodes, please");
	if (!parse_nodes(&nodes, argv[0]))
		return cmd_usage_error(&cmd_drain,
				       "%s: not a list of nodes "
				       "(such as 1 or 2-3,5)",
				       argv[0]);
	if (seconds < 0 || seconds > 3600 || (end && (*end || end == arg.wait)))
		return cmd_usage_error(&cmd_drain, "--wait=%s: not in 0..3600",
				       arg.wait);
	(void)cm_topo_memory_nodes(&memory, "/sys");
	(void)cm_drain_read(&drained);
	to = nodes;
	cm_nodeset_andnot(&to, &memory);
	if (!cm_nodeset_empty(&to) && !arg.undo) {
		(void)cm_nodeset_format(&memory, known, sizeof(known));
		return cmd_usage_error(&cmd_drain,
				       "%s: not nodes with memory "
				       "(those are %s)",
				       argv[0], known);
	}
	if (arg.undo)
		cm_nodeset_andnot(&drained, &nodes);
	else
		cm_nodeset_or(&drained, &nodes);
	to = memory;
	cm_nodeset_andnot(&to, &drained);
	if (cm_nodeset_empty(&to))
		return cmd_usage_error(&cmd_drain,
				       "%s: no node with memory "
				       "would remain",
				       argv[0]);
	if (arg.to) {
		struct cm_nodeset wanted;

		if (!parse_nodes(&wanted, arg.to))
			return cmd_usage_error(&cmd_drain,
					       "--to=%s: not a "
					       "list of nodes",
					       arg.to);
		cm_nodeset_and(&wanted, &to);
		if (cm_nodeset_empty(&wanted))
			return cmd_usage_error(&cmd_drain,
					       "--to=%s: no node "
					       "with memory that is not being "
					       "drained",
					       arg.to);
		to = wanted;
	}
	err = write_drained(&drained);
	if (err)
		return fail(CM_DRAIN_FILE, err);
	if (arg.undo && arg.json)
		print(NULL, 0, argv[0]);
	return arg.undo ? EXIT_SUCCESS : drain(&nodes, argv[0], &to, seconds);
}

const struct cmd cmd_drain = {
	.name = "drain",
	.summary = "have processes leave nodes, and move their pages",
	.usage = "  cxlctl drain [-t NODES] [-w SECONDS] [--json] NODES\n"
		 "  cxlctl drain --undo [--json] NODES\n",
	.example = "  cxlctl drain 2 && daxctl offline-memory dax0.0\n",
	.opts = opts,
	.args = "NODES",
	.run = run,
};
