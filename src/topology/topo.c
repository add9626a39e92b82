/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/compiler.h"
#include "base/line.h"
#include "base/nodeset.h"
#include "sys/file.h"
#include "topology/topo.h"

#define PATH_SIZE	256

static int read_list_in(struct cm_nodeset *set, const char *path,
			char text[CM_NODESET_TEXT_MAX])
{
	ssize_t len = cm_file_read(path, text, CM_NODESET_TEXT_MAX);

	cm_nodeset_zero(set);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	if (len <= 0 || cm_nodeset_parse(set, text, (size_t)len) < 0)
		cm_nodeset_zero(set);
	return len < 0 ? (int)len : 0;
}

static int read_list(struct cm_nodeset *set, const char *path)
{
	static char text[CM_NODESET_TEXT_MAX];	/* see topo.h: one at a time */

	return read_list_in(set, path, text);
}

static void make_path(char *path, const char *fmt, const char *sysfs,
		      const char *name)
{
	struct cm_line line;

	cm_line_init(&line, path, PATH_SIZE, -1);
	cm_line_fmt(&line, fmt, sysfs, name);
}

static bool read_number(const char *path, uint64_t *value)
{
	char text[32];
	const char *s = text;

	if (cm_file_read(path, text, sizeof(text)) <= 0)
		return false;
	if (*s < '0' || *s > '9')
		return false;
	for (*value = 0; *s >= '0' && *s <= '9'; s++)
		*value = *value * 10 + (uint64_t)(*s - '0');
	return true;
}

/* What is not CXL is DDR. */
static void rest_is_ddr(struct cm_topo *topo)
{
	topo->tier[CM_TIER_DDR] = topo->memory;
	cm_nodeset_andnot(&topo->tier[CM_TIER_DDR], &topo->tier[CM_TIER_CXL]);
}

struct walk {
	struct cm_topo *topo;
	const char *sysfs;
	uint64_t cpu_rank;	/* slowest memory tier that has CPUs */
	bool second_pass;
};

/*
 * memory_tierN: the larger N, the slower (abstract distance). The first pass
 * finds the nodes with CPUs, the second takes what is slower.
 */
static int memory_tier(const char *name, void *arg)
{
	static const char prefix[] = "memory_tier";
	struct walk *walk = arg;
	struct cm_nodeset nodes, with_cpu;
	char path[PATH_SIZE];
	uint64_t rank = 0;
	const char *s = name + sizeof(prefix) - 1;

	if (strncmp(name, prefix, sizeof(prefix) - 1) || *s < '0' || *s > '9')
		return 0;
	for (; *s >= '0' && *s <= '9'; s++)
		rank = rank * 10 + (uint64_t)(*s - '0');
	make_path(path, "%s/devices/virtual/memory_tiering/%s/nodelist",
		  walk->sysfs, name);
	(void)read_list(&nodes, path);
	cm_nodeset_and(&nodes, &walk->topo->memory);
	with_cpu = nodes;
	cm_nodeset_and(&with_cpu, &walk->topo->cpu);
	if (!walk->second_pass) {
		if (!cm_nodeset_empty(&with_cpu) && rank > walk->cpu_rank)
			walk->cpu_rank = rank;
	} else if (rank > walk->cpu_rank) {
		cm_nodeset_or(&walk->topo->tier[CM_TIER_CXL], &nodes);
	}
	return 0;
}

static bool by_memory_tiers(struct cm_topo *topo, const char *sysfs)
{
	struct walk walk = { .topo = topo, .sysfs = sysfs };
	char path[PATH_SIZE];

	make_path(path, "%s/devices/virtual/memory_tiering%s", sysfs, "");
	(void)cm_file_names(path, memory_tier, &walk);
	if (!walk.cpu_rank)
		return false;	/* no tier has CPUs: nothing to compare with */
	walk.second_pass = true;
	(void)cm_file_names(path, memory_tier, &walk);
	return !cm_nodeset_empty(&topo->tier[CM_TIER_CXL]);
}

static bool latency_of(const char *sysfs, unsigned node, uint64_t *ns)
{
	char path[PATH_SIZE];
	struct cm_line line;

	cm_line_init(&line, path, sizeof(path), -1);
	cm_line_fmt(&line,
		    "%s/devices/system/node/node%u/access0/initiators"
		    "/read_latency",
		    sysfs, node);
	return read_number(path, ns) && *ns;
}

static bool by_hmat(struct cm_topo *topo, const char *sysfs)
{
	uint64_t best = UINT64_MAX, ns;
	unsigned node;

	cm_nodeset_for_each(node, &topo->memory)
		if (cm_nodeset_test(&topo->cpu, node) &&
		    latency_of(sysfs, node, &ns) && ns < best)
			best = ns;
	if (best == UINT64_MAX)
		return false;
	cm_nodeset_for_each(node, &topo->memory)
		if (!cm_nodeset_test(&topo->cpu, node) &&
		    latency_of(sysfs, node, &ns) && ns * 10 >= best * 13)
			cm_nodeset_set(&topo->tier[CM_TIER_CXL], node);
	return !cm_nodeset_empty(&topo->tier[CM_TIER_CXL]);
}

static int dax_device(const char *name, void *arg)
{
	struct walk *walk = arg;
	char path[PATH_SIZE];
	uint64_t node;

	make_path(path, "%s/bus/dax/devices/%s/target_node", walk->sysfs, name);
	if (read_number(path, &node) && node < CM_MAX_NODES &&
	    cm_nodeset_test(&walk->topo->memory, (unsigned)node) &&
	    !cm_nodeset_test(&walk->topo->cpu, (unsigned)node))
		cm_nodeset_set(&walk->topo->tier[CM_TIER_CXL], (unsigned)node);
	return 0;
}

static bool by_dax(struct cm_topo *topo, const char *sysfs)
{
	struct walk walk = { .topo = topo, .sysfs = sysfs };
	char path[PATH_SIZE];

	make_path(path, "%s/bus/dax/devices%s", sysfs, "");
	(void)cm_file_names(path, dax_device, &walk);
	return !cm_nodeset_empty(&topo->tier[CM_TIER_CXL]);
}

static bool by_no_cpus(struct cm_topo *topo, const char *sysfs)
{
	(void)sysfs;
	topo->tier[CM_TIER_CXL] = topo->memory;
	cm_nodeset_andnot(&topo->tier[CM_TIER_CXL], &topo->cpu);
	return !cm_nodeset_empty(&topo->tier[CM_TIER_CXL]);
}

int cm_topo_memory_nodes(struct cm_nodeset *memory, const char *sysfs)
{
	char path[PATH_SIZE];

	make_path(path, "%s/devices/system/node/%s", sysfs, "has_memory");
	return read_list(memory, path);
}

int cm_topo_memory_nodes_own(struct cm_nodeset *memory, const char *sysfs)
{
	char path[PATH_SIZE], text[CM_NODESET_TEXT_MAX];

	make_path(path, "%s/devices/system/node/%s", sysfs, "has_memory");
	return read_list_in(memory, path, text);
}

void cm_topo_read(struct cm_topo *topo, const char *sysfs)
{
	static const struct {
		enum cm_topo_source source;
		bool (*ask)(struct cm_topo *, const char *);
	} sources[] = {
		{ CM_TOPO_MEMORY_TIERS, by_memory_tiers },
		{ CM_TOPO_HMAT, by_hmat },
		{ CM_TOPO_DAX, by_dax },
		{ CM_TOPO_NO_CPUS, by_no_cpus },
	};
	char path[PATH_SIZE];

	memset(topo, 0, sizeof(*topo));
	(void)cm_topo_memory_nodes(&topo->memory, sysfs);
	if (cm_nodeset_weight(&topo->memory) > 1) {
		make_path(path, "%s/devices/system/node/%s", sysfs, "has_cpu");
		(void)read_list(&topo->cpu, path);
		for (unsigned i = 0;
		     i < CM_ARRAY_SIZE(sources) && topo->source == CM_TOPO_NONE;
		     i++)
			if (sources[i].ask(topo, sysfs))
				topo->source = sources[i].source;
	}
	rest_is_ddr(topo);
}
