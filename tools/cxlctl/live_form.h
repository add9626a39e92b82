/* SPDX-License-Identifier: BSD-2-Clause */
/* live_form - what a page says, as text and as JSON */
#ifndef CXLCTL_LIVE_FORM_H
#define CXLCTL_LIVE_FORM_H

#include "base/line.h"
#include "control/page.h"

/*
 * A page's conf, which may hold anything: only keys that are options of this
 * version, each once.
 */
void live_print_settings(const char *conf);	/* key=value lines */
void live_json_settings(const char *conf);	/* an object of strings */

/* The value of a key in a page's conf. False: it is not there. */
bool live_setting(const char *conf, const char *key, struct cm_line *value);

/* "priority ddr:cxl", "interleave 3:1" */
void live_policy(const struct cm_page_view *view, struct cm_line *line);

/* Bytes or null. */
void live_json_limit(uint64_t limit);

#endif
