/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cxlctl run - start a program under the library
 *
 * Nothing stays of cxlctl: the environment and the kernel's memory policy go
 * through exec, so signals, job control and the exit status are the
 * program's own.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "control/conf.h"
#include "isolate.h"
#include "run.h"
#include "topology/cgroup.h"

#define LIBRARY	"libcxlmalloc.so.0"
/* Any version of it, and libcxlmalloc.so itself: two cannot share a process. */
#define LIBRARY_STEM	"libcxlmalloc.so"

/*
 * What a process has beside the tiers' blocks: text, stacks, page tables, the
 * allocator's own data. Without it the group's limit would be met first, and
 * the kernel would kill where the library has a full tier.
 */
#define BESIDE_SHARE	16
#define BESIDE_LEAST	(32 * MIB)

static struct {
	bool no_preload, all_memory, isolate;
	const char *library;
	char *conf;		/* the command line's, as CXLMALLOC_CONF */
	struct cm_settings settings;	/* the same, and nothing else */
} arg;

/* An option without a place for its value is the key of that name: take(). */
static const struct opt opts[] = {
	{ "policy", 0, "P", "how an allocation's tier is chosen", NULL, NULL },
	{ "order", 0, "O", "tiers in use, best first: cxl:ddr", NULL, NULL },
	{ "ddr-limit", 0, "SIZE", "bytes the DDR tier may hold: 2g, 50%", NULL,
	  NULL },
	{ "cxl-limit", 0, "SIZE", "bytes the CXL tier may hold", NULL, NULL },
	{ "interleave", 0, "W:W", "weights of DDR and CXL: 3:1", NULL, NULL },
	{ "on-full", 0, "F", "when all are full: spill, fail, ...", NULL,
	  NULL },
	{ "option", 'o', "KEY=VALUE", "any key of cxlctl options", NULL, NULL },
	{ "all-memory", 0, NULL,
	  "the kernel's memory policy too: stacks, static programs",
	  &arg.all_memory, NULL },
	{ "no-preload", 0, NULL, "that policy alone, without the library",
	  &arg.no_preload, NULL },
	{ "isolate", 0, NULL, "in a cgroup with the tiers' nodes and limits",
	  &arg.isolate, NULL },
	{ "library", 0, "FILE", "this " LIBRARY, NULL, &arg.library },
	{ 0 }
};

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0) {
		fprintf(stderr, "cxlctl run: out of memory\n");
		exit(EXIT_FAILURE);
	}
	va_end(ap);
	return text;
}

/*
 * The library's line about a bad setting, without what it would use instead:
 * here nothing runs. A note is left to the library, which says it again.
 */
static void say_bad(void *data, const char *text)
{
	const struct cm_conf_sink *sink = data;
	const char *end = strstr(text, ", using "), *next;

	if (sink->nr_bad == 0)
		return;
	while (end && (next = strstr(end + 1, ", using ")))
		end = next;
	if (!end)
		end = strstr(text, ", ignored");
	fprintf(stderr, "%.*s%s\n", end ? (int)(end - text) : INT_MAX, text,
		strstr(text, "unknown key") ? " (cxlctl options lists them)" :
					      "");
}

/* CXLMALLOC_CONF has no quotes: the setting must come out as it went in. */
static bool is_one_setting(const char *text)
{
	struct cm_token token;
	const char *at = text;
	bool whole = cm_parse_list(&token, &at) &&
		     token.whole.len == strlen(text);

	return whole && !cm_parse_list(&token, &at);
}

static int take(const struct opt *opt, const char *value)
{
	struct cm_conf_sink sink = { .line = say_bad, .arg = &sink };
	int id = cmd_option_of(opt->name);
	const char *key = NULL;
	char *text, *joined;

	if (id >= 0)
		key = cm_options[id].key;
	text = key ? format("%s=%s", key, value) : format("%s", value);
	if (!is_one_setting(text)) {
		char buf[CM_LINE_MAX];
		struct cm_line line;

		cm_line_init(&line, buf, sizeof(buf), -1);
		cm_line_quote(&line, text, strlen(text));
		fprintf(stderr,
			"cxlctl run: %s: not one key=value without commas and "
			"blanks around it\n",
			buf);
		free(text);
		return EXIT_USAGE;
	}
	if (!arg.conf)
		cm_conf_defaults(&arg.settings);
	cm_conf_parse_list(&arg.settings, "cxlctl run", text, &sink);
	joined = format("%s%s%s", arg.conf ? arg.conf : "", arg.conf ? "," : "",
			text);
	free(text);
	free(arg.conf);
	arg.conf = joined;
	return sink.nr_bad > 0 ? EXIT_USAGE : 0;
}

static bool is_given(enum cm_option_id id)
{
	return arg.settings.given >> id & 1;
}

/* Behind what the environment has, so that the command line wins. */
static void set_conf(void)
{
	const char *before = getenv(CM_CONF_VARIABLE);
	bool some = before && *before;
	char *text;

	if (!arg.conf)
		return;
	/* weights imply the policy only where no source names another */
	text = format("%s%s%s%s", some ? before : "", some ? "," : "", arg.conf,
		      is_given(CM_OPT_INTERLEAVE) && !is_given(CM_OPT_POLICY) ?
			      ",policy=interleave" :
			      "");
	setenv(CM_CONF_VARIABLE, text, 1);
	free(text);
}

/* The path becomes that of the folder it is in. */
static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/*
 * The library of this cxlctl: of its build tree, else of the tree it was
 * moved with, else as it was installed. NULL: in none of them, said.
 */
static char *find_library(void)
{
	char self[PATH_MAX], *place[3];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *found = NULL;

	self[len > 0 ? len : 0] = '\0';
	cut_last(self);
	place[0] = format("%s/.libs", self);
	cut_last(self);
	place[1] = format("%s/lib", self);
	place[2] = format("%s", CXLCTL_LIBDIR);
	for (unsigned i = 0; !found && i < 3; i++) {
		found = format("%s/" LIBRARY, place[i]);
		if (access(found, R_OK) == 0)
			break;
		free(found);
		found = NULL;
	}
	if (!found)
		fprintf(stderr,
			"cxlctl run: no " LIBRARY " in %s, %s or %s: use "
			"--library\n",
			place[0], place[1], place[2]);
	for (unsigned i = 0; i < 3; i++)
		free(place[i]);
	return found;
}

static bool is_library(const char *path, size_t len)
{
	const char *base = memrchr(path, '/', len);

	base = base ? base + 1 : path;
	return len - (size_t)(base - path) >= strlen(LIBRARY_STEM) &&
	       strncmp(base, LIBRARY_STEM, strlen(LIBRARY_STEM)) == 0;
}

/* The library, then what LD_PRELOAD has but for copies of the library. */
static void set_preload(const char *library)
{
	const char *at = getenv("LD_PRELOAD");
	char *text = format("%s", library), *joined;

	while (at && *at) {
		size_t len = strcspn(at, ": ");	/* ld.so(8) */

		if (len > 0 && !is_library(at, len)) {
			joined = format("%s:%.*s", text, (int)len, at);
			free(text);
			text = joined;
		}
		at += len + (at[len] != '\0');
	}
	setenv("LD_PRELOAD", text, 1);
	free(text);
}

static int preload(void)
{
	char *library = arg.library ? realpath(arg.library, NULL) :
				      find_library();
	const char *why;

	if (!library && arg.library)
		fprintf(stderr, "cxlctl run: %s: %s\n", arg.library,
			strerror(errno));
	if (!library)
		return EXIT_FAILURE;
	why = run_not_a_library(library);
	/* the loader would say so for each program, and run it without */
	if (!why && strpbrk(library, ": "))
		why = "a blank or ':' in the path, which LD_PRELOAD cannot have";
	if (why)
		fprintf(stderr, "cxlctl run: %s: %s\n", library, why);
	else
		set_preload(library);
	free(library);
	return why ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void say_source(void *data, const char *text)
{
	(void)data;
	/* the library says it, where there is one */
	if (arg.no_preload)
		fprintf(stderr, "cxlctl run: %s\n", text);
}

static void warn(const char *command, bool policy_set)
{
	static const char *const why[] = {
		[RUN_STATIC] = "a static program: the library is not loaded "
			       "into it, but into dynamic ones it starts",
		[RUN_FOREIGN] = "for another word size or machine: the library "
				"is not loaded into it",
		[RUN_SECURE] = "set-user-ID, set-group-ID or has file "
			       "capabilities: the library is not loaded into "
			       "it or what it starts",
	};
	const char *program;
	enum run_reach reach = run_reach_of(command, &program);

	if (reach == RUN_LOADS)
		return;
	fprintf(stderr, "cxlctl run: warning: %s is %s; %s\n", program,
		why[reach],
		policy_set ? "the kernel memory policy holds for it" :
		arg.all_memory ? "nothing places its memory" :
				 "--all-memory places its memory");
}

/*
 * What the group may hold: the tiers' limits together. CM_NO_LIMIT where a
 * tier in use has none.
 */
static uint64_t memory_max(const struct cm_settings *settings)
{
	uint64_t sum = 0, machine = 0, beside;

	for (unsigned i = 0; i < settings->nr_order; i++) {
		const struct cm_tier_settings *tier =
			&settings->tier[settings->order[i]];
		uint64_t limit = tier->limit;

		if (tier->limit_percent) {
			if (!machine && cm_cgroup_memory("/proc", &machine))
				return CM_NO_LIMIT;
			limit = machine / 100 * tier->limit_percent;
		}
		if (limit >= CM_NO_LIMIT - sum)
			return CM_NO_LIMIT;
		sum += limit;
	}
	beside = sum / BESIDE_SHARE;
	if (beside < BESIDE_LEAST)
		beside = BESIDE_LEAST;
	return arg.no_preload ? sum : sum + beside;
}

static int make_group(struct isolate *group, const struct cm_settings *settings)
{
	uint64_t max = memory_max(settings);
	struct cm_nodeset nodes;

	if (arg.no_preload && max == CM_NO_LIMIT &&
	    (is_given(CM_OPT_DDR_LIMIT) || is_given(CM_OPT_CXL_LIMIT)))
		return cmd_usage_error(
			&cmd_run, "a cgroup has one limit: with --no-preload "
				  "each tier in use needs one, or none");
	if (run_tier_nodes(settings, &nodes) < 0 ||
	    isolate_begin(group, "/proc", &nodes, max) < 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

static int check_usage(int argc)
{
	if (argc == 0)
		return cmd_usage_error(&cmd_run, "a command is needed");
	if (arg.no_preload && arg.library)
		return cmd_usage_error(&cmd_run,
				       "--library or --no-preload, not both");
	if (arg.no_preload && !arg.isolate &&
	    (is_given(CM_OPT_DDR_LIMIT) || is_given(CM_OPT_CXL_LIMIT)))
		return cmd_usage_error(
			&cmd_run, "a limit needs the library, or --isolate: "
				  "the kernel's memory policy has none");
	return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	struct cm_conf_sink sink = { .line = say_source };
	static struct isolate group;
	struct cm_settings settings;
	int policy = 0, status = check_usage(argc);

	if (status != EXIT_SUCCESS)
		return status;
	set_conf();
	if (!arg.no_preload) {
		status = preload();
		if (status != EXIT_SUCCESS)
			return status;
	}
	cm_conf_load_to(&settings, &sink);
	if (arg.isolate) {
		status = make_group(&group, &settings);
		if (status != EXIT_SUCCESS)
			return status;
	}
	if (arg.no_preload || arg.all_memory)
		policy = run_set_memory_policy(&settings);
	if (policy < 0) {
		if (arg.isolate)
			(void)isolate_end(&group, false);
		return EXIT_FAILURE;
	}
	if (!arg.no_preload)
		warn(argv[0], policy > 0);
	return arg.isolate ? run_in_group(&group, argv) : run_exec(argv);
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "start a program under the library",
	.usage = "  cxlctl run [OPTION]... [--] COMMAND [ARGUMENT]...\n",
	.example =
		"  cxlctl run --order cxl:ddr --cxl-limit 4g -- redis-server\n"
		"  cxlctl run --no-preload --order cxl -- ./static-program\n"
		"  cxlctl run --isolate --order cxl --cxl-limit 8g -- make\n",
	.opts = opts,
	.args = "COMMAND",
	.take = take,
	.stops_at_argument = true,
	.run = run,
};
