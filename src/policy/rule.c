/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rule.h"

#include <errno.h>
#include <string.h>

#include "base/compiler.h"

static const char *const tier_word[CM_NR_TIERS] = { "ddr", "cxl" };

unsigned cm_rule_tier(const char *text, size_t len)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (strlen(tier_word[t]) == len &&
		    memcmp(text, tier_word[t], len) == 0)
			return t + 1;
	return 0;
}

/* Behind the ']' that ends the set which begins at p, or NULL. */
static const char *set_end(const char *p)
{
	p++;
	if (*p == '^')
		p++;
	if (*p == ']')		/* the first is a member */
		p++;
	p = strchr(p, ']');
	return p ? p + 1 : NULL;
}

static bool in_set(const char *p, const char *end, unsigned char c)
{
	bool negated = *++p == '^', found = false;

	p += negated;
	for (end--; p < end; p++) {
		unsigned char from = (unsigned char)*p, to = from;

		if (p + 2 < end && p[1] == '-') {
			to = (unsigned char)p[2];
			p += 2;
		}
		found |= from <= c && c <= to;
	}
	return found != negated;
}

/* Does the pattern's first element match c? *next is behind it. */
static bool one(const char *pattern, char c, const char **next)
{
	const char *end = *pattern == '[' ? set_end(pattern) : NULL;

	*next = end ? end : pattern + 1;
	if (end)
		return in_set(pattern, end, (unsigned char)c);
	return *pattern == '?' || *pattern == c;
}

/* Only the last '*' needs another try: no more than pattern times text. */
bool cm_rule_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL, *next;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern && one(pattern, *text, &next)) {
			pattern = next;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

void cm_rules_begin(struct cm_rules *rules)
{
	rules->at = 0;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim(const char **text, size_t *len)
{
	while (*len && is_blank(**text)) {
		++*text;
		--*len;
	}
	while (*len && is_blank((*text)[*len - 1]))
		--*len;
}

/*
 * No control characters, each '[' closed. A base name and a symbol have no
 * blank and no '/', a name may.
 */
static bool is_glob(const char *text, size_t len, bool name)
{
	char copy[CM_RULE_MAX + 1];
	const char *p = copy;

	if (len > CM_RULE_MAX)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)copy[i] < ' ' || copy[i] == 127 ||
		    ((copy[i] == ' ' || copy[i] == '/') && !name))
			return false;
	while ((p = strchr(p, '['))) {
		p = set_end(p);
		if (!p)
			return false;
	}
	return true;
}

bool cm_rule_is_glob(const char *text, size_t len)
{
	return is_glob(text, len, false);
}

static uint16_t keep(struct cm_rules *rules, const char *text, size_t len)
{
	uint16_t at = rules->used;

	memcpy(rules->text + at, text, len);
	rules->text[at + len] = '\0';
	rules->used = (uint16_t)(at + len + 1);
	return at;
}

static int add_one(struct cm_rules *rules, enum cm_rule_kind kind,
		   const char *text, size_t len)
{
	const char *colon = memrchr(text, ':', len), *bang = NULL, *word;
	size_t pattern_len, symbol_len = 0, word_len;
	struct cm_rule rule = { 0 };
	unsigned tier;

	if (!colon)
		return -EINVAL;
	pattern_len = (size_t)(colon - text);
	word = colon + 1;
	word_len = len - pattern_len - 1;
	trim(&word, &word_len);
	tier = cm_rule_tier(word, word_len);
	trim(&text, &pattern_len);
	if (kind == CM_RULE_SITE)
		bang = memchr(text, '!', pattern_len);
	if (bang) {
		symbol_len = pattern_len - (size_t)(bang + 1 - text);
		pattern_len = (size_t)(bang - text);
	}
	if (!tier || (bang ? !symbol_len : !pattern_len) ||
	    !is_glob(text, pattern_len, kind == CM_RULE_NAME) ||
	    (bang && !is_glob(bang + 1, symbol_len, false)))
		return -EINVAL;
	if (rules->nr == CM_MAX_RULES ||
	    rules->used + pattern_len + symbol_len + 2 > sizeof(rules->text))
		return -ENOSPC;
	rule.tier = (uint8_t)(tier - 1);
	rule.pattern = keep(rules, text, pattern_len);
	if (bang)
		rule.symbol = keep(rules, bang + 1, symbol_len);
	memmove(&rules->rule[rules->at + 1], &rules->rule[rules->at],
		(rules->nr - rules->at) * sizeof(rule));
	rules->rule[rules->at++] = rule;
	rules->nr++;
	return 0;
}

int cm_rules_add(struct cm_rules *rules, enum cm_rule_kind kind,
		 const char *text, size_t len)
{
	struct cm_rules before = *rules;
	const char *end = text + len;
	int err = 0;

	trim(&text, &len);
	if (!len) {
		memset(rules, 0, sizeof(*rules));
		return 0;
	}
	while (!err && text < end) {
		const char *stop = memchr(text, ';', (size_t)(end - text));
		const char *part = text;
		size_t part_len = (size_t)((stop ? stop : end) - text);

		text += part_len + !!stop;
		trim(&part, &part_len);
		if (part_len)
			err = add_one(rules, kind, part, part_len);
	}
	if (err)
		*rules = before;
	return err;
}

bool cm_rule_has_module(const struct cm_rules *rules, unsigned i,
			const char *name, bool is_program)
{
	const char *pattern = cm_rule_pattern(rules, i);

	return !*pattern || cm_rule_glob(pattern, name) ||
	       (is_program && !strcmp(pattern, "exe"));
}

unsigned cm_rules_name(const struct cm_rules *rules, const char *name)
{
	for (unsigned i = 0; i < rules->nr; i++)
		if (cm_rule_glob(cm_rule_pattern(rules, i), name))
			return rules->rule[i].tier + 1U;
	return 0;
}
