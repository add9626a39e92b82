/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/option.h"

#include <errno.h>
#include <string.h>

#include "base/nodeset.h"
#include "control/rules.h"
#include "policy/rule.h"

const struct cm_option cm_options[CM_NR_OPTIONS] = {
#define OPT(id, key, type, field, text, value, min, max, help)		\
	{ key, CM_OPTION_##type, offsetof(struct cm_settings, field), min, \
	  max },
#include "control/options.def"
};

static const struct {
	enum cm_option_id id;
	int value;
	char word[12];
} words[] = {
#define WORD(id, value, word) { CM_OPT_##id, value, word },
#include "control/options.def"
};

_Static_assert(CM_NR_OPTIONS <= 64, "given in struct cm_settings is full");

#define CM_DEFAULT_ORDER \
	{ \
		CM_TIER_DDR, CM_TIER_CXL \
	}

#define CM_DEFAULT_PROFILE \
	{ \
		.mode = CM_PROFILE_NONE \
	}

#define CM_DEFAULT_RULES \
	{ \
		.nr = 0 \
	}

#define CM_DEFAULT_WEIGHTS \
	{ \
		0, 0 \
	}

#define CM_DEFAULT_SIZES \
	{ \
		1, { 64 * KIB }, \
		{ \
			CM_TIER_DDR, CM_TIER_CXL \
		} \
	}

static const struct cm_settings defaults = {
	.nr_order = 2,
#define OPT(id, key, type, field, text, value, min, max, help) .field = value,
#include "control/options.def"
};

void cm_option_defaults(struct cm_settings *settings)
{
	*settings = defaults;
}

int cm_option_find(struct cm_slice key)
{
	for (int id = 0; id < CM_NR_OPTIONS; id++)
		if (cm_slice_is(key, cm_options[id].key))
			return id;
	return -ENOENT;
}

const char *cm_option_nth_word(enum cm_option_id id, unsigned n)
{
	for (size_t i = 0; i < CM_ARRAY_SIZE(words); i++)
		if (words[i].id == id && n-- == 0)
			return words[i].word;
	return NULL;
}

const char *cm_option_word(enum cm_option_id id, int value)
{
	for (size_t i = 0; i < CM_ARRAY_SIZE(words); i++)
		if (words[i].id == id && words[i].value == value)
			return words[i].word;
	return "?";
}

static int word_value(enum cm_option_id id, struct cm_slice text, int *value)
{
	for (size_t i = 0; i < CM_ARRAY_SIZE(words); i++) {
		if (words[i].id == id && cm_slice_is(text, words[i].word)) {
			*value = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_nodes(void *field, enum cm_option_id id, struct cm_slice text)
{
	struct cm_tier_settings *tier = cm_container_of(
		field, struct cm_tier_settings, nodes_from);
	struct cm_nodeset nodes;
	int value, err;

	if (word_value(id, text, &value) == 0) {
		tier->nodes_from = (enum cm_nodes_from)value;
		cm_nodeset_zero(&tier->nodes);
		return 0;
	}
	err = cm_nodeset_parse(&nodes, text.at, text.len);
	if (err < 0)
		return err;
	if (cm_nodeset_empty(&nodes))
		return -EINVAL;
	tier->nodes_from = CM_NODES_LIST;
	tier->nodes = nodes;
	return 0;
}

static int set_limit(void *field, struct cm_slice text)
{
	struct cm_tier_settings *tier = cm_container_of(
		field, struct cm_tier_settings, limit);
	int64_t percent = 0;
	int err;

	if (text.len > 0 && text.at[text.len - 1] == '%') {
		text.len--;
		err = cm_parse_int(text, 1, 100, &percent);
		if (err == 0)
			tier->limit = CM_NO_LIMIT;
		else
			err = -EINVAL;	/* no number of it would be too large */
	} else {
		err = cm_parse_size(text, &tier->limit);
	}
	if (err == 0)
		tier->limit_percent = (unsigned)percent;
	return err;
}

static int set_size(void *field, const struct cm_option *option,
		    struct cm_slice text)
{
	uint64_t size;
	int err = cm_parse_size(text, &size);

	if (err)
		return err;
	if (size == CM_NO_LIMIT)	/* "none" */
		return -EINVAL;
	if (size < (uint64_t)option->min || size > (uint64_t)option->max)
		return -ERANGE;
	memcpy(field, &size, sizeof(size));
	return 0;
}

/* Of tiers, or of nodes, whose tiers are known when the library starts. */
static int set_weights(struct cm_settings *settings,
		       const struct cm_option *option, struct cm_slice text)
{
	struct cm_node_weights nodes = { .nr = 0 };
	int err;

	if (memchr(text.at, '=', text.len)) {
		err = cm_parse_node_weights(text, option->max, &nodes);
		if (err == 0)
			memset(settings->weight, 0, sizeof(settings->weight));
	} else {
		err = cm_parse_weights(text, option->max, settings->weight);
	}
	if (err == 0)
		settings->node_weight = nodes;
	return err;
}

static int set_path(char *field, size_t max, struct cm_slice text)
{
	if (text.len > max)
		return -ERANGE;
	memcpy(field, text.at, text.len);
	field[text.len] = '\0';
	return 0;
}

static int set_field(struct cm_settings *settings, enum cm_option_id id,
		     struct cm_slice text)
{
	const struct cm_option *option = &cm_options[id];
	void *field = (char *)settings + option->at;
	int64_t number;
	int value, err;

	switch (option->type) {
	case CM_OPTION_CHOICE:
		err = word_value(id, text, &value);
		if (err == 0)
			memcpy(field, &value, sizeof(value));
		return err;
	case CM_OPTION_ORDER:
		return cm_parse_order(text, settings->order,
				      &settings->nr_order);
	case CM_OPTION_WEIGHTS:
		err = set_weights(settings, option, text);
		if (err == 0 && !(settings->given >> CM_OPT_POLICY & 1))
			settings->policy = CM_POLICY_INTERLEAVE;
		return err;
	case CM_OPTION_SIZES:
		err = cm_parse_sizes(text, &settings->sizes);
		if (err == 0 && !(settings->given >> CM_OPT_POLICY & 1))
			settings->policy = CM_POLICY_SIZE;
		return err;
	case CM_OPTION_LIMIT:
		return set_limit(field, text);
	case CM_OPTION_GROUPS:
		return cm_parse_groups(text, field);
	case CM_OPTION_NODES:
		return set_nodes(field, id, text);
	case CM_OPTION_SIZE:
		return set_size(field, option, text);
	case CM_OPTION_UINT:
		err = cm_parse_int(text, option->min, option->max, &number);
		if (err == 0)
			*(unsigned *)field = (unsigned)number;
		return err;
	case CM_OPTION_INT:
		return cm_parse_int(text, option->min, option->max, field);
	case CM_OPTION_BOOL:
		return cm_parse_bool(text, field);
	case CM_OPTION_PATH:
		return set_path(field, (size_t)option->max, text);
	case CM_OPTION_RULES:
		return cm_rules_add(field, CM_RULE_SITE, text.at, text.len);
	case CM_OPTION_THREADS:
	case CM_OPTION_HINTS:
		return cm_rules_add(field, CM_RULE_NAME, text.at, text.len);
	case CM_OPTION_PROFILE:
		return cm_profile_set(field, text, (size_t)option->max);
	}
	return -EINVAL;
}

int cm_option_set(struct cm_settings *settings, enum cm_option_id id,
		  struct cm_slice text)
{
	int err = set_field(settings, id, text);

	if (err < 0)
		return err;
	settings->given |= UINT64_C(1) << id;
	settings->given_smdk &= ~(UINT64_C(1) << id);
	return 0;
}

static void format_size(struct cm_line *line, uint64_t size)
{
	static const char unit[] = "\0kmgt";
	unsigned at = 0;

	if (size == CM_NO_LIMIT) {
		cm_line_fmt(line, "none");
		return;
	}
	while (size > 0 && size % 1024 == 0 && at < 4) {
		size /= 1024;
		at++;
	}
	cm_line_fmt(line, "%llu%.*s", (unsigned long long)size, at > 0,
		    unit + at);
}

static void format_weights(struct cm_line *line,
			   const struct cm_settings *settings)
{
	const struct cm_node_weights *nodes = &settings->node_weight;
	const unsigned *weight = settings->weight;
	unsigned sum = 0;

	for (unsigned i = 0; i < nodes->nr; i++)
		cm_line_fmt(line, "%s%u=%u", i ? "," : "", nodes->of[i].node,
			    nodes->of[i].weight);
	if (nodes->nr)
		return;
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		sum += weight[t];
	if (!sum)
		cm_line_fmt(line, "auto");
	for (unsigned t = 0; sum && t < CM_NR_TIERS; t++)
		cm_line_fmt(line, "%s%u", t ? ":" : "", weight[t]);
}

static void format_sizes(struct cm_line *line, const struct cm_sizes *sizes)
{
	cm_line_fmt(line, "%s", cm_tier_name(sizes->tier[0]));
	for (unsigned i = 0; i < sizes->nr; i++) {
		cm_line_fmt(line, ":");
		format_size(line, sizes->bound[i]);
		cm_line_fmt(line, ":%s", cm_tier_name(sizes->tier[i + 1]));
	}
}

static void format_limit(struct cm_line *line, const void *field)
{
	const struct cm_tier_settings *tier = cm_container_of(
		field, struct cm_tier_settings, limit);

	if (tier->limit_percent)
		cm_line_fmt(line, "%u%%", tier->limit_percent);
	else
		format_size(line, tier->limit);
}

static void format_nodes(struct cm_line *line, enum cm_option_id id,
			 const void *field)
{
	const struct cm_tier_settings *tier = cm_container_of(
		field, struct cm_tier_settings, nodes_from);
	char text[CM_NODESET_TEXT_MAX];

	if (tier->nodes_from == CM_NODES_LIST) {
		cm_nodeset_format(&tier->nodes, text, sizeof(text));
		cm_line_fmt(line, "%s", text);
	} else {
		cm_line_fmt(line, "%s", cm_option_word(id, tier->nodes_from));
	}
}

static void format_groups(struct cm_line *line,
			  const struct cm_group_settings *groups)
{
	char text[CM_NODESET_TEXT_MAX];

	if (groups->from != CM_GROUPS_NAMED)
		cm_line_fmt(line, "%s",
			    groups->from == CM_GROUPS_NODE ? "node" : "noop");
	for (unsigned i = 0; i < groups->nr; i++) {
		(void)cm_nodeset_format(&groups->of[i].nodes, text,
					sizeof(text));
		/* A comma would end it in CXLMALLOC_CONF. */
		for (char *c = text; *c; c++)
			if (*c == ',')
				*c = '+';
		cm_line_fmt(line, "%s%s=%s", i ? "/" : "", groups->of[i].name,
			    text);
	}
}

void cm_option_format(struct cm_line *line, const struct cm_settings *settings,
		      enum cm_option_id id)
{
	const void *field = (const char *)settings + cm_options[id].at;

	switch (cm_options[id].type) {
	case CM_OPTION_CHOICE:
		cm_line_fmt(line, "%s",
			    cm_option_word(id, *(const int *)field));
		break;
	case CM_OPTION_ORDER:
		for (unsigned i = 0; i < settings->nr_order; i++)
			cm_line_fmt(line, "%s%s", i > 0 ? ":" : "",
				    cm_tier_name(settings->order[i]));
		break;
	case CM_OPTION_WEIGHTS:
		format_weights(line, settings);
		break;
	case CM_OPTION_SIZES:
		format_sizes(line, field);
		break;
	case CM_OPTION_LIMIT:
		format_limit(line, field);
		break;
	case CM_OPTION_GROUPS:
		format_groups(line, field);
		break;
	case CM_OPTION_NODES:
		format_nodes(line, id, field);
		break;
	case CM_OPTION_SIZE:
		format_size(line, *(const uint64_t *)field);
		break;
	case CM_OPTION_UINT:
		cm_line_fmt(line, "%u", *(const unsigned *)field);
		break;
	case CM_OPTION_INT:
		cm_line_fmt(line, "%lld", (long long)*(const int64_t *)field);
		break;
	case CM_OPTION_BOOL:
		cm_line_fmt(line, "%s",
			    *(const bool *)field ? "true" : "false");
		break;
	case CM_OPTION_PATH:
		cm_line_fmt(line, "%s", (const char *)field);
		break;
	case CM_OPTION_RULES:
	case CM_OPTION_THREADS:
	case CM_OPTION_HINTS:
		cm_rules_format(line, field);
		break;
	case CM_OPTION_PROFILE:
		cm_profile_format(line, field);
		break;
	}
}

static void expect_size(struct cm_line *line, const struct cm_option *option)
{
	cm_line_fmt(line, "a size (bytes with k, m, g or t) in ");
	format_size(line, (uint64_t)option->min);
	cm_line_fmt(line, "..");
	format_size(line, (uint64_t)option->max);
}

static void expect_words(struct cm_line *line, enum cm_option_id id)
{
	size_t last = 0, shown = 0, i;
	/* other names for a value are not advertised */
	for (i = 0; i < CM_ARRAY_SIZE(words); i++)
		if (words[i].id == id &&
		    cm_option_word(id, words[i].value) == words[i].word)
			last = i;
	for (i = 0; i <= last; i++) {
		if (words[i].id != id ||
		    cm_option_word(id, words[i].value) != words[i].word)
			continue;
		if (shown++ > 0)
			cm_line_fmt(line, i == last ? " or " : ", ");
		cm_line_fmt(line, "%s", words[i].word);
	}
}

void cm_option_expect(struct cm_line *line, enum cm_option_id id)
{
	const struct cm_option *option = &cm_options[id];

	switch (option->type) {
	case CM_OPTION_CHOICE:
		expect_words(line, id);
		break;
	case CM_OPTION_ORDER:
		cm_line_fmt(line, "ddr:cxl, cxl:ddr, ddr or cxl");
		break;
	case CM_OPTION_WEIGHTS:
		cm_line_fmt(line,
			    "auto, two weights in 0..%lld (3:1) or nodes' "
			    "weights (0=3,2=1)",
			    (long long)option->max);
		break;
	case CM_OPTION_SIZES:
		cm_line_fmt(line,
			    "tiers and rising sizes in turn (ddr:64k:cxl), at "
			    "most %lld tiers",
			    (long long)option->max);
		break;
	case CM_OPTION_LIMIT:
		cm_line_fmt(line, "a size (bytes with k, m, g or t), 1%% to "
				  "100%%, or none");
		break;
	case CM_OPTION_GROUPS:
		cm_line_fmt(line,
			    "noop, node or at most %d names with nodes "
			    "(near=1-2/far=3+4)",
			    CM_MAX_GROUPS - 1);
		break;
	case CM_OPTION_NODES:
		for (unsigned n = 0; cm_option_nth_word(id, n); n++)
			cm_line_fmt(line, "%s%s", n > 0 ? ", " : "",
				    cm_option_nth_word(id, n));
		cm_line_fmt(line, " or a list of nodes in 0..%u (0-1,3)",
			    CM_MAX_NODES - 1);
		break;
	case CM_OPTION_SIZE:
		expect_size(line, option);
		break;
	case CM_OPTION_UINT:
	case CM_OPTION_INT:
		cm_line_fmt(line, "in %lld..%lld", (long long)option->min,
			    (long long)option->max);
		break;
	case CM_OPTION_BOOL:
		cm_line_fmt(line, "true or false");
		break;
	case CM_OPTION_PATH:
		cm_line_fmt(line, "a path of at most %lld bytes",
			    (long long)option->max);
		break;
	case CM_OPTION_RULES:
	case CM_OPTION_THREADS:
	case CM_OPTION_HINTS:
	case CM_OPTION_PROFILE:
		cm_rules_expect(line, option->type, option->max);
		break;
	}
}
