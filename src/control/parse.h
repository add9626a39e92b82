/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse - text into tokens, tokens into values
 *
 * Knows the two forms of a configuration and the kinds of value, not the
 * options: those are conf.c's. No function here allocates, prints or keeps
 * state; values are ASCII, whatever the locale.
 */
#ifndef CM_CONTROL_PARSE_H
#define CM_CONTROL_PARSE_H

#include "base/settings.h"

/* A piece of someone else's text; not NUL-terminated. */
struct cm_slice {
	const char *at;
	size_t len;
};

static inline struct cm_slice cm_slice_of(const char *text)
{
	return (struct cm_slice){ text, __builtin_strlen(text) };
}

bool cm_slice_is(struct cm_slice slice, const char *word);

/* One setting as it was written. */
struct cm_token {
	struct cm_slice whole;	/* without blanks around, as the others */
	struct cm_slice key;
	struct cm_slice value;
	char separator;		/* '=' or ':'; 0: none, all is key */
};

/*
 * cm_parse_list - next setting of "key=value,key=value"
 *
 * The separator is the first '=' or ':'. A part without one that is made of
 * digits, '-' and '+' continues the value before it, and so does one of digits
 * before and behind a '=', so that a list of nodes or of their weights needs no
 * quoting: "ddr.nodes=0,2-3,interleave=0=3,2=1,order=ddr" has three settings. Empty parts
 * and a lone ':' (SMDK's own tests end in one) are passed over.
 *
 * returns  false at the end; else *at is behind the setting
 */
bool cm_parse_list(struct cm_token *token, const char **at);

/*
 * cm_parse_lines - next setting of a file: one to a line, '#' comments
 *
 * A comment starts at the line's start or after a blank. nr_line counts lines
 * from 1; start with 0.
 */
bool cm_parse_lines(struct cm_token *token, const char **at, unsigned *nr_line);

/*
 * Values. 0; -EINVAL: not a number, a size, ...; -ERANGE: one, but too large
 * or outside min..max. The result is untouched on failure.
 */
int cm_parse_int(struct cm_slice text, int64_t min, int64_t max,
		 int64_t *value);
int cm_parse_bool(struct cm_slice text, bool *value);
/* bytes, k m g or t behind the number, or none; at most CM_NO_LIMIT - 1 */
int cm_parse_size(struct cm_slice text, uint64_t *size);
/* ddr and cxl, each at most once, at least one, ':' between them */
int cm_parse_order(struct cm_slice text, enum cm_tier order[CM_NR_TIERS],
		   unsigned *nr);

/*
 * A number for each tier, DDR's first, ':' between them, each 0..max and one
 * at least not 0; or auto: all 0.
 */
int cm_parse_weights(struct cm_slice text, int64_t max,
		     unsigned weight[CM_NR_TIERS]);

/* Tiers and sizes in turn, ':' between them; sizes are not 0, and rise. */
int cm_parse_sizes(struct cm_slice text, struct cm_sizes *sizes);

/*
 * "0=3,2=1": of each node its weight, 1..max, no node twice; '+' stands for
 * the comma, too.
 */
int cm_parse_node_weights(struct cm_slice text, int64_t max,
			  struct cm_node_weights *weights);

/* noop, node, or named lists of nodes: "near=1-2/far=3-4" */
int cm_parse_groups(struct cm_slice text, struct cm_group_settings *groups);

/* Changes of one character that turn a into b, or more than max. */
unsigned cm_parse_distance(struct cm_slice a, struct cm_slice b, unsigned max);

/* "ddr", "cxl" */
const char *cm_tier_name(enum cm_tier tier);

#endif
