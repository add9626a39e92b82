/* SPDX-License-Identifier: BSD-2-Clause */
/* figures - the table of figures.def: what numbers there are of a tier */
#ifndef CM_CONTROL_FIGURES_H
#define CM_CONTROL_FIGURES_H

#include <string.h>

#include "base/compiler.h"
#include "base/report.h"
#include "control/page.h"

enum cm_figure_kind {
	CM_FIGURE_BYTES,
	CM_FIGURE_COUNT,
	CM_FIGURE_LIMIT,	/* bytes; CM_NO_LIMIT: none, null in JSON */
	CM_FIGURE_KNOWN,	/* bytes; 0: not known, null in JSON */
	CM_FIGURE_SHARE,	/* percent; 0: it is none, and left out */
};

/* The dearer has all that comes before it. */
enum cm_figure_cost {
	CM_FIGURE_PAGE,		/* words of the pool's, also in the page */
	CM_FIGURE_WORDS,	/* words of the pool's */
	CM_FIGURE_STATISTICS,	/* jemalloc's, under its locks */
	CM_FIGURE_KERNEL,	/* /proc/self/numa_maps: a walk of all pages */
};

struct cm_figure {
	char key[16], name[12];
	enum cm_figure_kind kind;
	enum cm_figure_cost cost;
	unsigned short at;	/* in struct cm_report_tier */
	unsigned short
		page_at; /* in struct cm_page_view_tier, when cost is PAGE */
	char meaning[44];
};

enum {
#define FIGURE(cost, field, ...) CM_FIGURE_OF_##field,
#include "control/figures.def"
	CM_NR_FIGURES
};

extern const struct cm_figure cm_figures[CM_NR_FIGURES] CM_HIDDEN;

static inline uint64_t cm_figure_of(const struct cm_figure *figure,
				    const struct cm_report_tier *tier)
{
	uint64_t value;

	memcpy(&value, (const char *)tier + figure->at, sizeof(value));
	return value;
}

/* False: this value is null in JSON, and not known or not set. */
static inline bool cm_figure_is_set(const struct cm_figure *figure,
				    uint64_t value)
{
	return figure->kind == CM_FIGURE_LIMIT ? value != CM_NO_LIMIT :
	       figure->kind == CM_FIGURE_KNOWN ? value != 0 :
						 true;
}

#endif
