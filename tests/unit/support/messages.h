/* SPDX-License-Identifier: BSD-2-Clause */
/* messages - a sink that remembers what it was told */
#ifndef CM_TEST_SUPPORT_MESSAGES_H
#define CM_TEST_SUPPORT_MESSAGES_H

#include <string.h>

#include "control/conf.h"
#include "test.h"

#define MESSAGES_MAX	32

struct messages {
	struct cm_conf_sink sink;
	unsigned nr;
	char text[MESSAGES_MAX][CM_LINE_MAX];
};

static inline void messages_take(void *arg, const char *text)
{
	struct messages *messages = arg;

	/* a message is one line that a terminal can show */
	assert_in_range(strlen(text), 1, CM_LINE_MAX - 1);
	for (const char *p = text; *p; p++)
		assert_in_range(*p, ' ', '~');
	if (messages->nr < MESSAGES_MAX)
		strcpy(messages->text[messages->nr], text);
	messages->nr++;
}

static inline void messages_init(struct messages *messages)
{
	messages->sink = (struct cm_conf_sink){ .line = messages_take,
						.arg = messages };
	messages->nr = 0;
}

/* Defaults, then text as CXLMALLOC_CONF; what was said is in messages. */
static inline struct cm_settings parse(const char *text,
				       struct messages *messages)
{
	struct cm_settings settings;

	messages_init(messages);
	cm_conf_defaults(&settings);
	cm_conf_parse_list(&settings, CM_CONF_VARIABLE, text, &messages->sink);
	return settings;
}

/* The same for a text that has nothing wrong with it. */
static inline struct cm_settings parse_clean(const char *text)
{
	struct messages messages;
	struct cm_settings settings = parse(text, &messages);

	if (messages.nr > 0)
		fail_msg("%s: %s", text, messages.text[0]);
	return settings;
}

#endif
