/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule - PATTERN:TIER, which callers or threads go to which tier
 *
 * Pure functions over a struct cm_rules (base/settings.h): the parser runs at
 * start, the matchers once per call site or when a thread's name is looked at.
 * Nothing here allocates, prints or keeps state, whatever the text.
 *
 * A pattern is a glob: '*' any text, '?' any character, "[a-z]" one of a set,
 * "[^a-z]" one that is not in it. All else stands for itself.
 */
#ifndef CM_POLICY_RULE_H
#define CM_POLICY_RULE_H

#include "base/settings.h"

enum cm_rule_kind {
	CM_RULE_SITE,		/* [MODULE][!SYMBOL]:TIER */
	CM_RULE_NAME,		/* NAME:TIER, of a thread or of data */
};

bool cm_rule_glob(const char *pattern, const char *text);

/* May it be a pattern for a base name or a symbol? */
bool cm_rule_is_glob(const char *text, size_t len);

/*
 * Later rules of the same source come behind it, and all of them ahead of the
 * rules there are: call it where a source begins.
 */
void cm_rules_begin(struct cm_rules *rules);

/*
 * cm_rules_add - take one rule, or several with ';' between them
 *
 * returns  0; -EINVAL: not a rule; -ENOSPC: more rules or longer ones than fit.
 *          The rules are then as they were. No text at all drops all rules.
 */
int cm_rules_add(struct cm_rules *rules, enum cm_rule_kind kind,
		 const char *text, size_t len);

/* The pattern of a rule: its module's, or a name's. "": any module. */
static inline const char *cm_rule_pattern(const struct cm_rules *rules,
					  unsigned i)
{
	return rules->text + rules->rule[i].pattern;
}

/* NULL: the whole module. */
static inline const char *cm_rule_symbol(const struct cm_rules *rules,
					 unsigned i)
{
	return rules->rule[i].symbol ? rules->text + rules->rule[i].symbol :
				       NULL;
}

/* The main program is known by its base name, and as "exe". */
bool cm_rule_has_module(const struct cm_rules *rules, unsigned i,
			const char *name, bool is_program);

/* Of the first rule that matches the name: its tier + 1; 0: none. */
unsigned cm_rules_name(const struct cm_rules *rules, const char *name);

/* "ddr" or "cxl": the tier + 1; 0: neither. */
unsigned cm_rule_tier(const char *text, size_t len);

#endif
