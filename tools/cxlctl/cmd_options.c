/* SPDX-License-Identifier: BSD-2-Clause */
/* cxlctl options - every option of a configuration, from options.def */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "control/option.h"
#include "control/smdk.h"

static struct {
	bool json;
	const char *man;
} arg;

static const struct opt opts[] = {
	{ "json", 'j', NULL, "JSON, one object", &arg.json, NULL },
	{ "man", 0, "options|states", "mdoc for cxlmalloc.conf(5)", NULL,
	  &arg.man },
	{ 0 }
};

static const struct {
	const char *initial;
	const char *help;
} texts[] = {
#define OPT(id, key, type, field, text, value, min, max, help) { text, help },
#include "control/options.def"
};

static const struct {
	const char *order, *on_full, *state, *tier, *how;
} states[] = {
#define ON_FULL_CASE(order, on_full, state, tier, how) \
	{ order, on_full, state, tier, how },
#include "control/on_full.def"
};

static const char *const type_name[] = {
	[CM_OPTION_CHOICE] = "choice", [CM_OPTION_ORDER] = "order",
	[CM_OPTION_WEIGHTS] = "weights", [CM_OPTION_LIMIT] = "size",
	[CM_OPTION_GROUPS] = "groups",	 [CM_OPTION_NODES] = "nodes",
	[CM_OPTION_UINT] = "integer",	 [CM_OPTION_INT] = "integer",
	[CM_OPTION_BOOL] = "boolean",	 [CM_OPTION_PATH] = "path",
	[CM_OPTION_SIZE] = "size",	 [CM_OPTION_SIZES] = "sizes",
	[CM_OPTION_RULES] = "rules",	 [CM_OPTION_THREADS] = "rules",
	[CM_OPTION_HINTS] = "rules",	 [CM_OPTION_PROFILE] = "profile",
};

/* One that has no name here yet is text to who reads it. */
static const char *type_of(const struct cm_option *option)
{
	const char *name = (size_t)option->type < CM_ARRAY_SIZE(type_name) ?
				   type_name[option->type] :
				   NULL;

	return name ? name : "text";
}

static const char *expect(enum cm_option_id id)
{
	static char text[CM_LINE_MAX];
	struct cm_line line;

	cm_line_init(&line, text, sizeof(text), -1);
	cm_option_expect(&line, id);
	return text;
}

/* Text filled to 80 columns, each line after indent. */
static void print_filled(const char *indent, const char *text)
{
	size_t room = 78 - strlen(indent), used = 0, word;

	while (*text) {
		word = strcspn(text, " ");
		if (used > 0 && used + 1 + word > room) {
			putchar('\n');
			used = 0;
		}
		printf("%s%.*s", used > 0 ? " " : indent, (int)word, text);
		used += word + (used > 0);
		text += word;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_text(void)
{
	const char *name;
	unsigned i;

	for (i = 0; i < CM_NR_OPTIONS; i++) {
		printf("%s=%s\n", cm_options[i].key, texts[i].initial);
		print_filled("    ", texts[i].help);
		printf("    Values: %s.\n", expect(i));
	}
	printf("\nShown with their defaults. SMDK's keys, as they are there:\n");
	for (i = 0; (name = cm_smdk_nth_key(i)); i++)
		printf("    %s\n", name);
}

static void print_json_option(unsigned id)
{
	const struct cm_option *option = &cm_options[id];
	const char *word;
	unsigned n;

	printf("{\"key\":\"%s\",\"type\":\"%s\",\"default\":", option->key,
	       type_of(option));
	cmd_json_string(texts[id].initial);
	printf(",\"allowed\":");
	cmd_json_string(expect(id));
	printf(",\"words\":[");
	for (n = 0; (word = cm_option_nth_word(id, n)); n++)
		printf("%s\"%s\"", n > 0 ? "," : "", word);
	if (option->type == CM_OPTION_UINT || option->type == CM_OPTION_INT)
		printf("],\"min\":%lld,\"max\":%lld,\"help\":",
		       (long long)option->min, (long long)option->max);
	else
		printf("],\"min\":null,\"max\":null,\"help\":");
	cmd_json_string(texts[id].help);
	putchar('}');
}

static void print_json(void)
{
	const char *name;
	unsigned i;

	printf("{\"schema\":1,\"options\":[");
	for (i = 0; i < CM_NR_OPTIONS; i++) {
		if (i > 0)
			putchar(',');
		print_json_option(i);
	}
	printf("],\"smdk_keys\":[");
	for (i = 0; (name = cm_smdk_nth_key(i)); i++)
		printf("%s\"%s\"", i > 0 ? "," : "", name);
	printf("]}\n");
}

/* mdoc wants each sentence on a line of its own, and \\- for a minus. */
static void print_mdoc(const char *text)
{
	char sentence[CM_LINE_MAX];
	struct cm_line line;

	while (*text) {
		cm_line_init(&line, sentence, sizeof(sentence), -1);
		for (; *text && !(text[0] == '.' && text[1] == ' '); text++)
			cm_line_fmt(&line, *text == '-' ? "\\-" : "%c", *text);
		if (*text) {
			cm_line_fmt(&line, ".");
			text += 2;
		}
		print_filled("", sentence);
	}
}

static void print_man_options(void)
{
	for (unsigned i = 0; i < CM_NR_OPTIONS; i++) {
		printf(".It Cm %s\n", cm_options[i].key);
		print_mdoc(texts[i].help);
		printf(".br\nValues: ");
		print_mdoc(expect(i));
		if (texts[i].initial[0])
			printf(".br\nDefault: %s\n", texts[i].initial);
		else
			printf(".br\nDefault: empty\n");
	}
}

static void print_man_states(void)
{
	for (size_t i = 0; i < CM_ARRAY_SIZE(states); i++)
		printf(".It %s Ta %s Ta %s Ta %s Ta %s\n", states[i].order,
		       states[i].state, states[i].on_full, states[i].tier,
		       states[i].how);
}

static int run(int argc, char **argv)
{
	if (argc > 0)
		return cmd_usage_error(&cmd_options, "unexpected %s", argv[0]);
	if (!arg.man) {
		if (arg.json)
			print_json();
		else
			print_text();
	} else if (strcmp(arg.man, "options") == 0) {
		print_man_options();
	} else if (strcmp(arg.man, "states") == 0) {
		print_man_states();
	} else {
		return cmd_usage_error(&cmd_options,
				       "--man is options or states");
	}
	return EXIT_SUCCESS;
}

const struct cmd cmd_options = {
	.name = "options",
	.summary = "list every option with default, values and meaning",
	.usage = "  cxlctl options [--json | --man=PART]\n",
	.example = "  cxlctl options --json | jq -r '.options[].key'\n",
	.opts = opts,
	.run = run,
};
