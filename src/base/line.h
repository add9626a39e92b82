/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line - text without malloc, stdio or locale
 *
 * A struct cm_line fills a buffer of the caller's. With an fd it is a stream
 * and writes the buffer out when it is full; with fd -1 what does not fit is
 * dropped, cut is set, and the text stays NUL-terminated.
 *
 * Formats: %s %c %d %u %x %%, with l, ll or z before d, u and x, a width,
 * '-' and '0' before it, and a precision ('.N', '.*') for %s. The compiler
 * checks the arguments as it does for printf; nothing else is understood.
 *
 * Nothing here changes errno or raises SIGPIPE in the program.
 */
#ifndef CM_BASE_LINE_H
#define CM_BASE_LINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cm_line {
	char *buf;
	size_t size;	/* of buf, at least 1 */
	size_t len;	/* without the NUL */
	int fd;		/* where a full buffer goes; -1: nowhere */
	int err;	/* of the first write that failed, as -errno */
	bool cut;	/* something was dropped */
};

/* A line of this size holds any message of ours, values cut as below. */
#define CM_LINE_MAX	512
/* cm_line_quote shows at most this many characters of a foreign string. */
#define CM_LINE_QUOTE_MAX	80

void cm_line_init(struct cm_line *line, char *buf, size_t size, int fd);
void cm_line_put(struct cm_line *line, const char *s, size_t len);
void cm_line_fmt(struct cm_line *line, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void cm_line_vfmt(struct cm_line *line, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/*
 * A string from outside, safe for a terminal: backslash, control characters
 * and bytes beyond ASCII as \xNN, no more than CM_LINE_QUOTE_MAX characters,
 * then "...".
 */
void cm_line_quote(struct cm_line *line, const char *s, size_t len);

/* Bytes in the largest unit that leaves a whole part: "64.0 MiB". */
void cm_line_human(struct cm_line *line, uint64_t bytes);

/* Write out what the buffer holds; 0 or the -errno of any write so far. */
int cm_line_flush(struct cm_line *line);

/*
 * All of buf to fd, in one write(2) unless the kernel takes less. 0 or
 * -errno; -EAGAIN when a non-blocking fd had no room for a second.
 */
int cm_line_write(int fd, const char *buf, size_t len);

/* "cxlmalloc: ", the text and a newline on stderr, in one write. */
void cm_line_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
