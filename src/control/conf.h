/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf - options from files and the environment into struct cm_settings
 *
 * Called once at start by entry/, and by cxlctl. Sources in order, the later
 * wins: /etc/cxlmalloc.conf, $XDG_CONFIG_HOME/cxlmalloc.conf (or
 * $HOME/.config/cxlmalloc.conf), CXLMALLOC_CONF; CXLMALLOC_DISABLE=1 on top.
 * In secure execution none is looked at.
 *
 * In a file "[redis-server]", a glob on a program's base name, begins a section
 * whose lines hold for such programs alone; "[*]" ends it.
 *
 * Runs inside malloc's start: no malloc, no stdio, no locale. It reads the
 * environment, which libc has from its own constructor on: call it from a
 * constructor or later, not while the loader still relocates.
 */
#ifndef CM_CONTROL_CONF_H
#define CM_CONTROL_CONF_H

#include "base/settings.h"
#include "control/option.h"

/* Who hears about bad settings; text has no "cxlmalloc: " and no \n. */
struct cm_conf_sink {
	void (*line)(void *arg, const char *text);
	void *arg;
	unsigned nr_bad;	/* counted here; a note is not a bad line */
	/* Whose sections of a file hold, by base name; NULL: this program's. */
	const char *program;
	bool check_all;		/* hear of bad lines in other sections, too */
};

/* A longer file is refused. */
#define CM_CONF_FILE_MAX	(16 * 1024)

#define CM_CONF_SYSTEM_FILE	"/etc/cxlmalloc.conf"
#define CM_CONF_VARIABLE	"CXLMALLOC_CONF"
#define CM_CONF_DISABLE		"CXLMALLOC_DISABLE"

void cm_conf_defaults(struct cm_settings *settings);

/*
 * Defaults, then all sources; bad lines on stderr. Aborts if there are any
 * and abort_conf=true, whichever of the two was read first.
 */
void cm_conf_load(struct cm_settings *settings);

/* The same, but the caller hears the lines and decides. */
void cm_conf_load_to(struct cm_settings *settings, struct cm_conf_sink *sink);

/* One source over settings; where is its name in messages. */
void cm_conf_parse_list(struct cm_settings *settings, const char *where,
			const char *text, struct cm_conf_sink *sink);
void cm_conf_parse_lines(struct cm_settings *settings, const char *where,
			 const char *text, struct cm_conf_sink *sink);

/*
 * A file's lines over settings; 0, also without such a file, or the -errno of
 * reading it, which sink has heard of.
 */
int cm_conf_parse_file(struct cm_settings *settings, const char *path,
		       struct cm_conf_sink *sink);

#endif
