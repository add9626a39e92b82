/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl list - nodes, the tiers they make, CXL and DAX devices */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "cmd.h"
#include "control/conf.h"
#include "devices.h"
#include "sys/file.h"
#include "tiers.h"
#include "topology/node.h"

static struct {
	bool json;
	const char *sysfs;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, one object", &arg.json, NULL },
	{ "sysfs", 0, "DIR", "a copy of /sys, of another machine", NULL,
	  &arg.sysfs },
	{ 0 }
};

static struct cm_settings settings;
static struct tiers tiers;

/* --- what a node is ------------------------------------------------------ */

/* What told the nodes apart, as in JSON; NULL: nothing. */
static const char *source(void)
{
	static const char *const words[] = {
		[CM_TOPO_MEMORY_TIERS] = "memory_tiers",
		[CM_TOPO_HMAT] = "hmat",
		[CM_TOPO_DAX] = "dax",
		[CM_TOPO_NO_CPUS] = "no_cpus",
	};

	return words[tiers.topo.source];
}

static bool is_named(enum cm_tier t, unsigned node)
{
	return settings.tier[t].nodes_from == CM_NODES_LIST &&
	       cm_nodeset_test(&settings.tier[t].nodes, node);
}

/* The operator's word goes first, but not where it is for both tiers. */
static enum cm_tier class_of(unsigned node, const char **why)
{
	bool ddr = is_named(CM_TIER_DDR, node);
	bool cxl = is_named(CM_TIER_CXL, node);

	*why = ddr != cxl ? "operator" : source();
	if (ddr != cxl)
		return ddr ? CM_TIER_DDR : CM_TIER_CXL;
	return cm_nodeset_test(&tiers.topo.tier[CM_TIER_CXL], node) ?
		       CM_TIER_CXL :
		       CM_TIER_DDR;
}

/* One line of nodeN/FILE; "" where there is none. */
static const char *node_text(unsigned node, const char *file)
{
	static char text[CM_NODESET_TEXT_MAX];
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/devices/system/node/node%u/%s",
		     arg.sysfs, node, file) >= (int)sizeof(path) ||
	    cm_file_read(path, text, sizeof(text)) <= 0)
		return "";
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* --- JSON ---------------------------------------------------------------- */

/* "10 20" */
static void json_distances(const char *text)
{
	const char *comma = "";
	char *end;

	printf(",\"distances\":[");
	for (;; text = end, comma = ",") {
		unsigned long distance = strtoul(text, &end, 10);

		if (end == text)
			break;
		printf("%s%lu", comma, distance);
	}
	putchar(']');
}

static void json_node(unsigned node)
{
	struct cm_node_memory memory;
	struct cm_node_speed speed;
	const char *why;
	enum cm_tier t = class_of(node, &why);

	(void)cm_node_memory_read(arg.sysfs, node, &memory);
	cm_node_speed_read(arg.sysfs, node, &speed);
	printf("{\"node\":%u,\"class\":\"%s\"", node, cm_tier_name(t));
	cmd_json_text("why", why);
	cmd_json_text("cpus", node_text(node, "cpulist"));
	cmd_json_number("total", memory.total, DEVICES_NUMBER_NONE);
	cmd_json_number("free", memory.free, DEVICES_NUMBER_NONE);
	cmd_json_number("read_latency_ns", speed.read_latency_ns, 0);
	cmd_json_number("read_bandwidth_mbs", speed.read_bandwidth_mbs, 0);
	json_distances(node_text(node, "distance"));
	printf(",\"usable\":%s",
	       cm_nodeset_test(&tiers.usable, node) ? "true" : "false");
	printf(",\"drained\":%s}",
	       cm_nodeset_test(&tiers.drained, node) ? "true" : "false");
}

static const char *nodes_from(enum cm_tier t)
{
	if (cm_nodeset_empty(&tiers.of[t]))
		return "emulated";
	return settings.tier[t].nodes_from == CM_NODES_LIST &&
			       !tiers.missing[t] ?
		       "operator" :
		       "kernel";
}

static bool is_in_order(enum cm_tier t)
{
	for (unsigned i = 0; i < settings.nr_order; i++)
		if (settings.order[i] == t)
			return true;
	return false;
}

/* The groups' nodes that the tier has; then those in none. */
static void for_each_group(enum cm_tier t,
			   void (*show)(const char *name,
					const struct cm_nodeset *nodes))
{
	const struct cm_group_settings *groups = &settings.tier[t].groups;
	struct cm_nodeset rest = tiers.of[t];
	unsigned node;

	if (groups->from == CM_GROUPS_NOOP) {
		cm_nodeset_for_each(node, &tiers.of[t]) {
			struct cm_nodeset one = { { 0 } };

			cm_nodeset_set(&one, node);
			show(NULL, &one);
		}
		return;
	}
	for (unsigned i = 0; groups->from == CM_GROUPS_NAMED && i < groups->nr;
	     i++) {
		struct cm_nodeset nodes = groups->of[i].nodes;

		cm_nodeset_and(&nodes, &rest);
		cm_nodeset_andnot(&rest, &nodes);
		show(groups->of[i].name, &nodes);
	}
	if (!cm_nodeset_empty(&rest))
		show(NULL, &rest);
}

static const char *group_comma;

static void json_group(const char *name, const struct cm_nodeset *nodes)
{
	printf("%s{\"name\":", group_comma);
	group_comma = ",";
	if (name)
		cmd_json_string(name);
	else
		printf("null");
	printf(",\"nodes\":");
	cmd_json_nodes(nodes);
	putchar('}');
}

static void json_tier(enum cm_tier t)
{
	const struct cm_tier_settings *tier = &settings.tier[t];

	printf("{\"tier\":\"%s\",\"nodes\":", cm_tier_name(t));
	cmd_json_nodes(&tiers.of[t]);
	printf(",\"groups\":[");
	group_comma = "";
	for_each_group(t, json_group);
	printf("]");
	cmd_json_text("from", nodes_from(t));
	printf(",\"used\":%s", is_in_order(t) ? "true" : "false");
	cmd_json_number("limit",
			tier->limit_percent ? CM_NO_LIMIT : tier->limit,
			CM_NO_LIMIT);
	cmd_json_number("limit_percent", tier->limit_percent, 0);
	putchar('}');
}

static void json_memdev(const struct device *d)
{
	cmd_json_number("ram_size", d->size, DEVICES_NUMBER_NONE);
	cmd_json_number("pmem_size", d->pmem, DEVICES_NUMBER_NONE);
	cmd_json_number("numa_node", d->numa_node, DEVICES_NUMBER_NONE);
	cmd_json_text("serial", d->serial);
}

static void json_region(const struct device *d)
{
	cmd_json_number("size", d->size, DEVICES_NUMBER_NONE);
	cmd_json_text("mode", d->mode);
	cmd_json_number("interleave_ways", d->ways, DEVICES_NUMBER_NONE);
	cmd_json_number("interleave_granularity", d->granularity,
			DEVICES_NUMBER_NONE);
}

static void json_dax(const struct device *d)
{
	cmd_json_number("size", d->size, DEVICES_NUMBER_NONE);
	cmd_json_number("align", d->align, DEVICES_NUMBER_NONE);
	cmd_json_text("mode", d->mode);
	cmd_json_number("numa_node", d->numa_node, DEVICES_NUMBER_NONE);
	cmd_json_number("target_node", d->target_node, DEVICES_NUMBER_NONE);
}

static void json_devices(const char *key, const struct devices *devices,
			 void (*fields)(const struct device *))
{
	printf(",\"%s\":[", key);
	for (unsigned i = 0; i < devices->nr; i++) {
		printf("%s{\"name\":", i ? "," : "");
		cmd_json_string(devices->list[i].name);
		fields(&devices->list[i]);
		putchar('}');
	}
	putchar(']');
}

/* --- text ---------------------------------------------------------------- */

static const char *text_of(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* Good for four calls. */
static const char *text_of(const char *fmt, ...)
{
	static char texts[4][64];
	static unsigned next;
	char *text = texts[next++ % 4];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(texts[0]), fmt, ap);
	va_end(ap);
	return text;
}

static const char *size_text(uint64_t bytes)
{
	return bytes == DEVICES_NUMBER_NONE ? "-" : cmd_human(bytes);
}

static const char *number_text(uint64_t value, uint64_t none, const char *unit)
{
	return value == none ?
		       "-" :
		       text_of("%llu%s", (unsigned long long)value, unit);
}

static void text_node(unsigned node)
{
	struct cm_node_memory memory;
	struct cm_node_speed speed;
	const char *why, *cpus = node_text(node, "cpulist");
	enum cm_tier t = class_of(node, &why);

	(void)cm_node_memory_read(arg.sysfs, node, &memory);
	cm_node_speed_read(arg.sysfs, node, &speed);
	printf("%4u  %-5s  %-12s  %-7s  %10s  %10s  %7s  %11s%s\n", node,
	       cm_tier_name(t), why ? why : "-", *cpus ? cpus : "-",
	       cmd_human(memory.total), cmd_human(memory.free),
	       number_text(speed.read_latency_ns, 0, " ns"),
	       number_text(speed.read_bandwidth_mbs, 0, " MB/s"),
	       cm_nodeset_test(&tiers.usable, node)  ? "" :
	       cm_nodeset_test(&tiers.drained, node) ? "  drained" :
						       "  not allowed");
}

/* "near=2", "rest=3", and nothing where each is by itself */
static void text_group(const char *name, const struct cm_nodeset *nodes)
{
	char text[CM_NODESET_TEXT_MAX];

	(void)cm_nodeset_format(nodes, text, sizeof(text));
	printf("  %s%s%s", name ? name : "", name ? "=" : "", text);
}

static void text_tier(enum cm_tier t)
{
	const struct cm_tier_settings *tier = &settings.tier[t];
	char nodes[CM_NODESET_TEXT_MAX];

	(void)cm_nodeset_format(&tiers.of[t], nodes, sizeof(nodes));
	printf("%-4s  %-9s  %-12s  %s%s\n", cm_tier_name(t),
	       *nodes ? nodes : "-", nodes_from(t),
	       tier->limit_percent ? text_of("%u%%", tier->limit_percent) :
	       tier->limit == CM_NO_LIMIT ? "none" :
					    cmd_human(tier->limit),
	       is_in_order(t) ? "" : "  not in order");
	if (tier->groups.from == CM_GROUPS_NOOP || !*nodes)
		return;
	printf("      groups:");
	for_each_group(t, text_group);
	putchar('\n');
}

static void text_devices(const struct devices *memdevs,
			 const struct devices *regions,
			 const struct devices *dax)
{
	if (memdevs->nr + regions->nr + dax->nr == 0) {
		printf("\nNo CXL or DAX devices.\n");
		return;
	}
	printf("\n%-10s  %10s  %-10s  %4s\n", "DEVICE", "SIZE", "MODE", "NODE");
	for (unsigned i = 0; i < memdevs->nr; i++) {
		const struct device *d = &memdevs->list[i];
		bool pmem = d->pmem && d->pmem != DEVICES_NUMBER_NONE;

		printf("%-10s  %10s  %-10s  %4s\n", d->name,
		       size_text(pmem && !d->size ? d->pmem : d->size),
		       pmem ? d->size ? "ram, pmem" : "pmem" : "ram",
		       number_text(d->numa_node, DEVICES_NUMBER_NONE, ""));
	}
	for (unsigned i = 0; i < regions->nr; i++) {
		const struct device *d = &regions->list[i];

		printf("%-10s  %10s  %-10s  %4s\n", d->name, size_text(d->size),
		       d->mode[0] ? d->mode : "-", "-");
	}
	for (unsigned i = 0; i < dax->nr; i++) {
		const struct device *d = &dax->list[i];

		printf("%-10s  %10s  %-10s  %4s\n", d->name, size_text(d->size),
		       d->mode,
		       number_text(d->target_node, DEVICES_NUMBER_NONE, ""));
	}
}

static void print_order(const char *quote, const char *between)
{
	for (unsigned i = 0; i < settings.nr_order; i++)
		printf("%s%s%s%s", i ? between : "", quote,
		       cm_tier_name(settings.order[i]), quote);
}

/* --- the command --------------------------------------------------------- */

static void print_text(const struct devices *memdevs,
		       const struct devices *regions, const struct devices *dax)
{
	unsigned node;

	printf("%4s  %-5s  %-12s  %-7s  %10s  %10s  %7s  %11s\n", "NODE",
	       "CLASS", "BY", "CPUS", "TOTAL", "FREE", "LATENCY", "BANDWIDTH");
	cm_nodeset_for_each(node, &tiers.topo.memory)
		text_node(node);
	printf("\n%-4s  %-9s  %-12s  %s\n", "TIER", "NODES", "FROM", "LIMIT");
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		text_tier((enum cm_tier)t);
	printf("order=");
	print_order("", ":");
	putchar('\n');
	text_devices(memdevs, regions, dax);
}

static void print_json(const struct devices *memdevs,
		       const struct devices *regions, const struct devices *dax)
{
	const char *comma = "";
	unsigned node;

	printf("{\"schema\":1");
	cmd_json_text("class_by", source());
	printf(",\"nodes\":[");
	cm_nodeset_for_each(node, &tiers.topo.memory) {
		printf("%s", comma);
		json_node(node);
		comma = ",";
	}
	printf("],\"tiers\":[");
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		printf("%s", t ? "," : "");
		json_tier((enum cm_tier)t);
	}
	printf("],\"order\":[");
	print_order("\"", ",");
	putchar(']');
	json_devices("memdevs", memdevs, json_memdev);
	json_devices("regions", regions, json_region);
	json_devices("dax", dax, json_dax);
	printf("}\n");
}

static void say(void *data, const char *text)
{
	(void)data;
	fprintf(stderr, "cxlctl list: %s\n", text);
}

static int run(int argc, char **argv)
{
	static struct devices memdevs, regions, dax;
	struct cm_conf_sink sink = { .line = say };

	if (argc > 0)
		return cmd_usage_error(&cmd_list, "unexpected %s", argv[0]);
	if (!arg.sysfs)
		arg.sysfs = "/sys";
	cm_conf_load_to(&settings, &sink);
	tiers_read(&tiers, &settings, arg.sysfs);
	if (cm_nodeset_empty(&tiers.topo.memory)) {
		fprintf(stderr,
			"cxlctl list: no nodes in %s/devices/system/node: "
			"a kernel without NUMA, or no sysfs there\n",
			arg.sysfs);
		return EXIT_FAILURE;
	}
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (tiers.missing[t])
			fprintf(stderr,
				"cxlctl list: %s.nodes: no memory there that "
				"a program may use, using auto\n",
				cm_tier_name((enum cm_tier)t));
	devices_memdevs(&memdevs, arg.sysfs);
	devices_regions(&regions, arg.sysfs);
	devices_dax(&dax, arg.sysfs);
	(arg.json ? print_json : print_text)(&memdevs, &regions, &dax);
	return EXIT_SUCCESS;
}

const struct cmd cmd_list = {
	.name = "list",
	.summary = "show nodes, the tiers they make, CXL and DAX devices",
	.usage = "  cxlctl list [--json] [--sysfs DIR]\n",
	.example = "  cxlctl list\n"
		   "  CXLMALLOC_CONF=cxl.nodes=2 cxlctl list --json | "
		   "jq '.tiers'\n",
	.opts = opts,
	.run = run,
};
