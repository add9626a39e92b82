/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMALLOC_CONF=use_auto_arena_scaling:true|false, the one key SMDK has there.
 *
 * It has no effect: how many arenas there are is libcxlmem's (arenas=), set when
 * it starts, before this is read. A value that is neither is one line.
 */
#include "smdk/smdk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *at, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(at, word, len) == 0;
}

static void check(const char *at, size_t len)
{
	static const char key[] = "use_auto_arena_scaling:";
	const size_t key_len = sizeof(key) - 1;

	if (len >= key_len && memcmp(at, key, key_len) == 0) {
		if (is(at + key_len, len - key_len, "true") ||
		    is(at + key_len, len - key_len, "false"))
			return;
		fprintf(stderr,
			"smalloc: SMALLOC_CONF: %.*s: not true or "
			"false\n",
			(int)len, at);
	} else if (len > 0) {
		fprintf(stderr,
			"smalloc: SMALLOC_CONF: %.*s: not a key "
			"(use_auto_arena_scaling)\n",
			(int)len, at);
	}
}

__attribute__((constructor)) static void conf_read(void)
{
	const char *at = secure_getenv("SMALLOC_CONF");
	size_t len;

	while (at) {
		len = strcspn(at, ",");
		check(at, len);
		at = at[len] == ',' ? at + len + 1 : NULL;
	}
}
