/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cxlctl weights - the kernel's weights of interleaving, and what they make
 *
 * Source: Linux Documentation/ABI/testing/sysfs-kernel-mm-mempolicy-weighted-
 * interleave. nodeN since 6.9, auto since 6.16; a weight that is written ends
 * auto.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "cmd.h"
#include "control/conf.h"
#include "control/parse.h"
#include "sys/file.h"
#include "tiers.h"
#include "topology/node.h"
#include "topology/weights.h"

#define FOLDER		"kernel/mm/mempolicy/weighted_interleave"
#define WEIGHT_MAX	255
#define PUBLISHED_MAX	1000
/* What the kernel itself starts from (mm/mempolicy.c, weightiness). */
#define WEIGHTS_SUM	32

static struct {
	bool json;
	const char *sysfs, *publish;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, one object", &arg.json, NULL },
	{ "publish", 'p', "W:W|none", "weights for policy=bandwidth, as 3:1",
	  NULL, &arg.publish },
	{ "sysfs", 0, "DIR", "a copy of /sys, of another machine", NULL,
	  &arg.sysfs },
	{ 0 }
};

static struct cm_settings settings;
static struct tiers tiers;
/* 0: not known */
static unsigned kernel_weight[CM_MAX_NODES];
static unsigned hmat_weight[CM_MAX_NODES];
static uint64_t bandwidth[CM_MAX_NODES];

static bool path_of(char path[PATH_MAX], const char *file)
{
	return snprintf(path, PATH_MAX, "%s/" FOLDER "/%s", arg.sysfs, file) <
	       PATH_MAX;
}

static const char *read_word(const char *file)
{
	static char text[32];
	char path[PATH_MAX];

	if (!path_of(path, file) || cm_file_read(path, text, sizeof(text)) <= 0)
		return "";
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static unsigned long gcd(unsigned long a, unsigned long b)
{
	while (b) {
		unsigned long rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* As the kernel brings bandwidths down to weights: shares of 32, reduced. */
static void weigh(const struct cm_nodeset *nodes)
{
	unsigned long common = 0;
	uint64_t sum = 0;
	unsigned node;

	cm_nodeset_for_each(node, nodes) {
		if (!bandwidth[node])
			return;
		sum += bandwidth[node];
	}
	cm_nodeset_for_each(node, nodes) {
		hmat_weight[node] = (unsigned)(bandwidth[node] * WEIGHTS_SUM /
					       sum);
		if (!hmat_weight[node])
			hmat_weight[node] = 1;
		common = gcd(common, hmat_weight[node]);
	}
	cm_nodeset_for_each(node, nodes)
		hmat_weight[node] /= (unsigned)common;
}

static void read_all(void)
{
	struct cm_node_speed speed;
	char file[32];
	unsigned node;

	cm_nodeset_for_each(node, &tiers.topo.memory) {
		snprintf(file, sizeof(file), "node%u", node);
		kernel_weight[node] = (unsigned)strtoul(read_word(file), NULL,
							10);
		cm_node_speed_read(arg.sysfs, node, &speed);
		bandwidth[node] = speed.read_bandwidth_mbs;
	}
	weigh(&tiers.topo.memory);
}

static const char *tier_of(unsigned node)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_nodeset_test(&tiers.of[t], node))
			return cm_tier_name((enum cm_tier)t);
	return NULL;
}

/* NULL: interleave=auto is priority */
static const char *automatic(unsigned weight[CM_NR_TIERS])
{
	unsigned node;

	if (!cm_weights_read(arg.sysfs, tiers.of, weight))
		return NULL;
	/* the kernel's count where each node has one and they are not all 1 */
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_nodeset_for_each(node, &tiers.of[t])
			if (!kernel_weight[node])
				return "hmat";
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_nodeset_for_each(node, &tiers.of[t])
			if (kernel_weight[node] != 1)
				return "kernel";
	return "hmat";
}

/*
 * A kernel in which `auto` is a macro, as it is with older C, gives the file
 * the name that it expands to (seen: 6.18).
 */
static const char *auto_file(void)
{
	return *read_word("__auto_type") ? "__auto_type" : "auto";
}

/* true, false, or NULL before 6.16 */
static const char *kernel_auto(void)
{
	const char *word = read_word(auto_file());

	return !*word ? NULL :
	       *word == '1' || *word == 'Y' || *word == 'y' || *word == 't' ?
			"true" :
			"false";
}

static bool is_supported(void)
{
	char path[PATH_MAX];

	return path_of(path, "") && access(path, F_OK) == 0;
}

static void print_json(void)
{
	unsigned weight[CM_NR_TIERS], published[CM_NR_TIERS], node;
	const char *by = automatic(weight), *on = kernel_auto(), *comma = "";

	printf("{\"schema\":1,\"supported\":%s,\"auto\":%s,\"nodes\":[",
	       is_supported() ? "true" : "false", on ? on : "null");
	cm_nodeset_for_each(node, &tiers.topo.memory) {
		printf("%s{\"node\":%u", comma, node);
		cmd_json_text("tier", tier_of(node));
		cmd_json_number("weight", kernel_weight[node], 0);
		cmd_json_number("read_bandwidth_mbs", bandwidth[node], 0);
		cmd_json_number("hmat_weight", hmat_weight[node], 0);
		putchar('}');
		comma = ",";
	}
	printf("],\"published\":");
	if (cm_weights_published(published))
		printf("{\"ddr\":%u,\"cxl\":%u}", published[CM_TIER_DDR],
		       published[CM_TIER_CXL]);
	else
		printf("null");
	printf(",\"interleave_auto\":");
	if (by)
		printf("{\"ddr\":%u,\"cxl\":%u", weight[CM_TIER_DDR],
		       weight[CM_TIER_CXL]);
	else
		printf("null}\n");
	if (by) {
		cmd_json_text("from", by);
		printf("}}\n");
	}
}

static const char *number_text(uint64_t value)
{
	static char texts[4][24];
	static unsigned next;
	char *text = texts[next++ % 4];

	if (!value)
		return "-";
	snprintf(text, sizeof(texts[0]), "%llu", (unsigned long long)value);
	return text;
}

static void print_text(void)
{
	unsigned weight[CM_NR_TIERS], published[CM_NR_TIERS], node;
	const char *by = automatic(weight), *on = kernel_auto(), *tier;

	printf("%4s  %-4s  %6s  %10s  %7s\n", "NODE", "TIER", "WEIGHT",
	       "HMAT MB/s", "BY HMAT");
	cm_nodeset_for_each(node, &tiers.topo.memory) {
		tier = tier_of(node);
		printf("%4u  %-4s  %6s  %10s  %7s\n", node, tier ? tier : "-",
		       number_text(kernel_weight[node]),
		       number_text(bandwidth[node]),
		       number_text(hmat_weight[node]));
	}
	if (!is_supported())
		printf("The kernel has no weighted interleave (Linux 6.9).\n");
	else if (on)
		printf("The kernel's weights are %s.\n",
		       *on == 't' ? "its own (auto)" : "set by hand");
	if (by)
		printf("interleave=auto is %u:%u, from %s.\n",
		       weight[CM_TIER_DDR], weight[CM_TIER_CXL],
		       *by == 'k' ? "the kernel's weights" : "HMAT");
	else if (cm_nodeset_empty(&tiers.of[CM_TIER_CXL]))
		printf("interleave=auto is priority: no node is CXL.\n");
	else
		printf("interleave=auto is priority: neither weights nor "
		       "bandwidth tell.\n");
	if (cm_weights_published(published))
		printf("Published for policy=bandwidth: %u:%u.\n",
		       published[CM_TIER_DDR], published[CM_TIER_CXL]);
}

/* --- setting ------------------------------------------------------------- */

static int put(const char *file, const char *value)
{
	char path[PATH_MAX];
	int fd, err = 0;

	if (!path_of(path, file))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int set(const char *file, const char *value)
{
	int err = put(file, value);

	if (!err)
		return EXIT_SUCCESS;
	fprintf(stderr, "cxlctl weights: %s/" FOLDER "/%s: %s%s\n", arg.sysfs,
		file, strerror(-err),
		!is_supported() ? "; the kernel has no weighted interleave "
				  "(Linux 6.9)" :
		err == -ENOENT ? "; not known to this kernel" :
		err == -ENODEV ? "; the kernel knows no bandwidth (HMAT)" :
		err == -EACCES || err == -EPERM ? "; only root may" :
						  "");
	return EXIT_FAILURE;
}

/* "1=3"; 0: not one */
static bool parse(const char *text, unsigned *node, unsigned *weight)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return false;
	value = strtoul(text, &end, 10);
	if (*end != '=' || value >= CM_MAX_NODES)
		return false;
	*node = (unsigned)value;
	if (end[1] < '0' || end[1] > '9')
		return false;
	value = strtoul(end + 1, &end, 10);
	*weight = (unsigned)value;
	return !*end && value >= 1 && value <= WEIGHT_MAX;
}

/* All are looked at before the first is set. */
static int set_all(int argc, char **argv)
{
	unsigned node, weight;
	char file[32], text[16];
	int status = EXIT_SUCCESS;

	if (argc == 1 && strcmp(argv[0], "auto") == 0)
		return set(auto_file(), "true");
	for (int i = 0; i < argc; i++) {
		if (!parse(argv[i], &node, &weight))
			return cmd_usage_error(&cmd_weights,
					       "%s: not NODE=WEIGHT with a "
					       "weight in 1..%d",
					       argv[i], WEIGHT_MAX);
		if (!cm_nodeset_test(&tiers.topo.memory, node))
			return cmd_usage_error(&cmd_weights,
					       "%s: no node %u with memory",
					       argv[i], node);
	}
	for (int i = 0; i < argc && status == EXIT_SUCCESS; i++) {
		(void)parse(argv[i], &node, &weight);
		snprintf(file, sizeof(file), "node%u", node);
		snprintf(text, sizeof(text), "%u", weight);
		status = set(file, text);
	}
	return status;
}

/* --- publishing ---------------------------------------------------------- */

/* Root's are for all, others' for their own processes; "": no place. */
static const char *published_file(void)
{
	static char path[PATH_MAX];
	const char *base = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		return CM_WEIGHTS_FILE;
	if (!base || base[0] != '/' ||
	    snprintf(path, sizeof(path), "%s/cxlmalloc/weights", base) >=
		    (int)sizeof(path))
		return "";
	return path;
}

/* The folder, and by rename: who reads sees all of it or what was before. */
static int write_published(const char *path, const unsigned *weight)
{
	char new[PATH_MAX], folder[PATH_MAX];
	int bad;
	FILE *f;

	snprintf(folder, sizeof(folder), "%.*s",
		 (int)(strrchr(path, '/') - path), path);
	if (snprintf(new, sizeof(new), "%s.%ld", path, (long)getpid()) >=
	    (int)sizeof(new))
		return -ENAMETOOLONG;
	/* whatever the umask: others read what root has published */
	if (mkdir(folder, 0755) == 0)
		(void)chmod(folder, 0755);
	else if (errno != EEXIST)
		return -errno;
	f = fopen(new, "wxe");
	if (!f)
		return -errno;
	(void)fchmod(fileno(f), 0644);
	bad = fprintf(f, "%u:%u\n", weight[CM_TIER_DDR], weight[CM_TIER_CXL]) <
	      0;
	if (fclose(f) || bad || rename(new, path) < 0) {
		int err = -errno;

		unlink(new);
		return err;
	}
	return 0;
}

static int publish(const char *text)
{
	bool none = strcmp(text, "none") == 0;
	const char *path = published_file();
	unsigned weight[CM_NR_TIERS] = { 0 };
	int err;

	if (!none &&
	    (strcmp(text, "auto") == 0 ||
	     cm_parse_weights(cm_slice_of(text), PUBLISHED_MAX, weight) < 0))
		return cmd_usage_error(&cmd_weights,
				       "--publish=%s: not DDR:CXL with weights "
				       "of 0..%d, one of them not 0, or none",
				       text, PUBLISHED_MAX);
	if (!*path) {
		fprintf(stderr, "cxlctl weights: --publish: XDG_RUNTIME_DIR is "
				"not set: no folder of yours that your "
				"processes look into\n");
		return EXIT_FAILURE;
	}
	if (none)
		err = unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	else
		err = write_published(path, weight);
	if (err)
		fprintf(stderr, "cxlctl weights: %s: %s\n", path,
			strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void say(void *data, const char *text)
{
	(void)data;
	fprintf(stderr, "cxlctl weights: %s\n", text);
}

static int run(int argc, char **argv)
{
	struct cm_conf_sink sink = { .line = say };
	int status;

	if (arg.publish && (argc > 0 || arg.sysfs))
		return cmd_usage_error(&cmd_weights, "--publish stands alone");
	if (arg.publish) {
		status = publish(arg.publish);
		if (status != EXIT_SUCCESS)
			return status;
	}
	if (!arg.sysfs)
		arg.sysfs = "/sys";
	cm_conf_load_to(&settings, &sink);
	tiers_read(&tiers, &settings, arg.sysfs);
	if (argc > 0) {
		status = set_all(argc, argv);
		if (status != EXIT_SUCCESS)
			return status;
	}
	read_all();
	(arg.json ? print_json : print_text)();
	return EXIT_SUCCESS;
}

const struct cmd cmd_weights = {
	.name = "weights",
	.summary = "show and set the kernel's weights of interleaving",
	.usage = "  cxlctl weights [--json] [--sysfs DIR]\n"
		 "  cxlctl weights NODE=WEIGHT... | auto\n"
		 "  cxlctl weights --publish DDR:CXL | none\n",
	.example = "  cxlctl weights\n"
		   "  cxlctl weights 0=3 1=1\n"
		   "  cxlctl weights --publish 3:1\n",
	.opts = opts,
	.args = "auto",
	.run = run,
};
