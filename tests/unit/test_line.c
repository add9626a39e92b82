/* SPDX-License-Identifier: BSD-2-Clause */
/* line: text without stdio says what stdio would */
#include "support/test.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/line.h"
#include "base/types.h"

#define assert_fmt(...) \
	do { \
		char ours[256], theirs[256]; \
		struct cm_line line; \
\
		cm_line_init(&line, ours, sizeof(ours), -1); \
		cm_line_fmt(&line, __VA_ARGS__); \
		snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		assert_string_equal(ours, theirs); \
		assert_int_equal(line.len, strlen(theirs)); \
		assert_false(line.cut); \
	} while (0)

static void formats_are_those_of_printf(void **state)
{
	(void)state;
	assert_fmt("plain");
	assert_fmt("%s|%.2s|%.*s|%5s|%-5s|%*s", "a", "bcd", 1, "ef", "g", "h",
		   3, "i");
	assert_fmt("%c%%", 'x');
	assert_fmt("%d %d %d", 0, INT_MIN, INT_MAX);
	assert_fmt("%ld %lld %lld", LONG_MIN, LLONG_MIN, LLONG_MAX);
	assert_fmt("%u %lu %llu %zu", UINT_MAX, ULONG_MAX, ULLONG_MAX,
		   (size_t)1);
	assert_fmt("%x %lx %08x %2x", 0xdeadbeefu, ULONG_MAX, 0x1fu, 0x123u);
	assert_fmt("%5d|%-5d|%05d|%05d|%*u", 42, 42, 42, -42, 6, 7u);
}

static void a_full_buffer_is_cut(void **state)
{
	struct cm_line line;
	char buf[8];

	(void)state;
	cm_line_init(&line, buf, sizeof(buf), -1);
	cm_line_fmt(&line, "%s", "1234567");
	assert_false(line.cut);
	assert_string_equal(buf, "1234567");
	cm_line_fmt(&line, "%d", 8);
	assert_true(line.cut);
	assert_string_equal(buf, "1234567");
	cm_line_init(&line, buf, 1, -1);
	cm_line_put(&line, "x", 1);
	assert_true(line.cut);
	assert_string_equal(buf, "");
}

static void a_stream_loses_nothing(void **state)
{
	struct cm_line line;
	char buf[8], out[64];
	int fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	cm_line_init(&line, buf, sizeof(buf), fds[1]);
	for (int i = 0; i < 10; i++)
		cm_line_fmt(&line, "%d,", i);
	cm_line_put(&line, "abcdefghijklmnop", 16);
	assert_int_equal(cm_line_flush(&line), 0);
	close(fds[1]);
	n = read(fds[0], out, sizeof(out) - 1);
	assert_int_equal(n, 36);
	out[n] = '\0';
	assert_string_equal(out, "0,1,2,3,4,5,6,7,8,9,abcdefghijklmnop");
	assert_false(line.cut);
	close(fds[0]);
}

static void the_first_failed_write_is_remembered(void **state)
{
	struct cm_line line;
	char buf[4];

	(void)state;
	errno = 4711;
	cm_line_init(&line, buf, sizeof(buf), 1000000);
	cm_line_put(&line, "0123456789", 10);
	assert_int_equal(cm_line_flush(&line), -EBADF);
	assert_int_equal(errno, 4711);
}

static void foreign_bytes_are_escaped_and_cut(void **state)
{
	char buf[CM_LINE_QUOTE_MAX + 8], long_text[200];
	struct cm_line line;

	(void)state;
	cm_line_init(&line, buf, sizeof(buf), -1);
	cm_line_quote(&line, "a\0b\n\x7f\\~\xc2\x9b", 9);
	assert_string_equal(buf, "a\\x00b\\x0a\\x7f\\x5c~\\xc2\\x9b");
	memset(long_text, 'q', sizeof(long_text));
	cm_line_init(&line, buf, sizeof(buf), -1);
	cm_line_quote(&line, long_text, CM_LINE_QUOTE_MAX);
	assert_int_equal(line.len, CM_LINE_QUOTE_MAX);
	cm_line_init(&line, buf, sizeof(buf), -1);
	cm_line_quote(&line, long_text, CM_LINE_QUOTE_MAX + 1);
	assert_int_equal(line.len, CM_LINE_QUOTE_MAX + 3);
	assert_string_equal(buf + CM_LINE_QUOTE_MAX, "...");
	assert_false(line.cut);
}

static void assert_human(uint64_t bytes, const char *expected)
{
	struct cm_line line;
	char buf[32];

	cm_line_init(&line, buf, sizeof(buf), -1);
	cm_line_human(&line, bytes);
	assert_string_equal(buf, expected);
}

static void sizes_for_people_never_round_up(void **state)
{
	(void)state;
	assert_human(0, "0 B");
	assert_human(1023, "1023 B");
	assert_human(1024, "1.0 KiB");
	assert_human(1535, "1.4 KiB");
	assert_human(1536, "1.5 KiB");
	assert_human(MIB - 1, "1023.9 KiB");
	assert_human(64 * MIB, "64.0 MiB");
	assert_human(5 * GIB + GIB / 2, "5.5 GiB");
	assert_human(TIB, "1.0 TiB");
	assert_human(UINT64_MAX, "15.9 EiB");
}

static void a_message_is_one_write_with_a_newline(void **state)
{
	int kept = dup(STDERR_FILENO), fds[2];
	char out[2 * CM_LINE_MAX], text[2 * CM_LINE_MAX];
	ssize_t n;

	(void)state;
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(pipe2(fds, 0), 0);
	dup2(fds[1], STDERR_FILENO);
	errno = 4711;
	cm_line_say("%s=%d", "a", 1);
	assert_int_equal(errno, 4711);
	n = read(fds[0], out, sizeof(out) - 1);
	cm_line_say("%s", text);
	dup2(kept, STDERR_FILENO);
	assert_true(n > 0);
	out[n] = '\0';
	assert_string_equal(out, "cxlmalloc: a=1\n");
	n = read(fds[0], out, sizeof(out) - 1);
	assert_in_range(n, CM_LINE_MAX - 2, CM_LINE_MAX);
	assert_int_equal(out[n - 1], '\n');
	assert_int_equal(out[n - 2], 't');
	close(fds[0]);
	close(fds[1]);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_those_of_printf),
		cmocka_unit_test(a_full_buffer_is_cut),
		cmocka_unit_test(a_stream_loses_nothing),
		cmocka_unit_test(the_first_failed_write_is_remembered),
		cmocka_unit_test(foreign_bytes_are_escaped_and_cut),
		cmocka_unit_test(sizes_for_people_never_round_up),
		cmocka_unit_test(a_message_is_one_write_with_a_newline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
