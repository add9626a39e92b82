/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/compiler.h"
#include "control/smdk.h"
#include "policy/rule.h"
#include "sys/file.h"
#include "sys/module.h"

void cm_conf_defaults(struct cm_settings *settings)
{
	cm_option_defaults(settings);
}

/* Where a token stands, for messages. */
struct place {
	const char *where;
	unsigned nr_line;	/* 0: not in a file */
	struct cm_conf_sink *sink;
};

static void begin(struct cm_line *line, char buf[CM_LINE_MAX],
		  const struct place *place, const struct cm_token *token)
{
	cm_line_init(line, buf, CM_LINE_MAX, -1);
	cm_line_quote(line, place->where, strlen(place->where));
	if (place->nr_line > 0)
		cm_line_fmt(line, ":%u", place->nr_line);
	cm_line_fmt(line, ": ");
	if (token) {
		cm_line_quote(line, token->whole.at, token->whole.len);
		cm_line_fmt(line, ": ");
	}
}

static void end_bad(const struct cm_line *line, const struct place *place)
{
	place->sink->nr_bad++;
	place->sink->line(place->sink->arg, line->buf);
}

/* ", using " what was there before, native way */
static void add_using(struct cm_line *line, const struct cm_settings *settings,
		      enum cm_option_id id)
{
	char text[CM_LINE_QUOTE_MAX + 2];
	struct cm_line value;

	/* A bad rule leaves the others, which are no value in its place. */
	if (id == CM_NR_OPTIONS || cm_options[id].type == CM_OPTION_RULES ||
	    cm_options[id].type == CM_OPTION_THREADS ||
	    cm_options[id].type == CM_OPTION_HINTS) {
		cm_line_fmt(line, ", ignored");
		return;
	}
	cm_line_init(&value, text, sizeof(text), -1);
	cm_option_format(&value, settings, id);
	cm_line_fmt(line, ", using ");
	if (value.len > 0)
		cm_line_quote(line, value.buf, value.len);
	else
		cm_line_fmt(line, "\"\"");
}

static const char *nearest_key(struct cm_slice key)
{
	const unsigned close = 2;
	const char *best = NULL, *name;
	unsigned least = close + 1, distance, i;

	for (i = 0;; i++) {
		name = i < CM_NR_OPTIONS ? cm_options[i].key :
					   cm_smdk_nth_key(i - CM_NR_OPTIONS);
		if (!name)
			break;
		distance = cm_parse_distance(key, cm_slice_of(name), close);
		if (distance < least) {
			least = distance;
			best = name;
		}
	}
	return best;
}

static CM_COLD void say_not_a_setting(const struct place *place,
				      const struct cm_token *token)
{
	char buf[CM_LINE_MAX];
	struct cm_line line;
	const char *near;

	begin(&line, buf, place, token);
	if (!token->separator) {
		cm_line_fmt(&line, "not key=value, ignored");
	} else {
		near = nearest_key(token->key);
		cm_line_fmt(&line, "unknown key, ");
		if (near)
			cm_line_fmt(&line, "did you mean %s?", near);
		else
			cm_line_fmt(&line, "ignored");
	}
	end_bad(&line, place);
}

static CM_COLD void say_bad_value(const struct place *place,
				  const struct cm_token *token,
				  const struct cm_settings *settings,
				  enum cm_option_id id, int err)
{
	char buf[CM_LINE_MAX];
	struct cm_line line;

	begin(&line, buf, place, token);
	if (err == -ENOSPC) {
		cm_line_fmt(&line,
			    "more than %u rules or %u bytes of them, "
			    "ignored",
			    CM_MAX_RULES, CM_RULES_TEXT);
		end_bad(&line, place);
		return;
	}
	if (err == -ERANGE && cm_options[id].type == CM_OPTION_LIMIT) {
		cm_line_fmt(&line, "too large a size (none: no limit)");
	} else {
		cm_line_fmt(&line, "not ");
		cm_option_expect(&line, id);
	}
	add_using(&line, settings, id);
	end_bad(&line, place);
}

static void take_smdk(struct cm_settings *settings, const struct place *place,
		      const struct cm_token *token)
{
	struct cm_smdk_result result = { .id = CM_NR_OPTIONS };
	char buf[CM_LINE_MAX];
	struct cm_line line;
	int err;

	err = cm_smdk_set(settings, token->key, token->value, &result);
	if (err == -ENOENT) {
		say_not_a_setting(place, token);
	} else if (err < 0) {
		begin(&line, buf, place, token);
		cm_line_fmt(&line, "not %s", result.expect);
		add_using(&line, settings, result.id);
		end_bad(&line, place);
	} else if (result.note) {
		begin(&line, buf, place, token);
		cm_line_fmt(&line, "%s", result.note);
		place->sink->line(place->sink->arg, line.buf);
	}
}

static void take(struct cm_settings *settings, const struct place *place,
		 const struct cm_token *token)
{
	int id, err;

	if (!token->separator) {
		say_not_a_setting(place, token);
		return;
	}
	id = cm_option_find(token->key);
	if (id < 0) {
		take_smdk(settings, place, token);
		return;
	}
	err = cm_option_set(settings, id, token->value);
	if (err < 0)
		say_bad_value(place, token, settings, id, err);
}

static void begin_source(struct cm_settings *settings)
{
	cm_rules_begin(&settings->rules);
	cm_rules_begin(&settings->threads);
	cm_rules_begin(&settings->hints);
}

/* Which programs the lines are for, up to the next section. */
enum section {
	SECTION_OURS,
	SECTION_OTHERS,
	SECTION_BAD,
};

static enum section section_of(const struct place *place,
			       const struct cm_token *token)
{
	const char *program = place->sink->program;
	struct cm_slice glob = token->whole;
	char buf[CM_LINE_MAX], pattern[CM_RULE_MAX + 1];
	struct cm_line line;

	glob.at++;
	glob.len -= 2;
	if (token->whole.len < 3 || glob.at[glob.len] != ']' ||
	    !cm_rule_is_glob(glob.at, glob.len)) {
		begin(&line, buf, place, token);
		cm_line_fmt(&line, "not a section ([GLOB] on a program's base "
				   "name, [*] for all), ignored with what is "
				   "in it");
		end_bad(&line, place);
		return SECTION_BAD;
	}
	memcpy(pattern, glob.at, glob.len);
	pattern[glob.len] = '\0';
	if (!strcmp(pattern, "*"))
		return SECTION_OURS;
	return cm_rule_glob(pattern, program ? program : cm_program_name()) ?
		       SECTION_OURS :
		       SECTION_OTHERS;
}

/* For cxlctl conf check: is it right, though it does not hold here? */
static CM_NOINLINE void take_nowhere(const struct cm_settings *settings,
				     const struct place *place,
				     const struct cm_token *token)
{
	struct cm_settings copy = *settings;

	take(&copy, place, token);
}

void cm_conf_parse_list(struct cm_settings *settings, const char *where,
			const char *text, struct cm_conf_sink *sink)
{
	struct place place = { where, 0, sink };
	struct cm_token token;

	begin_source(settings);
	while (cm_parse_list(&token, &text))
		take(settings, &place, &token);
	cm_smdk_finish(settings);
}

void cm_conf_parse_lines(struct cm_settings *settings, const char *where,
			 const char *text, struct cm_conf_sink *sink)
{
	struct place place = { where, 0, sink };
	enum section section = SECTION_OURS;
	struct cm_token token;

	begin_source(settings);
	while (cm_parse_lines(&token, &text, &place.nr_line)) {
		if (*token.whole.at == '[')
			section = section_of(&place, &token);
		else if (section == SECTION_OURS)
			take(settings, &place, &token);
		else if (section == SECTION_OTHERS && sink->check_all)
			take_nowhere(settings, &place, &token);
	}
	cm_smdk_finish(settings);
}

static CM_COLD int refuse_file(const char *path, const char *why, int err,
			       struct cm_conf_sink *sink)
{
	struct place place = { path, 0, sink };
	char buf[CM_LINE_MAX];
	struct cm_line line;

	begin(&line, buf, &place, NULL);
	if (why)
		cm_line_fmt(&line, "%s, not read", why);
	else
		cm_line_fmt(&line, "cannot be read (errno %d)", -err);
	end_bad(&line, &place);
	return err;
}

int cm_conf_parse_file(struct cm_settings *settings, const char *path,
		       struct cm_conf_sink *sink)
{
	char text[CM_CONF_FILE_MAX + 1];
	ssize_t len = cm_file_read(path, text, sizeof(text));

	if (likely(len == -ENOENT || len == -ENOTDIR))
		return 0;
	if (len == -EACCES)
		return refuse_file(path, "permission denied", -EACCES, sink);
	if (len == -EISDIR)
		return refuse_file(path, "is a directory", -EISDIR, sink);
	if (len < 0)
		return refuse_file(path, NULL, (int)len, sink);
	if (len == CM_CONF_FILE_MAX)
		return refuse_file(path, "16 KiB or longer", -EFBIG, sink);
	if (memchr(text, '\0', (size_t)len))
		return refuse_file(path, "not a text file", -EINVAL, sink);
	cm_conf_parse_lines(settings, path, text, sink);
	return 0;
}

/*
 * The XDG base directory specification: an unset, empty or relative
 * XDG_CONFIG_HOME means $HOME/.config. A user's directory that this process
 * may not enter (a daemon with root's HOME) is nobody's mistake.
 */
static void load_user_file(struct cm_settings *settings,
			   struct cm_conf_sink *sink)
{
	const char *base = secure_getenv("XDG_CONFIG_HOME");
	const char *below = "";
	char path[1024];
	struct cm_line line;

	if (!base || base[0] != '/') {
		base = secure_getenv("HOME");
		below = "/.config";
	}
	if (!base || base[0] != '/')
		return;
	cm_line_init(&line, path, sizeof(path), -1);
	cm_line_fmt(&line, "%s%s/cxlmalloc.conf", base, below);
	if (line.cut)
		refuse_file(base, "too long a path", -ENAMETOOLONG, sink);
	else if (access(path, R_OK) == 0)
		cm_conf_parse_file(settings, path, sink);
}

void cm_conf_load_to(struct cm_settings *settings, struct cm_conf_sink *sink)
{
	int saved = errno;
	const char *text;

	cm_conf_defaults(settings);
	if (getauxval(AT_SECURE))
		return;
	cm_conf_parse_file(settings, CM_CONF_SYSTEM_FILE, sink);
	load_user_file(settings, sink);
	text = secure_getenv(CM_CONF_VARIABLE);
	if (text)
		cm_conf_parse_list(settings, CM_CONF_VARIABLE, text, sink);
	text = secure_getenv(CM_CONF_DISABLE);
	if (text && text[0] && strcmp(text, "0") != 0)
		settings->disable = true;
	errno = saved;
}

static void say_line(void *arg, const char *text)
{
	(void)arg;
	cm_line_say("%s", text);
}

void cm_conf_load(struct cm_settings *settings)
{
	struct cm_conf_sink sink = { .line = say_line };

	cm_conf_load_to(settings, &sink);
	if (sink.nr_bad > 0 && settings->abort_conf)
		abort();
}
