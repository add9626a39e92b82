/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl conf - check a configuration file; show the settings in effect */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "control/conf.h"

static struct {
	bool json;
	const char *program;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, sizes in bytes", &arg.json, NULL },
	{ "program", 'p', "NAME", "with the sections for this program", NULL,
	  &arg.program },
	{ 0 }
};

/* Messages go out as they come: as text, or as elements of an array. */
struct printer {
	FILE *to;
	unsigned nr;
};

static void print_line(void *printer, const char *text)
{
	struct printer *p = printer;

	if (!arg.json || p->to == stderr) {
		fprintf(p->to, "%s\n", text);
		return;
	}
	if (p->nr++ > 0)
		putchar(',');
	cmd_json_string(text);
}

/* Standard input, as cm_conf_parse_file does a file. */
static int parse_stdin(struct cm_settings *settings, struct cm_conf_sink *sink)
{
	static char text[CM_CONF_FILE_MAX + 1];
	size_t len = fread(text, 1, CM_CONF_FILE_MAX, stdin);

	if (ferror(stdin))
		return -EIO;
	if (len == CM_CONF_FILE_MAX)
		return -EFBIG;
	if (memchr(text, '\0', len))
		return -EINVAL;
	text[len] = '\0';
	cm_conf_parse_lines(settings, "stdin", text, sink);
	return 0;
}

static int check(const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct printer printer = { .to = stdout };
	struct cm_conf_sink sink = { .line = print_line,
				     .arg = &printer,
				     .program = arg.program,
				     .check_all = !arg.program };
	struct cm_settings settings;
	int err;

	/* for the library no file is no mistake, for a check of it it is */
	if (!is_stdin && access(path, F_OK) < 0) {
		fprintf(stderr, "cxlctl conf: %s: %s\n", path, strerror(errno));
		return EXIT_FAILURE;
	}
	cm_conf_defaults(&settings);
	if (arg.json)
		printf("{\"schema\":1,\"messages\":[");
	err = is_stdin ? parse_stdin(&settings, &sink) :
			 cm_conf_parse_file(&settings, path, &sink);
	if (arg.json)
		printf("],\"bad\":%u}\n", sink.nr_bad);
	if (err < 0 && is_stdin)
		fprintf(stderr, "cxlctl conf: stdin: %s\n", strerror(-err));
	return err < 0 || sink.nr_bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static bool is_given(const struct cm_settings *settings, unsigned id)
{
	return settings->given >> id & 1;
}

static const char *format(const struct cm_settings *settings, unsigned id)
{
	static char text[4096];
	struct cm_line line;

	cm_line_init(&line, text, sizeof(text), -1);
	cm_option_format(&line, settings, id);
	return text;
}

static void show_text(const struct cm_settings *settings)
{
	int width;

	if (settings->disable)
		printf("# disabled, the rest has no effect\n");
	if (settings->smdk)
		printf("# keys of SMDK are used, its defaults hold\n");
	for (unsigned i = 0; i < CM_NR_OPTIONS; i++) {
		width = printf("%s=%s", cm_options[i].key, format(settings, i));
		if (!is_given(settings, i))
			printf("%*s # default", width < 31 ? 31 - width : 0,
			       "");
		putchar('\n');
	}
}

/* Numbers and booleans as such, no limit as null, the rest as written. */
static void show_json_value(const struct cm_settings *settings, unsigned id)
{
	const struct cm_option *option = &cm_options[id];
	uint64_t size;

	switch (option->type) {
	case CM_OPTION_LIMIT:
		if (strchr(format(settings, id), '%')) {
			cmd_json_string(format(settings, id));
			break;
		}
		memcpy(&size, (const char *)settings + option->at,
		       sizeof(size));
		if (size == CM_NO_LIMIT)
			printf("null");
		else
			printf("%llu", (unsigned long long)size);
		break;
	case CM_OPTION_SIZE:
		memcpy(&size, (const char *)settings + option->at,
		       sizeof(size));
		printf("%llu", (unsigned long long)size);
		break;
	case CM_OPTION_UINT:
	case CM_OPTION_INT:
	case CM_OPTION_BOOL:
		printf("%s", format(settings, id));
		break;
	default:
		cmd_json_string(format(settings, id));
		break;
	}
}

static void show_json(const struct cm_settings *settings)
{
	const char *comma = "";
	unsigned i;

	printf("{\"schema\":1,\"disabled\":%s,\"smdk\":%s,\"settings\":{",
	       settings->disable ? "true" : "false",
	       settings->smdk ? "true" : "false");
	for (i = 0; i < CM_NR_OPTIONS; i++) {
		printf("%s\"%s\":", i > 0 ? "," : "", cm_options[i].key);
		show_json_value(settings, i);
	}
	printf("},\"given\":[");
	for (i = 0; i < CM_NR_OPTIONS; i++) {
		if (!is_given(settings, i))
			continue;
		printf("%s\"%s\"", comma, cm_options[i].key);
		comma = ",";
	}
	printf("]}\n");
}

static int show(void)
{
	struct printer printer = { .to = stderr };
	struct cm_conf_sink sink = { .line = print_line,
				     .arg = &printer,
				     .program = arg.program };
	struct cm_settings settings;

	cm_conf_load_to(&settings, &sink);
	if (arg.json)
		show_json(&settings);
	else
		show_text(&settings);
	if (sink.nr_bad > 0 && settings.abort_conf) {
		fprintf(stderr, "cxlctl conf: a program would be aborted: "
				"abort_conf=true\n");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
	if (argc == 0)
		return cmd_usage_error(&cmd_conf, "check or show is needed");
	if (strcmp(argv[0], "check") == 0) {
		if (argc != 2)
			return cmd_usage_error(&cmd_conf,
					       "check takes one file, or -");
		return check(argv[1]);
	}
	if (strcmp(argv[0], "show") == 0) {
		if (argc != 1)
			return cmd_usage_error(&cmd_conf,
					       "show takes no argument");
		return show();
	}
	return cmd_usage_error(&cmd_conf, "not check or show: %s", argv[0]);
}

const struct cmd cmd_conf = {
	.name = "conf",
	.summary = "check a configuration file, show the settings in effect",
	.usage = "  cxlctl conf [--json] [--program NAME] check FILE|-\n"
		 "  cxlctl conf [--json] [--program NAME] show\n",
	.example = "  cxlctl conf check /etc/cxlmalloc.conf\n"
		   "  CXLMALLOC_CONF=ddr.limit=1g cxlctl conf show\n",
	.opts = opts,
	.args = "check|show FILE",
	.run = run,
};
