/* SPDX-License-Identifier: BSD-2-Clause */
/* rules - the values of rule, thread, hint and profile: set, shown, described */
#ifndef CM_CONTROL_RULES_H
#define CM_CONTROL_RULES_H

#include "base/line.h"
#include "control/option.h"

/* As one would write them, ';' between them. */
void cm_rules_format(struct cm_line *line, const struct cm_rules *rules);

/* As cm_option_set, with a FILE of at most max bytes. */
int cm_profile_set(struct cm_profile_settings *profile, struct cm_slice text,
		   size_t max);
void cm_profile_format(struct cm_line *line,
		       const struct cm_profile_settings *profile);

/* As cm_option_expect, for the types of these options. */
void cm_rules_expect(struct cm_line *line, enum cm_option_type type,
		     int64_t max);

#endif
