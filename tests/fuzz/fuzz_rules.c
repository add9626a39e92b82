/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_rules: rules by call site and by thread, and their globs
 *
 * The first byte says which kind; the text behind it is rules, a newline, and
 * a name to match.
 */
#include <string.h>

#include "fuzz.h"
#include "policy/rule.h"

static void check_rules(const struct cm_rules *rules)
{
	must(rules->nr <= CM_MAX_RULES && rules->used <= CM_RULES_TEXT);
	must(rules->at <= rules->nr);
	for (unsigned i = 0; i < rules->nr; i++) {
		must(rules->rule[i].pattern < CM_RULES_TEXT);
		must(rules->rule[i].symbol < CM_RULES_TEXT);
		must(memchr(rules->text + rules->rule[i].pattern, '\0',
			    CM_RULES_TEXT - rules->rule[i].pattern));
		must(memchr(rules->text + rules->rule[i].symbol, '\0',
			    CM_RULES_TEXT - rules->rule[i].symbol));
		must(rules->rule[i].tier <= CM_NR_TIERS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cm_rules rules, before;
	const uint8_t *end;
	enum cm_rule_kind kind;
	char *text, *name;
	size_t len;

	if (!size)
		return 0;
	kind = *data & 1 ? CM_RULE_NAME : CM_RULE_SITE;
	data++;
	size--;
	end = size ? memchr(data, '\n', size) : NULL;
	len = end ? (size_t)(end - data) : size;
	/* exactly as long as they are; the name is a string */
	text = malloc(len ? len : 1);
	name = malloc(size - len + 1);
	must(text && name);
	memcpy(text, data, len);
	memcpy(name, data + len, size - len);
	name[size - len] = '\0';
	memset(&rules, 0, sizeof(rules));
	for (int i = 0; i < 3; i++) {
		before = rules;
		if (i)
			cm_rules_begin(&rules);
		check_rules(&rules);
		before.at = rules.at;
		if (cm_rules_add(&rules, kind, text, len))
			must(memcmp(&rules, &before, sizeof(rules)) == 0);
		check_rules(&rules);
	}
	for (unsigned i = 0; i < rules.nr; i++) {
		const char *symbol = cm_rule_symbol(&rules, i);

		(void)cm_rule_glob(cm_rule_pattern(&rules, i), name);
		(void)cm_rule_has_module(&rules, i, name, *name & 1);
		if (symbol)
			(void)cm_rule_glob(symbol, name);
	}
	(void)cm_rules_name(&rules, name);
	(void)cm_rule_glob(name, name);
	free(text);
	free(name);
	return 0;
}
