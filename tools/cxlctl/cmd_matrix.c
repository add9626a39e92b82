/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl matrix - latency and bandwidth, measured between CPUs and nodes */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "cmd.h"
#include "control/parse.h"
#include "measure.h"
#include "sys/file.h"
#include "sys/sys.h"
#include "topology/cgroup.h"
#include "topology/node.h"
#include "topology/topo.h"

#define SIZE_LEAST	(64 * MIB)	/* unless --size says so */
#define SIZE_MOST	(1024 * MIB)
#define SIZE_MIN	(1 * MIB)
#define CACHES		4	/* times the largest cache */
#define HUGE		(2 * MIB)
#define MS_DEFAULT	300
#define MS_MAX		60000

static struct {
	bool json;
	const char *size, *nodes, *cpus, *ms;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, one object", &arg.json, NULL },
	{ "size", 's', "SIZE", "memory to measure with (4 caches)", NULL,
	  &arg.size },
	{ "nodes", 'n', "NODES", "memory of these nodes (all)", NULL,
	  &arg.nodes },
	{ "cpus", 'c', "NODES", "CPUs of these nodes (all)", NULL, &arg.cpus },
	{ "time", 't', "MS", "for each figure, 1..60000 (300)", NULL, &arg.ms },
	{ 0 }
};

struct cell {
	double latency_ns, bandwidth_mbs;
	unsigned threads;
	int err;		/* the memory could not be had */
};

static struct cm_nodeset cpu_nodes, memory_nodes;
static uint64_t size;
static unsigned ms = MS_DEFAULT;

/* The kernel's list, below CPU_SETSIZE. */
static void parse_cpus(cpu_set_t *cpus, const char *text)
{
	char *end;

	CPU_ZERO(cpus);
	for (;; text = end + 1) {
		unsigned long from = strtoul(text, &end, 10), to = from;

		if (end == text)
			return;
		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		for (; from <= to && from < CPU_SETSIZE; from++)
			CPU_SET(from, cpus);
		if (*end != ',')
			return;
	}
}

/* Those of the node that this process may use. */
static void cpus_of(unsigned node, cpu_set_t *cpus)
{
	char path[128], text[4096];
	cpu_set_t allowed;

	CPU_ZERO(cpus);
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist",
		 node);
	if (cm_file_read(path, text, sizeof(text)) <= 0 ||
	    sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return;
	parse_cpus(cpus, text);
	CPU_AND(cpus, cpus, &allowed);
}

static bool has_cpus(unsigned node)
{
	cpu_set_t cpus;

	cpus_of(node, &cpus);
	return CPU_COUNT(&cpus) > 0;
}

/* "flags : ... hypervisor ...", which no machine of metal has */
static int hypervisor_line(char *line, void *arg_)
{
	(void)arg_;
	return strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor");
}

static bool is_virtual(void)
{
	static char text[16384];

	/* an emulation may hide the flag */
	return cm_file_lines("/proc/cpuinfo", text, sizeof(text),
			     hypervisor_line, NULL) == 1 ||
	       (cm_file_read("/sys/class/dmi/id/sys_vendor", text,
			     sizeof(text)) > 0 &&
		strncmp(text, "QEMU", 4) == 0) ||
	       access("/proc/device-tree/hypervisor", F_OK) == 0;
}

static const char note[] =
	"a virtual machine or an emulation: these are no figures of CXL "
	"hardware";

/* --- what is to be measured ---------------------------------------------- */

static uint64_t largest_cache(void)
{
	static const int level[] = { _SC_LEVEL4_CACHE_SIZE,
				     _SC_LEVEL3_CACHE_SIZE,
				     _SC_LEVEL2_CACHE_SIZE };
	long bytes = 0;

	for (unsigned i = 0; bytes <= 0 && i < CM_ARRAY_SIZE(level); i++)
		bytes = sysconf(level[i]);
	return bytes > 0 ? (uint64_t)bytes : 0;
}

/* Half of what is free: the machine shall go on. */
static uint64_t room_on(unsigned node)
{
	struct cm_node_memory memory;
	struct cm_report_cgroup group;
	uint64_t room = 0;

	if (cm_node_memory_read("/sys", node, &memory) == 0)
		room = memory.free + memory.droppable;
	if (cm_cgroup_read("/proc", &group) == 0 && group.max != CM_NO_LIMIT &&
	    group.max - group.current < room)
		room = group.current < group.max ? group.max - group.current :
						   0;
	return room / 2;
}

/* A list of the option, each of all; else said. */
static int choose(struct cm_nodeset *nodes, const char *option,
		  const char *text, const struct cm_nodeset *all,
		  const char *what)
{
	char known[CM_NODESET_TEXT_MAX];
	struct cm_nodeset other;

	*nodes = *all;
	if (!text)
		return 0;
	if (cm_nodeset_parse(nodes, text, strlen(text)) < 0 ||
	    cm_nodeset_empty(nodes))
		return cmd_usage_error(&cmd_matrix,
				       "--%s=%s: not a list of nodes (such as "
				       "1 or 2-3,5)",
				       option, text);
	other = *nodes;
	cm_nodeset_andnot(&other, all);
	if (cm_nodeset_empty(&other))
		return 0;
	(void)cm_nodeset_format(all, known, sizeof(known));
	return cmd_usage_error(&cmd_matrix,
			       "--%s=%s: not nodes with %s this process may "
			       "use (those are %s)",
			       option, text, what, known);
}

static int choose_nodes(void)
{
	struct cm_nodeset memory, allowed, cpus = { { 0 } };
	struct cm_topo topo;
	unsigned node;
	int status;

	cm_topo_read(&topo, "/sys");
	memory = topo.memory;
	if (cm_sys_mems_allowed(&allowed) == 0)
		cm_nodeset_and(&memory, &allowed);
	if (cm_nodeset_empty(&memory)) {
		fprintf(stderr, "cxlctl matrix: no nodes in "
				"/sys/devices/system/node: a kernel without "
				"NUMA, or no sysfs\n");
		return EXIT_FAILURE;
	}
	for (node = 0; node < CM_MAX_NODES; node++)
		if (has_cpus(node))
			cm_nodeset_set(&cpus, node);
	status = choose(&memory_nodes, "nodes", arg.nodes, &memory, "memory");
	return status ? status :
			choose(&cpu_nodes, "cpus", arg.cpus, &cpus, "CPUs");
}

/* The same for each node, or they could not be compared. */
static int choose_size(void)
{
	uint64_t room = UINT64_MAX;
	unsigned node;

	cm_nodeset_for_each(node, &memory_nodes)
		if (room_on(node) < room)
			room = room_on(node);
	size = CACHES * largest_cache();
	if (size < SIZE_LEAST)
		size = SIZE_LEAST;
	/* what a virtual machine says of its cache may be the whole host's */
	if (size > SIZE_MOST)
		size = SIZE_MOST;
	if (arg.size) {
		if (cm_parse_size(cm_slice_of(arg.size), &size) < 0 ||
		    size < SIZE_MIN || size == CM_NO_LIMIT)
			return cmd_usage_error(&cmd_matrix,
					       "--size=%s: not a size of at "
					       "least 1m",
					       arg.size);
	} else if (size > room) {
		size = room;
	}
	size = size / HUGE * HUGE;
	if (size < HUGE && arg.size)
		size = HUGE;
	if (size >= SIZE_MIN && size <= room)
		return EXIT_SUCCESS;
	fprintf(stderr,
		"cxlctl matrix: a node has %s free that may be measured "
		"with: choose others with --nodes, or a smaller --size\n",
		cmd_human(room));
	return EXIT_FAILURE;
}

static int choose_time(void)
{
	int64_t value;

	if (!arg.ms)
		return EXIT_SUCCESS;
	if (cm_parse_int(cm_slice_of(arg.ms), 1, MS_MAX, &value) < 0)
		return cmd_usage_error(&cmd_matrix, "--time=%s: not in 1..%d",
				       arg.ms, MS_MAX);
	ms = (unsigned)value;
	return EXIT_SUCCESS;
}

/* --- measuring and showing ----------------------------------------------- */

static void progress(unsigned done, unsigned all, unsigned cpu, unsigned memory)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (done == all)
		fprintf(stderr, "\r\033[K");
	else
		fprintf(stderr,
			"\r\033[K%u of %u: CPUs of node %u, memory of "
			"node %u",
			done + 1, all, cpu, memory);
}

static void measure(struct cell *cell, unsigned cpu_node, unsigned memory_node)
{
	cpu_set_t cpus;
	void *memory = measure_map(size, memory_node);

	if (!memory) {
		cell->err = errno;
		return;
	}
	cpus_of(cpu_node, &cpus);
	cell->bandwidth_mbs = measure_bandwidth(memory, size, &cpus, ms,
						&cell->threads);
	cell->latency_ns = measure_latency(memory, size, &cpus, ms);
	measure_unmap(memory, size);
}

static void print_table(const char *title, const struct cell *cells,
			bool latency)
{
	unsigned cpu, memory, i = 0;

	char column[32];

	printf("%s\n%8s", title, "CPUs of");
	cm_nodeset_for_each(memory, &memory_nodes) {
		snprintf(column, sizeof(column), "memory %u", memory);
		printf("  %10s", column);
	}
	putchar('\n');
	cm_nodeset_for_each(cpu, &cpu_nodes) {
		printf("%8u", cpu);
		cm_nodeset_for_each(memory, &memory_nodes) {
			const struct cell *cell = &cells[i++];
			double value = latency ? cell->latency_ns :
						 cell->bandwidth_mbs;

			if (value > 0)
				printf("  %10.*f", latency ? 1 : 0, value);
			else
				printf("  %10s", "-");
		}
		putchar('\n');
	}
}

static void json_value(const char *key, double value)
{
	if (value > 0)
		printf(",\"%s\":%.1f", key, value);
	else
		printf(",\"%s\":null", key);
}

static void print_json(const struct cell *cells, bool is_guest)
{
	unsigned cpu, memory, i = 0;

	printf("{\"schema\":1,\"virtual\":%s", is_guest ? "true" : "false");
	cmd_json_text("note", is_guest ? note : NULL);
	printf(",\"size\":%llu,\"time_ms\":%u,\"cpu_nodes\":",
	       (unsigned long long)size, ms);
	cmd_json_nodes(&cpu_nodes);
	printf(",\"memory_nodes\":");
	cmd_json_nodes(&memory_nodes);
	printf(",\"cells\":[");
	cm_nodeset_for_each(cpu, &cpu_nodes)
		cm_nodeset_for_each(memory, &memory_nodes) {
			const struct cell *cell = &cells[i];

			printf("%s{\"cpu_node\":%u,\"memory_node\":%u",
			       i++ ? "," : "", cpu, memory);
			json_value("read_latency_ns", cell->latency_ns);
			json_value("read_bandwidth_mbs", cell->bandwidth_mbs);
			printf(",\"threads\":%u}", cell->threads);
		}
	printf("]}\n");
}

static int measure_all(struct cell *cells, unsigned all)
{
	unsigned cpu, memory, i = 0;
	int status = EXIT_SUCCESS;

	cm_nodeset_for_each(cpu, &cpu_nodes)
		cm_nodeset_for_each(memory, &memory_nodes) {
			progress(i, all, cpu, memory);
			measure(&cells[i], cpu, memory);
			if (cells[i].err && status == EXIT_SUCCESS) {
				progress(all, all, 0, 0);
				fprintf(stderr,
					"cxlctl matrix: memory of node %u: "
					"%s%s\n",
					memory, strerror(cells[i].err),
					cells[i].err == EPERM ?
						"; mbind is refused (Docker, "
						"Podman: --cap-add SYS_NICE "
						"allows it)" :
						"");
				status = EXIT_FAILURE;
			}
			i++;
		}
	progress(all, all, 0, 0);
	return status;
}

static int run(int argc, char **argv)
{
	struct cell *cells;
	int status;
	unsigned all;
	bool is_guest = is_virtual();

	if (argc > 0)
		return cmd_usage_error(&cmd_matrix, "unexpected %s", argv[0]);
	status = choose_time();
	if (status == EXIT_SUCCESS)
		status = choose_nodes();
	if (status == EXIT_SUCCESS)
		status = choose_size();
	if (status != EXIT_SUCCESS)
		return status;
	all = cm_nodeset_weight(&cpu_nodes) * cm_nodeset_weight(&memory_nodes);
	cells = calloc(all, sizeof(*cells));
	if (!cells)
		return EXIT_FAILURE;
	status = measure_all(cells, all);
	if (arg.json) {
		print_json(cells, is_guest);
	} else {
		print_table("Latency of a read, ns", cells, true);
		print_table("\nBandwidth of reads by all CPUs, MB/s", cells,
			    false);
		printf("\nWith %s on each node, %u ms for each figure.\n",
		       cmd_human(size), ms);
		if (is_guest)
			printf("Note: %s.\n", note);
	}
	free(cells);
	return status;
}

const struct cmd cmd_matrix = {
	.name = "matrix",
	.summary = "measure latency and bandwidth between CPUs and nodes",
	.usage = "  cxlctl matrix [--json] [-s SIZE] [-n NODES] [-c NODES] "
		 "[-t MS]\n",
	.example = "  cxlctl matrix\n"
		   "  cxlctl matrix --cpus 0 --nodes 0,2 --size 1g --json\n",
	.opts = opts,
	.run = run,
};
