/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_options: CXLMALLOC_CONF and configuration files
 *
 * Whatever the text: messages are lines a terminal can show, settings are in
 * their ranges, and what is shown of an option is read as the same again.
 */
#include <string.h>

#include "control/conf.h"
#include "fuzz.h"

static void take_line(void *arg, const char *text)
{
	(void)arg;
	must_print(text, CM_LINE_MAX - 1);
	must(*text);
}

static void check_ranges(const struct cm_settings *settings)
{
	must(settings->nr_order >= 1 && settings->nr_order <= CM_NR_TIERS);
	for (unsigned i = 0; i < settings->nr_order; i++)
		for (unsigned j = 0; j < i; j++)
			must(settings->order[i] != settings->order[j]);
	for (unsigned i = 0; i < settings->nr_order; i++)
		must(settings->order[i] < CM_NR_TIERS);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		must(settings->weight[t] <= 1000000);
		must(settings->tier[t].limit_percent <= 100);
	}
	must(settings->nr_arenas <= 256);
	must(settings->decay_ms >= -1 && settings->decay_ms <= 600000);
	must(memchr(settings->stats_file, '\0', CM_STATS_FILE_MAX));
}

/*
 * An option is a word of its own: shown, set, shown. Not an empty one, whose
 * text takes back what there was (rule) or stands for the default.
 */
static void check_option(const struct cm_settings *settings,
			 enum cm_option_id id)
{
	static char first[8192], second[8192];
	static struct cm_settings again;
	struct cm_line line;

	cm_line_init(&line, first, sizeof(first), -1);
	cm_option_format(&line, settings, id);
	must(!line.cut && strlen(first) == line.len);
	cm_conf_defaults(&again);
	if (!*first)
		return;
	must(cm_option_set(&again, id, cm_slice_of(first)) == 0);
	cm_line_init(&line, second, sizeof(second), -1);
	cm_option_format(&line, &again, id);
	must(strcmp(first, second) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cm_settings settings;
	struct cm_conf_sink sink = { .line = take_line, .program = "redis" };
	char *text;

	if (!size)
		return 0;
	/* exactly as long as it is */
	text = malloc(size);
	must(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	cm_conf_defaults(&settings);
	if (*data & 1)
		cm_conf_parse_lines(&settings, "file", text, &sink);
	else
		cm_conf_parse_list(&settings, CM_CONF_VARIABLE, text, &sink);
	/* a second source, as a file and the variable are */
	if (*data & 2)
		cm_conf_parse_list(&settings, "again", text, &sink);
	free(text);
	check_ranges(&settings);
	for (unsigned id = 0; id < CM_NR_OPTIONS; id++)
		if (settings.given >> id & 1)
			check_option(&settings, id);
	return 0;
}
