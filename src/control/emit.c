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
#include "control/emit_form.h"
#include "control/option.h"

#define BUFFER_SIZE	(16 * 1024)

const char *const cm_emit_binding[] = {
	[CM_BINDING_NONE] = "none",	[CM_BINDING_EMULATED] = "emulated",
	[CM_BINDING_STRICT] = "strict", [CM_BINDING_PREFERRED] = "preferred",
	[CM_BINDING_DENIED] = "denied", [CM_BINDING_OFFLINE] = "offline",
};

const char *const cm_emit_state[] = {
	[CM_STATE_TIERED] = "tiered",
	[CM_STATE_DISABLED] = "disabled",
	[CM_STATE_NO_WINDOW] = "no_window",
	[CM_STATE_SANITIZER] = "sanitizer",
};

int cm_emit(const struct cm_report *report, enum cm_stats_format format, int fd)
{
	char buf[BUFFER_SIZE];
	struct cm_line out;

	cm_line_init(&out, buf, sizeof(buf), fd);
	if (format == CM_STATS_JSON)
		cm_emit_json(&out, report);
	else
		cm_emit_table(&out, report);
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
static int open_file(const char *path, int how)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
		    O_NONBLOCK | how;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);

	if (fd < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	return fd;
}

int cm_emit_open_new(const char *pattern, int pid)
{
	char name[CM_STATS_FILE_MAX + 64];
	struct cm_line path;

	cm_line_init(&path, name, sizeof(name), -1);
	expand_path(&path, pattern, pid);
	return path.cut ? -ENAMETOOLONG : open_file(name, O_TRUNC);
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
		fd = path.cut ? -ENAMETOOLONG : open_file(name, O_APPEND);
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
