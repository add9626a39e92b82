/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nodeset.h"

#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "base/line.h"

#define NR_WORDS	CM_ARRAY_SIZE(((struct cm_nodeset *)0)->bits)

void cm_nodeset_and(struct cm_nodeset *set, const struct cm_nodeset *other)
{
	for (size_t i = 0; i < NR_WORDS; i++)
		set->bits[i] &= other->bits[i];
}

void cm_nodeset_andnot(struct cm_nodeset *set, const struct cm_nodeset *other)
{
	for (size_t i = 0; i < NR_WORDS; i++)
		set->bits[i] &= ~other->bits[i];
}

void cm_nodeset_or(struct cm_nodeset *set, const struct cm_nodeset *other)
{
	for (size_t i = 0; i < NR_WORDS; i++)
		set->bits[i] |= other->bits[i];
}

bool cm_nodeset_empty(const struct cm_nodeset *set)
{
	return cm_nodeset_first(set) == CM_MAX_NODES;
}

bool cm_nodeset_equal(const struct cm_nodeset *a, const struct cm_nodeset *b)
{
	return memcmp(a->bits, b->bits, sizeof(a->bits)) == 0;
}

unsigned cm_nodeset_weight(const struct cm_nodeset *set)
{
	unsigned weight = 0;

	for (size_t i = 0; i < NR_WORDS; i++)
		weight += (unsigned)__builtin_popcountl(set->bits[i]);
	return weight;
}

unsigned cm_nodeset_next(const struct cm_nodeset *set, unsigned from)
{
	size_t i = from / CM_LONG_BITS;
	unsigned long word;

	if (from >= CM_MAX_NODES)
		return CM_MAX_NODES;
	word = set->bits[i] & (~0UL << from % CM_LONG_BITS);
	while (!word) {
		if (++i == NR_WORDS)
			return CM_MAX_NODES;
		word = set->bits[i];
	}
	return (unsigned)(i * CM_LONG_BITS) + (unsigned)__builtin_ctzl(word);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A node number at *at; digits beyond the largest node are read, not kept. */
static int parse_node(const char **at, const char *end, unsigned *node)
{
	const char *p = *at;

	if (p == end || *p < '0' || *p > '9')
		return -EINVAL;
	for (*node = 0; p < end && *p >= '0' && *p <= '9'; p++)
		if (*node < CM_MAX_NODES)
			*node = *node * 10 + (unsigned)(*p - '0');
	*at = p;
	return 0;
}

static void skip_blanks(const char **at, const char *end)
{
	while (*at < end && is_blank(**at))
		++*at;
}

int cm_nodeset_parse(struct cm_nodeset *set, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	struct cm_nodeset found = { { 0 } };
	unsigned first, last;
	bool known = true;

	skip_blanks(&p, end);
	while (p < end) {
		if (parse_node(&p, end, &first) < 0)
			return -EINVAL;
		last = first;
		if (p < end && *p == '-') {
			p++;
			if (parse_node(&p, end, &last) < 0)
				return -EINVAL;
		}
		if (last < first)
			return -EINVAL;
		if (last >= CM_MAX_NODES)
			known = false;
		for (; known && first <= last; first++)
			cm_nodeset_set(&found, first);
		skip_blanks(&p, end);
		if (p == end)
			break;
		if (*p != ',' && *p != '+')
			return -EINVAL;
		p++;
		skip_blanks(&p, end);
		if (p == end)	/* nothing after the separator */
			return -EINVAL;
	}
	if (!known)
		return -ERANGE;
	*set = found;
	return 0;
}

int cm_nodeset_format(const struct cm_nodeset *set, char *buf, size_t size)
{
	unsigned first, last;
	struct cm_line line;

	cm_line_init(&line, buf, size, -1);
	cm_nodeset_for_each(first, set) {
		last = first;
		while (last + 1 < CM_MAX_NODES &&
		       cm_nodeset_test(set, last + 1))
			last++;
		if (line.len > 0)
			cm_line_put(&line, ",", 1);
		cm_line_fmt(&line, last > first ? "%u-%u" : "%u", first, last);
		first = last;
	}
	return line.cut ? -ENOSPC : (int)line.len;
}
