/* SPDX-License-Identifier: BSD-2-Clause */
#include "smdk/smdk.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/mempolicy.h, which numaif.h and older libcs do not have alike */
#define MPOL_DEFAULT	0
#define MPOL_INTERLEAVE	3

/*
 * By name, if it has any: cxlm_tier_info, which knows also those of a process
 * that is not tiered, counts where all pages are.
 */
int sm_nodes_of_type(smdk_memtype_t type, struct sm_nodes *nodes)
{
	const char *name = type == SMDK_MEM_NORMAL ? "tier.ddr.nodes" :
						     "tier.cxl.nodes";
	char list[4096] = "";
	struct cxlm_tier_info info = { .size = sizeof(info) };
	size_t size = sizeof(list);

	if (cxlm_ctl(name, list, &size, NULL, 0) == 0 &&
	    sm_parse_nodes(list, nodes) == 0)
		return 0;
	memset(nodes, 0, sizeof(*nodes));
	if (cxlm_tier_info((int)type, &info) < 0)
		return -1;
	memcpy(nodes->bits, info.nodes, sizeof(info.nodes));
	return 0;
}

bool sm_are_of_type(const struct sm_nodes *nodes, smdk_memtype_t type)
{
	struct sm_nodes of_type;
	size_t i;

	if (sm_nodes_of_type(type, &of_type) < 0)
		return false;
	for (i = 0; i < sizeof(of_type.bits) / sizeof(of_type.bits[0]); i++)
		if (nodes->bits[i] & ~of_type.bits[i])
			return false;
	return true;
}

static int add_all(struct sm_nodes *nodes)
{
	struct cxlm_node_info info = { .size = sizeof(info) };
	int node, nr = cxlm_nr_nodes();

	for (node = 0; node < nr && node < SM_NODES_MAX; node++)
		if (cxlm_node_info(node, &info) == 0)
			nodes->bits[node / SM_LONG_BITS] |=
				1ul << node % SM_LONG_BITS;
	return 0;
}

/* One number; returns what follows it, or NULL. */
static const char *number(const char *at, unsigned long *value)
{
	char *end;

	while (isspace((unsigned char)*at))
		at++;
	if (!isdigit((unsigned char)*at))
		return NULL;
	*value = strtoul(at, &end, 10);
	if (*value >= SM_NODES_MAX)
		return NULL;
	while (isspace((unsigned char)*end))
		end++;
	return end;
}

int sm_parse_nodes(const char *text, struct sm_nodes *nodes)
{
	unsigned long first, last;

	memset(nodes, 0, sizeof(*nodes));
	if (!text)
		return -1;
	if (strcasecmp(text, "all") == 0)
		return add_all(nodes);
	do {
		text = number(text, &first);
		if (!text)
			return -1;
		last = first;
		if (*text == '-')
			text = number(text + 1, &last);
		if (!text || last < first)
			return -1;
		for (; first <= last; first++)
			nodes->bits[first / SM_LONG_BITS] |=
				1ul << first % SM_LONG_BITS;
	} while (*text++ == ',');
	return text[-1] == '\0' ? 0 : -1;
}

SM_EXPORT void s_enable_node_interleave(char *nodes)
{
	struct sm_nodes set;

	if (sm_parse_nodes(nodes, &set) < 0) {
		fprintf(stderr,
			"smalloc: s_enable_node_interleave: %s: not a "
			"list of nodes\n",
			nodes ? nodes : "(null)");
		return;
	}
	/* The kernel takes one bit less than it is told there are. */
	if (syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, set.bits,
		    (unsigned long)SM_NODES_MAX + 1) < 0)
		fprintf(stderr, "smalloc: s_enable_node_interleave: %s: %s\n",
			nodes, strerror(errno));
}

SM_EXPORT void s_disable_node_interleave(void)
{
	syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0ul);
}
