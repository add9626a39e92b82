/* SPDX-License-Identifier: BSD-2-Clause */
#include "live_form.h"

#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "control/option.h"

/* The next setting of conf that is an option's first; its id, or -1: none. */
static int next_setting(const char **conf, uint64_t *seen,
			struct cm_token *token)
{
	while (cm_parse_list(token, conf)) {
		int id = token->separator ? cm_option_find(token->key) : -1;

		if (id < 0 || *seen >> id & 1)
			continue;
		*seen |= UINT64_C(1) << id;
		return id;
	}
	return -1;
}

void live_print_settings(const char *conf)
{
	struct cm_token token;
	uint64_t seen = 0;
	int id;

	while ((id = next_setting(&conf, &seen, &token)) >= 0)
		printf("%s=%.*s\n", cm_options[id].key, (int)token.value.len,
		       token.value.at);
}

void live_json_settings(const char *conf)
{
	char text[CM_PAGE_CONF + 1];
	struct cm_token token;
	uint64_t seen = 0;
	const char *comma = "";
	struct cm_line line;
	int id;

	printf("{");
	while ((id = next_setting(&conf, &seen, &token)) >= 0) {
		cm_line_init(&line, text, sizeof(text), -1);
		cm_line_put(&line, token.value.at, token.value.len);
		printf("%s\"%s\":", comma, cm_options[id].key);
		cmd_json_string(text);
		comma = ",";
	}
	printf("}");
}

bool live_setting(const char *conf, const char *key, struct cm_line *value)
{
	struct cm_token token;

	while (cm_parse_list(&token, &conf)) {
		if (!token.separator || !cm_slice_is(token.key, key))
			continue;
		cm_line_put(value, token.value.at, token.value.len);
		return true;
	}
	return false;
}

void live_policy(const struct cm_page_view *view, struct cm_line *line)
{
	size_t start = line->len;

	if (view->state != CM_STATE_TIERED) {
		cm_line_fmt(line, "-");
		return;
	}
	if (!live_setting(view->conf, "policy", line)) {
		cm_line_fmt(line, "?");
		return;
	}
	if (strcmp(line->buf + start, "priority") == 0) {
		cm_line_fmt(line, " ");
		(void)live_setting(view->conf, "order", line);
	} else if (strcmp(line->buf + start, "interleave") == 0) {
		cm_line_fmt(line, " ");
		(void)live_setting(view->conf, "interleave", line);
	}
}

void live_json_limit(uint64_t limit)
{
	if (limit == CM_NO_LIMIT)
		printf("null");
	else
		printf("%llu", (unsigned long long)limit);
}
