/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/line.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"

void cm_line_init(struct cm_line *line, char *buf, size_t size, int fd)
{
	line->buf = buf;
	line->size = size;
	line->len = 0;
	line->fd = fd;
	line->err = 0;
	line->cut = false;
	buf[0] = '\0';
}

/*
 * A reader that went away must not kill the program through our report:
 * SIGPIPE is held back for this thread and the one we caused is taken out.
 * Raw calls, because write() and sigtimedwait() are cancellation points and a
 * thread must not be cancelled inside malloc.
 */
static ssize_t write_quietly(int fd, const char *buf, size_t len)
{
	static const struct timespec now;
	const size_t kernel_set = _NSIG / 8;
	sigset_t pipe_set, pending, old;
	ssize_t n, got;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigemptyset(&pending);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	do {
		n = syscall(SYS_write, fd, buf, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		n = -errno;
	if (n == -EPIPE && !sigismember(&pending, SIGPIPE)) {
		do {
			got = syscall(SYS_rt_sigtimedwait, &pipe_set, NULL,
				      &now, kernel_set);
		} while (got < 0 && errno == EINTR);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return n;
}

/* A program may have made stderr non-blocking: wait, but not for ever. */
static bool wait_for_room(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	struct timespec longest = { .tv_sec = 1 };

	return syscall(SYS_ppoll, &poll_fd, 1, &longest, NULL, 0) == 1;
}

int cm_line_write(int fd, const char *buf, size_t len)
{
	int saved = errno;
	ssize_t n = 0;

	while (len > 0) {
		n = write_quietly(fd, buf, len);
		if (n == -EAGAIN && wait_for_room(fd))
			continue;
		if (n <= 0)
			break;
		buf += n;
		len -= (size_t)n;
	}
	errno = saved;
	if (n < 0)
		return (int)n;
	return len > 0 ? -EIO : 0;
}

int cm_line_flush(struct cm_line *line)
{
	if (line->fd >= 0 && line->len > 0) {
		/* a gap in the middle is worse than an end that is missing */
		if (!line->err)
			line->err = cm_line_write(line->fd, line->buf,
						  line->len);
		line->len = 0;
		line->buf[0] = '\0';
	}
	return line->err;
}

void cm_line_put(struct cm_line *line, const char *s, size_t len)
{
	size_t room, n;

	while (len > 0) {
		room = line->size - 1 - line->len;
		if (room == 0) {
			if (line->fd < 0 || line->size == 1) {
				line->cut = true;
				return;
			}
			cm_line_flush(line);
			continue;
		}
		n = len < room ? len : room;
		memcpy(line->buf + line->len, s, n);
		line->len += n;
		line->buf[line->len] = '\0';
		s += n;
		len -= n;
	}
}

/* One conversion of a format. */
struct spec {
	bool left, zero;
	size_t width;
	size_t precision;	/* SIZE_MAX: none */
	unsigned longs;		/* 1: long or size_t, 2: long long */
};

static void put_padded(struct cm_line *line, const struct spec *spec,
		       const char *s, size_t len)
{
	size_t pad = spec->width > len ? spec->width - len : 0;

	if (!spec->left && spec->zero && pad > 0 && len > 0 && *s == '-') {
		cm_line_put(line, s++, 1);
		len--;
	}
	for (; !spec->left && pad > 0; pad--)
		cm_line_put(line, spec->zero ? "0" : " ", 1);
	cm_line_put(line, s, len);
	for (; pad > 0; pad--)
		cm_line_put(line, " ", 1);
}

static void put_number(struct cm_line *line, const struct spec *spec,
		       uint64_t value, bool negative, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0);
	if (negative)
		digits[--at] = '-';
	put_padded(line, spec, digits + at, sizeof(digits) - at);
}

static const char *parse_spec(struct spec *spec, const char *fmt, va_list *ap)
{
	int n;

	memset(spec, 0, sizeof(*spec));
	spec->precision = SIZE_MAX;
	for (; *fmt == '-' || *fmt == '0'; fmt++) {
		if (*fmt == '-')
			spec->left = true;
		else
			spec->zero = true;
	}
	if (*fmt == '*') {
		n = va_arg(*ap, int);
		spec->width = n > 0 ? (size_t)n : 0;
		fmt++;
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		spec->width = spec->width * 10 + (size_t)(*fmt - '0');
	if (*fmt == '.') {
		spec->precision = 0;
		if (*++fmt == '*') {
			n = va_arg(*ap, int);
			spec->precision = n > 0 ? (size_t)n : 0;
			fmt++;
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			spec->precision = spec->precision * 10 +
					  (size_t)(*fmt - '0');
	}
	for (; *fmt == 'l' || *fmt == 'z'; fmt++)
		spec->longs++;
	return fmt;
}

static void put_signed(struct cm_line *line, const struct spec *spec,
		       int64_t value)
{
	uint64_t magnitude = (uint64_t)value;

	put_number(line, spec, value < 0 ? 0 - magnitude : magnitude, value < 0,
		   10);
}

static void put_string(struct cm_line *line, const struct spec *spec,
		       const char *s)
{
	if (!s)
		s = "(null)";
	put_padded(line, spec, s, strnlen(s, spec->precision));
}

void cm_line_vfmt(struct cm_line *line, const char *fmt, va_list args)
{
	struct spec spec;
	const char *next;
	uint64_t value;
	va_list ap;
	char c;

	/* a copy, because a va_list parameter may be an array */
	va_copy(ap, args);
	for (; *fmt; fmt++) {
		next = strchrnul(fmt, '%');
		cm_line_put(line, fmt, (size_t)(next - fmt));
		if (!*next)
			break;
		fmt = parse_spec(&spec, next + 1, &ap);
		switch (*fmt) {
		case 's':
			put_string(line, &spec, va_arg(ap, const char *));
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			put_padded(line, &spec, &c, 1);
			break;
		case 'd':
			if (spec.longs == 0)
				put_signed(line, &spec, va_arg(ap, int));
			else if (spec.longs == 1)
				put_signed(line, &spec, va_arg(ap, long));
			else
				put_signed(line, &spec, va_arg(ap, long long));
			break;
		case 'u':
		case 'x':
			if (spec.longs == 0)
				value = va_arg(ap, unsigned);
			else if (spec.longs == 1)
				value = va_arg(ap, unsigned long);
			else
				value = va_arg(ap, unsigned long long);
			put_number(line, &spec, value, false,
				   *fmt == 'u' ? 10 : 16);
			break;
		case '%':
			cm_line_put(line, "%", 1);
			break;
		default:
			goto out;
		}
	}
out:
	va_end(ap);
}

void cm_line_fmt(struct cm_line *line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cm_line_vfmt(line, fmt, ap);
	va_end(ap);
}

void cm_line_quote(struct cm_line *line, const char *s, size_t len)
{
	size_t shown = 0;
	unsigned char c;

	for (; len > 0; s++, len--) {
		c = (unsigned char)*s;
		if (shown >= CM_LINE_QUOTE_MAX) {
			cm_line_put(line, "...", 3);
			return;
		}
		if (c == '\\' || c < ' ' || c >= 0x7f) {
			cm_line_fmt(line, "\\x%02x", c);
			shown += 4;
		} else {
			cm_line_put(line, s, 1);
			shown++;
		}
	}
}

void cm_line_human(struct cm_line *line, uint64_t bytes)
{
	static const char unit[] = "BKMGTPE";
	unsigned at = 0, shift;
	uint64_t whole, tenth;

	while (bytes >> (10 * at) >= 1024)
		at++;
	if (at == 0) {
		cm_line_fmt(line, "%u B", (unsigned)bytes);
		return;
	}
	shift = 10 * at;
	whole = bytes >> shift;
	/* the ten bits below the point are plenty for one digit */
	tenth = ((bytes >> (shift - 10)) & 1023) * 10 / 1024;
	cm_line_fmt(line, "%u.%u %ciB", (unsigned)whole, (unsigned)tenth,
		    unit[at]);
}

CM_COLD void cm_line_say(const char *fmt, ...)
{
	char buf[CM_LINE_MAX];
	struct cm_line line;
	va_list ap;

	/* the byte kept back is the newline's, also when the text is cut */
	cm_line_init(&line, buf, sizeof(buf) - 1, -1);
	cm_line_fmt(&line, "cxlmalloc: ");
	va_start(ap, fmt);
	cm_line_vfmt(&line, fmt, ap);
	va_end(ap);
	buf[line.len] = '\n';
	cm_line_write(STDERR_FILENO, buf, line.len + 1);
}
