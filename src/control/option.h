/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option - the table of options.def: set, show and describe one option
 *
 * No function here allocates or prints; a struct cm_line takes the text.
 */
#ifndef CM_CONTROL_OPTION_H
#define CM_CONTROL_OPTION_H

#include "base/compiler.h"
#include "base/line.h"
#include "base/settings.h"
#include "control/parse.h"

enum cm_option_id {
#define OPT(id, ...) CM_OPT_##id,
#include "control/options.def"
	CM_NR_OPTIONS
};

enum cm_option_type {
	CM_OPTION_CHOICE,	/* one of its words */
	CM_OPTION_ORDER,
	CM_OPTION_WEIGHTS,	/* a number for each tier, nodes', or auto */
	CM_OPTION_SIZES,	/* tiers with sizes between them */
	CM_OPTION_LIMIT,	/* bytes, CM_NO_LIMIT: none; or percent */
	CM_OPTION_GROUPS,	/* noop, node or named lists of nodes */
	CM_OPTION_NODES,	/* one of its words, or a list of nodes */
	CM_OPTION_SIZE,		/* uint64_t bytes, min..max, never none */
	CM_OPTION_UINT,
	CM_OPTION_INT,
	CM_OPTION_BOOL,
	CM_OPTION_PATH,
	CM_OPTION_RULES,	/* policy/rule.h: by call site */
	CM_OPTION_THREADS,	/* the same by a thread's name */
	CM_OPTION_HINTS,	/* and by what a program calls its data */
	CM_OPTION_PROFILE,	/* record:FILE, apply:FILE or none */
};

/* An array for the key: the table needs no relocation at start. */
struct cm_option {
	char key[20];
	enum cm_option_type type;
	unsigned at;		/* offset in struct cm_settings */
	int64_t min, max;	/* of SIZE, UINT, INT; max bytes of PATH */
};

extern const struct cm_option cm_options[CM_NR_OPTIONS] CM_HIDDEN;

/* Those that may be changed while a program runs, as bits by id. */
#define LIVE(id) | UINT64_C(1) << CM_OPT_##id
static const uint64_t cm_options_live = 0
#include "control/options.def"
	;

void cm_option_defaults(struct cm_settings *settings);

/* id of a key, -ENOENT */
int cm_option_find(struct cm_slice key);

/*
 * Take a value as written. 0; -EINVAL or, a number beyond what it may be,
 * -ERANGE, with the old value kept: cm_option_expect says what it has to be.
 * -ENOSPC: more rules than there is room for.
 */
int cm_option_set(struct cm_settings *settings, enum cm_option_id id,
		  struct cm_slice value);
/* The value as one would write it. */
void cm_option_format(struct cm_line *line, const struct cm_settings *settings,
		      enum cm_option_id id);
/* What a value has to be: "in 0..256", "true or false". */
void cm_option_expect(struct cm_line *line, enum cm_option_id id);
/* The n-th word of an option, other names included; NULL behind the last. */
const char *cm_option_nth_word(enum cm_option_id id, unsigned n);
/* The word for a value of an enum in base/settings.h: "spill". */
const char *cm_option_word(enum cm_option_id id, int value);

#endif
