/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/rules.h"

#include <errno.h>
#include <string.h>

#include "policy/rule.h"

void cm_rules_format(struct cm_line *line, const struct cm_rules *rules)
{
	for (unsigned i = 0; i < rules->nr; i++) {
		const char *symbol = cm_rule_symbol(rules, i);

		cm_line_fmt(line, "%s%s%s%s:%s", i ? ";" : "",
			    cm_rule_pattern(rules, i), symbol ? "!" : "",
			    symbol ? symbol : "",
			    cm_tier_name(rules->rule[i].tier));
	}
}

static const char *const mode_word[] = {
	[CM_PROFILE_NONE] = "none",
	[CM_PROFILE_RECORD] = "record:",
	[CM_PROFILE_APPLY] = "apply:",
};

int cm_profile_set(struct cm_profile_settings *profile, struct cm_slice text,
		   size_t max)
{
	if (cm_slice_is(text, mode_word[CM_PROFILE_NONE])) {
		memset(profile, 0, sizeof(*profile));
		return 0;
	}
	for (unsigned m = CM_PROFILE_RECORD; m <= CM_PROFILE_APPLY; m++) {
		size_t len = strlen(mode_word[m]);

		if (text.len <= len || memcmp(text.at, mode_word[m], len))
			continue;
		if (text.len - len > max)
			return -ERANGE;
		memset(profile->file, 0, sizeof(profile->file));
		memcpy(profile->file, text.at + len, text.len - len);
		profile->mode = m;
		return 0;
	}
	return -EINVAL;
}

void cm_profile_format(struct cm_line *line,
		       const struct cm_profile_settings *profile)
{
	cm_line_fmt(line, "%s%s", mode_word[profile->mode], profile->file);
}

void cm_rules_expect(struct cm_line *line, enum cm_option_type type,
		     int64_t max)
{
	if (type == CM_OPTION_PROFILE)
		cm_line_fmt(line,
			    "record:FILE, apply:FILE or none, FILE of at "
			    "most %lld bytes",
			    (long long)max);
	else if (type == CM_OPTION_RULES)
		cm_line_fmt(line,
			    "[MODULE][!SYMBOL]:ddr or :cxl, globs on a "
			    "file's base name and a symbol; up to %u, "
			    "';' between them",
			    CM_MAX_RULES);
	else
		cm_line_fmt(line,
			    "NAME:ddr or :cxl, a glob on %s "
			    "name; up to %u, ';' between them",
			    type == CM_OPTION_HINTS ? "a hint's" : "a thread's",
			    CM_MAX_RULES);
}
