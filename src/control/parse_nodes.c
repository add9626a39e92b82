/* SPDX-License-Identifier: BSD-2-Clause */
/* parse_nodes - weights of nodes, and groups of them */
#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "control/parse.h"

/* Up to the first of `stops`; *rest is what is behind it, or NULL. */
static struct cm_slice part_of(struct cm_slice text, const char *stops,
			       const char **rest)
{
	size_t n = 0;

	while (n < text.len && !strchr(stops, text.at[n]))
		n++;
	*rest = n < text.len ? text.at + n + 1 : NULL;
	while (n > 0 && text.at[n - 1] == ' ')
		n--;
	while (n > 0 && *text.at == ' ') {
		text.at++;
		n--;
	}
	return (struct cm_slice){ text.at, n };
}

static struct cm_slice behind(struct cm_slice text, const char *rest)
{
	return (struct cm_slice){ rest, (size_t)(text.at + text.len - rest) };
}

static int add_weight(struct cm_node_weights *weights, struct cm_slice item,
		      int64_t max)
{
	const char *rest;
	struct cm_slice name = part_of(item, "=:", &rest);
	int64_t node, weight;
	int err;

	if (!rest)
		return -EINVAL;
	err = cm_parse_int(name, 0, CM_MAX_NODES - 1, &node);
	if (err == 0)
		err = cm_parse_int(part_of(behind(item, rest), "", &rest), 1,
				   max, &weight);
	if (err < 0)
		return err;
	for (unsigned i = 0; i < weights->nr; i++)
		if (weights->of[i].node == node)
			return -EINVAL;
	if (weights->nr == CM_MAX_WEIGHTED)
		return -ERANGE;
	weights->of[weights->nr++] = (struct cm_node_weight){
		(unsigned short)node, (unsigned short)weight
	};
	return 0;
}

int cm_parse_node_weights(struct cm_slice text, int64_t max,
			  struct cm_node_weights *weights)
{
	struct cm_node_weights found = { .nr = 0 };
	const char *rest = text.at;

	while (rest) {
		struct cm_slice left = behind(text, rest);
		int err = add_weight(&found, part_of(left, ",+", &rest), max);

		if (err < 0)
			return err;
	}
	*weights = found;
	return 0;
}

static bool is_name(struct cm_slice text)
{
	if (!text.len || text.len >= CM_GROUP_NAME_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!((text.at[i] >= 'a' && text.at[i] <= 'z') ||
		      (text.at[i] >= '0' && text.at[i] <= '9') ||
		      text.at[i] == '_'))
			return false;
	return true;
}

static int add_group(struct cm_group_settings *groups, struct cm_slice item)
{
	struct cm_group *group = &groups->of[groups->nr];
	const char *rest;
	struct cm_slice name = part_of(item, "=", &rest), list;
	int err;

	if (!rest || !is_name(name))
		return -EINVAL;
	if (groups->nr == CM_ARRAY_SIZE(groups->of))
		return -ERANGE;
	list = behind(item, rest);
	err = cm_nodeset_parse(&group->nodes, list.at, list.len);
	if (err < 0)
		return err;
	if (cm_nodeset_empty(&group->nodes))
		return -EINVAL;
	for (unsigned i = 0; i < groups->nr; i++) {
		struct cm_nodeset both = group->nodes;

		cm_nodeset_and(&both, &groups->of[i].nodes);
		if (!cm_nodeset_empty(&both) ||
		    cm_slice_is(name, groups->of[i].name))
			return -EINVAL;
	}
	memcpy(group->name, name.at, name.len);
	groups->nr++;
	return 0;
}

int cm_parse_groups(struct cm_slice text, struct cm_group_settings *groups)
{
	struct cm_group_settings found = { .from = CM_GROUPS_NAMED };
	const char *rest = text.at;

	if (cm_slice_is(text, "noop") || cm_slice_is(text, "node")) {
		found.from = cm_slice_is(text, "node") ? CM_GROUPS_NODE :
							 CM_GROUPS_NOOP;
		rest = NULL;
	}
	while (rest) {
		struct cm_slice left = behind(text, rest);
		int err = add_group(&found, part_of(left, "/", &rest));

		if (err < 0)
			return err;
	}
	*groups = found;
	return 0;
}
