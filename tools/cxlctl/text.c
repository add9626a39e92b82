/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/line.h"
#include "base/nodeset.h"
#include "cmd.h"
#include "control/option.h"

/*
 * Bytes of the UTF-8 character at s; 0: it is none. Overlong forms and
 * surrogates are none (RFC 3629, section 4).
 */
static unsigned utf8_len(const unsigned char *s)
{
	unsigned len = s[0] < 0x80 ? 1 :
		       s[0] < 0xc2 ? 0 :
		       s[0] < 0xe0 ? 2 :
		       s[0] < 0xf0 ? 3 :
		       s[0] < 0xf5 ? 4 :
				     0;

	for (unsigned i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

void cmd_json_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putchar('"');
	while (*s) {
		unsigned len = utf8_len(s);

		if (!len)
			printf("\\ufffd");
		else if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if (*s < ' ' || *s == 0x7f)
			printf("\\u%04x", *s);
		else
			printf("%.*s", (int)len, (const char *)s);
		s += len ? len : 1;
	}
	putchar('"');
}

void cmd_json_number(const char *key, uint64_t value, uint64_t none)
{
	printf(",\"%s\":", key);
	if (value == none)
		printf("null");
	else
		printf("%llu", (unsigned long long)value);
}

void cmd_json_text(const char *key, const char *text)
{
	printf(",\"%s\":", key);
	if (text && *text)
		cmd_json_string(text);
	else
		printf("null");
}

void cmd_json_nodes(const struct cm_nodeset *nodes)
{
	const char *comma = "";
	unsigned node;

	putchar('[');
	cm_nodeset_for_each(node, nodes) {
		printf("%s%u", comma, node);
		comma = ",";
	}
	putchar(']');
}

static bool is_key_of(const char *key, const char *name)
{
	for (; *key && *name; key++, name++)
		if (*key != *name &&
		    !(*name == '-' && (*key == '.' || *key == '_')))
			return false;
	return *key == *name;
}

int cmd_option_of(const char *name)
{
	for (int i = 0; i < CM_NR_OPTIONS; i++)
		if (is_key_of(cm_options[i].key, name))
			return i;
	return -ENOENT;
}

const char *cmd_human(uint64_t bytes)
{
	static char texts[4][32];
	static unsigned next;
	char *text = texts[next++ % 4];
	struct cm_line line;

	cm_line_init(&line, text, sizeof(texts[0]), -1);
	cm_line_human(&line, bytes);
	return text;
}
