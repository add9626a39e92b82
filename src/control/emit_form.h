/* SPDX-License-Identifier: BSD-2-Clause */
/* emit_form - the two forms of a report, for emit.c */
#ifndef CM_CONTROL_EMIT_FORM_H
#define CM_CONTROL_EMIT_FORM_H

#include <string.h>

#include "base/compiler.h"
#include "base/line.h"
#include "base/report.h"

extern const char *const cm_emit_binding[] CM_HIDDEN;
extern const char *const cm_emit_state[] CM_HIDDEN;

static inline void cm_emit_text(struct cm_line *out, const char *text)
{
	cm_line_put(out, text, strlen(text));
}

void cm_emit_json(struct cm_line *out, const struct cm_report *report);
void cm_emit_table(struct cm_line *out, const struct cm_report *report);

#endif
