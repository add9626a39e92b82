/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smdk - the keys of Samsung's SMDK, with the meaning they have there
 *
 * Users of SMDK's CXLMALLOC_CONF change nothing. Once one of its keys is
 * used, those left out take SMDK's defaults (sizes of 1 TiB, policy oom), but
 * never over what someone wrote with a key of ours.
 */
#ifndef CM_CONTROL_SMDK_H
#define CM_CONTROL_SMDK_H

#include "base/settings.h"
#include "control/option.h"
#include "control/parse.h"

/* What became of a setting, for the message about it. */
struct cm_smdk_result {
	const char *expect;	/* bad: what the value has to be */
	const char *note;	/* taken, but this has to be said */
	enum cm_option_id id;	/* whose value stays; or CM_NR_OPTIONS */
};

/* The n-th of SMDK's keys; NULL behind the last. */
const char *cm_smdk_nth_key(unsigned n);

/* 0: taken; -ENOENT: not a key of SMDK's; -EINVAL: a bad value. */
int cm_smdk_set(struct cm_settings *settings, struct cm_slice key,
		struct cm_slice value, struct cm_smdk_result *result);

/* What SMDK does when it has read its last key: call behind each source. */
void cm_smdk_finish(struct cm_settings *settings);

#endif
