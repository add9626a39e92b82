/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/figures.h"

/* Of a field that the page has, its place there; others have none. */
#define AT_PAGE(field)		offsetof(struct cm_page_view_tier, field)
#define AT_WORDS(field)		0
#define AT_STATISTICS(field)	0
#define AT_KERNEL(field)	0

const struct cm_figure cm_figures[CM_NR_FIGURES] = {
#define FIGURE(cost, field, key, name, kind, meaning)			    \
	{ key, \
	  name, \
	  CM_FIGURE_##kind, \
	  CM_FIGURE_##cost, \
	  offsetof(struct cm_report_tier, field), \
	  AT_##cost(field), \
	  meaning },
#include "control/figures.def"
};
