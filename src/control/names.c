/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/names.h"

#include <errno.h>
#include <string.h>

#include "base/line.h"
#include "base/nodeset.h"
#include "control/figures.h"
#include "control/option.h"

static const struct {
	char text[16];
	bool is_text, writable;
} scalars[] = {
	[CM_NAME_PID] = { "pid", false, false },
	[CM_NAME_VERSION] = { "version", true, false },
	[CM_NAME_JEMALLOC] = { "jemalloc", true, false },
	[CM_NAME_STATE] = { "state", true, false },
	[CM_NAME_POLICY] = { "policy", true, false },
	[CM_NAME_ORDER] = { "order", true, false },
	[CM_NAME_ON_FULL] = { "on_full", true, false },
	[CM_NAME_CGROUP_CURRENT] = { "cgroup.current", false, false },
	[CM_NAME_CGROUP_MAX] = { "cgroup.max", false, false },
	[CM_NAME_CGROUP_HIGH] = { "cgroup.high", false, false },
	[CM_NAME_CONF] = { "conf", true, true },
};

#define NR_SCALARS	CM_ARRAY_SIZE(scalars)
/* Of a tier: binding, nodes, the figures; then a name for each node. */
#define NR_OF_TIER	(2 + CM_NR_FIGURES)

static struct cm_name scalar(unsigned i)
{
	return (struct cm_name){ .of = (enum cm_name_of)i,
				 .is_text = scalars[i].is_text,
				 .writable = scalars[i].writable };
}

static struct cm_name of_tier(enum cm_tier tier, unsigned i)
{
	if (i < 2)
		return (struct cm_name){ .of = i ? CM_NAME_NODES :
						   CM_NAME_BINDING,
					 .tier = tier,
					 .is_text = true };
	i -= 2;
	return (struct cm_name){ .of = CM_NAME_FIGURE,
				 .tier = tier,
				 .id = i,
				 .writable = i == CM_FIGURE_OF_limit };
}

static const char *text_of_tier(unsigned i)
{
	return i == 0 ? "binding" : i == 1 ? "nodes" : cm_figures[i - 2].key;
}

static struct cm_name resident(enum cm_tier tier, unsigned node)
{
	return (struct cm_name){ .of = CM_NAME_RESIDENT,
				 .tier = tier,
				 .id = node };
}

static struct cm_name option(unsigned id)
{
	return (struct cm_name){ .of = CM_NAME_OPTION,
				 .id = id,
				 .is_text = true,
				 .writable = cm_options_live >> id & 1 };
}

/* A decimal number as it is written: no sign, no zero in front. */
static int find_node(const char *text, unsigned *node)
{
	const char *s = text;

	for (*node = 0; *s >= '0' && *s <= '9' && s - text < 4; s++)
		*node = *node * 10 + (unsigned)(*s - '0');
	return s > text && !*s && *node < CM_MAX_NODES &&
			       (*text != '0' || !text[1]) ?
		       0 :
		       -ENOENT;
}

/* Behind "tier.". */
static int find_of_tier(const char *text, struct cm_name *name)
{
	static const char word[] = "resident.";
	const char *dot = strchr(text, '.');
	unsigned t, i, node;

	for (t = 0; dot && t < CM_NR_TIERS; t++)
		if (cm_slice_is((struct cm_slice){ text, (size_t)(dot - text) },
				cm_tier_name(t)))
			break;
	if (!dot || t == CM_NR_TIERS)
		return -ENOENT;
	dot++;
	for (i = 0; i < NR_OF_TIER; i++) {
		if (strcmp(dot, text_of_tier(i)) == 0) {
			*name = of_tier(t, i);
			return 0;
		}
	}
	if (strncmp(dot, word, sizeof(word) - 1) ||
	    find_node(dot + sizeof(word) - 1, &node))
		return -ENOENT;
	*name = resident(t, node);
	return 0;
}

int cm_name_find(const char *text, struct cm_name *name)
{
	int id;

	for (unsigned i = 0; i < NR_SCALARS; i++) {
		if (strcmp(text, scalars[i].text) == 0) {
			*name = scalar(i);
			return 0;
		}
	}
	if (strncmp(text, "tier.", 5) == 0)
		return find_of_tier(text + 5, name);
	if (strncmp(text, "option.", 7))
		return -ENOENT;
	id = cm_option_find(cm_slice_of(text + 7));
	if (id < 0)
		return -ENOENT;
	*name = option((unsigned)id);
	return 0;
}

static int nth_of_tier(unsigned index, enum cm_tier tier,
		       const struct cm_nodeset *nodes, struct cm_name *name,
		       struct cm_line *line)
{
	unsigned node;

	cm_line_fmt(line, "tier.%s.", cm_tier_name(tier));
	if (index < NR_OF_TIER) {
		*name = of_tier(tier, index);
		cm_line_fmt(line, "%s", text_of_tier(index));
		return 0;
	}
	index -= NR_OF_TIER;
	cm_nodeset_for_each(node, nodes)
		if (index-- == 0)
			break;
	*name = resident(tier, node);
	cm_line_fmt(line, "resident.%u", node);
	return 0;
}

int cm_name_nth(unsigned index, const struct cm_nodeset *nodes,
		struct cm_name *name, char text[CM_NAME_MAX])
{
	unsigned of_one = NR_OF_TIER + cm_nodeset_weight(nodes);
	struct cm_line line;

	cm_line_init(&line, text, CM_NAME_MAX, -1);
	if (index < NR_SCALARS) {
		*name = scalar(index);
		cm_line_fmt(&line, "%s", scalars[index].text);
		return 0;
	}
	index -= NR_SCALARS;
	if (index < CM_NR_TIERS * of_one)
		return nth_of_tier(index % of_one, index / of_one, nodes, name,
				   &line);
	index -= CM_NR_TIERS * of_one;
	if (index >= CM_NR_OPTIONS)
		return -ENOENT;
	*name = option(index);
	cm_line_fmt(&line, "option.%s", cm_options[index].key);
	return 0;
}
