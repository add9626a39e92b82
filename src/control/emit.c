/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/emit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/line.h"
#include "base/nodeset.h"
#include "control/option.h"

#define BUFFER_SIZE	(16 * 1024)

static const char *const binding_name[] = {
	[CM_BINDING_NONE] = "none",	[CM_BINDING_EMULATED] = "emulated",
	[CM_BINDING_STRICT] = "strict", [CM_BINDING_PREFERRED] = "preferred",
	[CM_BINDING_DENIED] = "denied", [CM_BINDING_OFFLINE] = "offline",
};

static const char *const state_name[] = {
	[CM_STATE_TIERED] = "tiered",
	[CM_STATE_DISABLED] = "disabled",
	[CM_STATE_NO_WINDOW] = "no_window",
	[CM_STATE_SANITIZER] = "sanitizer",
};

static const char *state_meaning(enum cm_state state)
{
	switch (state) {
	case CM_STATE_TIERED:
		return "each tier has its own memory and limit";
	case CM_STATE_DISABLED:
		return "switched off by the operator, jemalloc with one pool";
	case CM_STATE_NO_WINDOW:
		return "no room in the address space for two tiers, one pool";
	case CM_STATE_SANITIZER:
		return "a sanitizer owns malloc, nothing is placed";
	}
	return "";
}

static void put_text(struct cm_line *out, const char *text)
{
	cm_line_put(out, text, strlen(text));
}

static void json_string(struct cm_line *out, const char *s)
{
	put_text(out, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			cm_line_fmt(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			cm_line_fmt(out, "\\u%04x", (unsigned char)*s);
		else
			cm_line_put(out, s, 1);
	}
	put_text(out, "\"");
}

static void json_number(struct cm_line *out, const char *key, uint64_t value)
{
	cm_line_fmt(out, ",\"%s\":%llu", key, (unsigned long long)value);
}

static void json_resident(struct cm_line *out,
			  const struct cm_report_tier *tier)
{
	const char *comma = "";
	unsigned node;

	put_text(out, ",\"resident\":");
	if (!tier->resident_known) {
		put_text(out, "null");
		return;
	}
	put_text(out, "{");
	for (node = 0; node < CM_MAX_NODES; node++) {
		if (!tier->resident[node] &&
		    !cm_nodeset_test(&tier->nodes, node))
			continue;
		cm_line_fmt(out, "%s\"%u\":%llu", comma, node,
			    (unsigned long long)tier->resident[node]);
		comma = ",";
	}
	put_text(out, "}");
}

static void json_tier(struct cm_line *out, const struct cm_report_tier *tier)
{
	const char *comma = "";
	unsigned node;

	cm_line_fmt(out, "{\"tier\":\"%s\",\"binding\":\"%s\",\"nodes\":[",
		    cm_tier_name(tier->tier), binding_name[tier->binding]);
	cm_nodeset_for_each(node, &tier->nodes) {
		cm_line_fmt(out, "%s%u", comma, node);
		comma = ",";
	}
	put_text(out, "]");
	json_number(out, "used", tier->used);
	json_number(out, "in_use", tier->in_use);
	json_number(out, "cached", tier->cached);
	if (tier->limit == CM_NO_LIMIT)
		put_text(out, ",\"limit\":null");
	else
		json_number(out, "limit", tier->limit);
	json_number(out, "peak", tier->peak);
	json_number(out, "over", tier->over);
	json_number(out, "over_peak", tier->over_peak);
	json_number(out, "metadata", tier->metadata);
	json_number(out, "allocs", tier->nr_allocs);
	json_number(out, "frees", tier->nr_frees);
	json_number(out, "full", tier->nr_full);
	json_number(out, "arenas", tier->nr_arenas);
	json_resident(out, tier);
	json_number(out, "misplaced", tier->misplaced);
	put_text(out, "}");
}

static void emit_json(struct cm_line *out, const struct cm_report *report)
{
	cm_line_fmt(out, "{\"schema\":1,\"pid\":%d,\"version\":", report->pid);
	json_string(out, report->version);
	put_text(out, ",\"jemalloc\":");
	json_string(out, report->jemalloc_version);
	cm_line_fmt(out, ",\"state\":\"%s\",\"order\":[",
		    state_name[report->state]);
	for (unsigned i = 0; i < report->nr_order; i++)
		cm_line_fmt(out, "%s\"%s\"", i > 0 ? "," : "",
			    cm_tier_name(report->order[i]));
	put_text(out, "],\"on_full\":");
	json_string(out, report->on_full);
	put_text(out, ",\"tiers\":[");
	for (unsigned i = 0; i < CM_NR_TIERS; i++) {
		if (i > 0)
			put_text(out, ",");
		json_tier(out, &report->tier[i]);
	}
	put_text(out, "]}\n");
}

/*
 * The table has a row per figure and a column per tier: it stays within 80
 * columns and a third tier only adds a column.
 */
#define NAME_WIDTH	10
#define CELL_WIDTH	13
#define CELL_MAX	64

static void put_cell(struct cm_line *out, const char *text)
{
	cm_line_fmt(out, " %*s", CELL_WIDTH - 1, text);
}

static void size_cell(struct cm_line *out, uint64_t bytes)
{
	char text[CELL_MAX];
	struct cm_line cell;

	cm_line_init(&cell, text, sizeof(text), -1);
	cm_line_human(&cell, bytes);
	put_cell(out, text);
}

static void count_cell(struct cm_line *out, uint64_t count)
{
	cm_line_fmt(out, " %*llu", CELL_WIDTH - 1, (unsigned long long)count);
}

static void nodes_cell(struct cm_line *out, const struct cm_nodeset *nodes)
{
	char text[CELL_MAX];

	if (cm_nodeset_empty(nodes))
		put_cell(out, "any");
	else if (cm_nodeset_format(nodes, text, sizeof(text)) < 0)
		put_cell(out, "many");
	else
		put_cell(out, text);
}

static const struct row {
	const char *name;
	unsigned at;		/* of a uint64_t in struct cm_report_tier */
	bool count;		/* not bytes */
	const char *meaning;
} rows[] = {
#define ROW(name, field, count, meaning) \
	{ \
		name, offsetof(struct cm_report_tier, field), count, meaning \
	}
	ROW("used", used, false, "committed now"),
	ROW("in use", in_use, false, "in blocks the program holds"),
	ROW("cached", cached, false, "free, kept for the next allocation"),
	ROW("limit", limit, false, "of used"),
	ROW("peak", peak, false, "highest used"),
	ROW("over", over, false, "used beyond the limit now"),
	ROW("over peak", over_peak, false, "highest over"),
	ROW("metadata", metadata, false, "jemalloc's own, not in used"),
	ROW("allocs", nr_allocs, true, "blocks handed out"),
	ROW("frees", nr_frees, true, "blocks given back"),
	ROW("full", nr_full, true, "times the tier was found full"),
	ROW("arenas", nr_arenas, true, ""),
#undef ROW
};

static void table_row(struct cm_line *out, const struct cm_report *report,
		      const struct row *row)
{
	const char *tier;
	uint64_t value;

	cm_line_fmt(out, "%-*s", NAME_WIDTH, row->name);
	for (unsigned i = 0; i < CM_NR_TIERS; i++) {
		tier = (const char *)&report->tier[i];
		memcpy(&value, tier + row->at, sizeof(value));
		if (row->count)
			count_cell(out, value);
		else if (value == CM_NO_LIMIT)
			put_cell(out, "none");
		else
			size_cell(out, value);
	}
	cm_line_fmt(out, "%s%s\n", *row->meaning ? "  " : "", row->meaning);
}

static void table_residency(struct cm_line *out, const struct cm_report *report)
{
	const struct cm_report_tier *tier;
	unsigned node, i;
	bool shown;

	for (node = 0; node < CM_MAX_NODES; node++) {
		shown = false;
		for (i = 0; i < CM_NR_TIERS; i++) {
			tier = &report->tier[i];
			shown |= tier->resident_known &&
				 (tier->resident[node] ||
				  cm_nodeset_test(&tier->nodes, node));
		}
		if (!shown)
			continue;
		cm_line_fmt(out, "node %-*u", NAME_WIDTH - 5, node);
		for (i = 0; i < CM_NR_TIERS; i++) {
			tier = &report->tier[i];
			if (tier->resident_known)
				size_cell(out, tier->resident[node]);
			else
				put_cell(out, "unknown");
		}
		put_text(out, "  resident there, says the kernel\n");
	}
}

static void table_remarks(struct cm_line *out,
			  const struct cm_report_tier *tier, bool tiered)
{
	const char *name = cm_tier_name(tier->tier);

	if (tier->binding == CM_BINDING_EMULATED)
		cm_line_fmt(out, "%s is emulated: %s\n", name,
			    "ordinary memory, accounted and limited as its "
			    "own tier");
	if (tier->binding == CM_BINDING_DENIED)
		cm_line_fmt(out, "%s has binding=denied: %s\n", name,
			    "the kernel refused mbind, its pages may be on "
			    "any node");
	if (tier->misplaced > 0) {
		cm_line_fmt(out, "%s has ", name);
		cm_line_human(out, tier->misplaced);
		put_text(out, " misplaced: resident outside its nodes\n");
	}
	if (!tier->resident_known && tiered)
		cm_line_fmt(out, "%s: %s\n", name,
			    "the kernel did not tell which nodes its pages "
			    "are on");
}

static void emit_table(struct cm_line *out, const struct cm_report *report)
{
	unsigned i;

	cm_line_fmt(out, "cxlmalloc %s, jemalloc %s, process %d\n",
		    report->version, report->jemalloc_version, report->pid);
	cm_line_fmt(out, "%s: %s; order=", state_name[report->state],
		    state_meaning(report->state));
	for (i = 0; i < report->nr_order; i++)
		cm_line_fmt(out, "%s%s", i > 0 ? ":" : "",
			    cm_tier_name(report->order[i]));
	cm_line_fmt(out, " on_full=%s\n", report->on_full);

	cm_line_fmt(out, "%-*s", NAME_WIDTH, "tier");
	for (i = 0; i < CM_NR_TIERS; i++)
		put_cell(out, cm_tier_name(report->tier[i].tier));
	cm_line_fmt(out, "\n%-*s", NAME_WIDTH, "binding");
	for (i = 0; i < CM_NR_TIERS; i++)
		put_cell(out, binding_name[report->tier[i].binding]);
	cm_line_fmt(out, "\n%-*s", NAME_WIDTH, "nodes");
	for (i = 0; i < CM_NR_TIERS; i++)
		nodes_cell(out, &report->tier[i].nodes);
	put_text(out, "\n");

	for (i = 0; i < CM_ARRAY_SIZE(rows); i++)
		table_row(out, report, &rows[i]);
	table_residency(out, report);
	for (i = 0; i < CM_NR_TIERS; i++)
		table_remarks(out, &report->tier[i],
			      report->state == CM_STATE_TIERED);
}

int cm_emit(const struct cm_report *report, enum cm_stats_format format, int fd)
{
	char buf[BUFFER_SIZE];
	struct cm_line out;

	cm_line_init(&out, buf, sizeof(buf), fd);
	if (format == CM_STATS_JSON)
		emit_json(&out, report);
	else
		emit_table(&out, report);
	return cm_line_flush(&out);
}

/* %p and %% in the name; anything else behind a % is itself. */
static void expand_path(struct cm_line *path, const char *pattern, int pid)
{
	for (; *pattern; pattern++) {
		if (pattern[0] == '%' && pattern[1] == 'p') {
			cm_line_fmt(path, "%d", pid);
			pattern++;
		} else {
			if (pattern[0] == '%' && pattern[1] == '%')
				pattern++;
			cm_line_put(path, pattern, 1);
		}
	}
}

/*
 * O_NOFOLLOW: /tmp/stats may be someone else's link to a file of ours.
 * O_NONBLOCK: a program must not hang at exit for want of a reader; it is
 * taken back, so that a slow reader gets the whole report. A raw call, as
 * open() is a cancellation point.
 */
static int open_file(const char *path)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
		    O_NOCTTY | O_NONBLOCK;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);

	if (fd < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	return fd;
}

static const char *why_not_open(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return "permission denied";
	case -ENOENT:
		return "no such directory";
	case -EISDIR:
		return "is a directory";
	case -ELOOP:
		return "is a symbolic link";
	case -ENXIO:
		return "is a pipe without a reader";
	case -ENAMETOOLONG:
		return "too long a name";
	default:
		return "cannot be opened";
	}
}

/* -1: not held; dev and ino tell whether the number still means that file. */
static struct {
	int fd;
	dev_t dev;
	ino_t ino;
} held = { .fd = -1 };

void cm_emit_hold_stderr(void)
{
	int saved = errno, fd;
	struct stat st;

	/* low numbers are what programs close and reuse without looking */
	fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		held.fd = fd;
		held.dev = st.st_dev;
		held.ino = st.st_ino;
	}
	errno = saved;
}

static int stderr_fd(void)
{
	struct stat st;

	if (fcntl(STDERR_FILENO, F_GETFD) >= 0)
		return STDERR_FILENO;
	if (held.fd >= 0 && fstat(held.fd, &st) == 0 && st.st_dev == held.dev &&
	    st.st_ino == held.ino)
		return held.fd;
	return -EBADF;
}

static void say_not_open(const char *path, int err)
{
	char shown[CM_LINE_QUOTE_MAX + 8];
	struct cm_line line;

	cm_line_init(&line, shown, sizeof(shown), -1);
	cm_line_quote(&line, path, strlen(path));
	cm_line_say("stats_file=%s: %s (errno %d), report goes to stderr",
		    shown, why_not_open(err), -err);
}

int cm_emit_file(const struct cm_report *report,
		 const struct cm_settings *settings)
{
	char name[CM_STATS_FILE_MAX + 64];
	int saved = errno, fd, err;
	int not_opened = 0;
	struct cm_line path;

	if (settings->stats_file[0]) {
		cm_line_init(&path, name, sizeof(name), -1);
		expand_path(&path, settings->stats_file, report->pid);
		fd = path.cut ? -ENAMETOOLONG : open_file(name);
		if (fd >= 0) {
			err = cm_emit(report, settings->stats_format, fd);
			syscall(SYS_close, fd);
			errno = saved;
			return err;
		}
		not_opened = fd;
		say_not_open(name, not_opened);
	}
	err = fd = stderr_fd();
	if (fd >= 0)
		err = cm_emit(report, settings->stats_format, fd);
	errno = saved;
	return not_opened ? not_opened : err;
}
