/* SPDX-License-Identifier: BSD-2-Clause */
/* emit: the report arrives wherever it is to go, or that is said */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/emit.h"
#include "support/report.h"

static void a_reader_that_stopped_holds_nobody_up(void **state)
{
	struct cm_report *r = huge_report();
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) > 0);
	assert_int_equal(cm_emit(r, CM_STATS_TABLE, fds[1]), -EAGAIN);
	close(fds[0]);
	close(fds[1]);
}

static void a_reader_that_left_does_no_harm(void **state)
{
	sigset_t pending;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	errno = 4711;
	assert_int_equal(cm_emit(report(), CM_STATS_TABLE, fds[1]), -EPIPE);
	assert_int_equal(errno, 4711);
	close(fds[1]);
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGPIPE));
	assert_int_equal(cm_emit(report(), CM_STATS_TABLE, fds[1]), -EBADF);
	assert_int_equal(errno, 4711);
}

/* Run cm_emit_file with stderr on a file; what came there is in *heard. */
static int emit_file(const char *stats_file, char **heard)
{
	struct cm_settings settings = { .stats_format = CM_STATS_JSON };
	int kept = dup(STDERR_FILENO), fd, err;
	char path[128];

	path_in_dir(path, "stderr");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && kept >= 0);
	strcpy(settings.stats_file, stats_file);
	dup2(fd, STDERR_FILENO);
	err = cm_emit_file(report(), &settings);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fd);
	*heard = read_file(path);
	return err;
}

static void without_a_file_it_goes_to_stderr(void **state)
{
	char *heard;

	(void)state;
	assert_int_equal(emit_file("", &heard), 0);
	assert_true(strncmp(heard, "{\"schema\":1,\"pid\":812", 20) == 0);
	free(heard);
}

static void a_file_is_appended_to(void **state)
{
	char path[128], *heard, *text, *second;

	(void)state;
	path_in_dir(path, "r.%%.%p.json");
	assert_int_equal(emit_file(path, &heard), 0);
	assert_string_equal(heard, "");
	free(heard);
	assert_int_equal(emit_file(path, &heard), 0);
	free(heard);
	path_in_dir(path, "r.%.812.json");
	text = read_file(path);
	second = strchr(text, '\n') + 1;
	assert_true(strncmp(second, "{\"schema\":1", 11) == 0);
	assert_int_equal(strlen(text), 2 * strlen(second));
	free(text);
}

static void expect_refusal(const char *path, int err, const char *why)
{
	char *heard;

	assert_int_equal(emit_file(path, &heard), err);
	assert_contains(heard, "cxlmalloc: stats_file=");
	assert_contains(heard, why);
	assert_contains(heard, ", report goes to stderr\n{\"schema\":1");
	free(heard);
}

static void what_cannot_be_opened_is_said(void **state)
{
	char path[128], target[128];

	(void)state;
	expect_refusal("/nonexistent/r", -ENOENT, ": no such directory");
	expect_refusal(dir, -EISDIR, ": is a directory");
	path_in_dir(path, "link");
	path_in_dir(target, "target");
	assert_int_equal(symlink(target, path), 0);
	expect_refusal(path, -ELOOP, "/link: is a symbolic link");
	assert_int_equal(access(target, F_OK), -1);
	path_in_dir(path, "fifo");
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refusal(path, -ENXIO, "/fifo: is a pipe without a reader");
	path_in_dir(path, "no\033/r");
	expect_refusal(path, -ENOENT, "/no\\x1b/r: no such");
}

static void a_name_too_long_is_said(void **state)
{
	char name[CM_STATS_FILE_MAX];

	(void)state;
	for (unsigned i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "%p", 2);
	name[sizeof(name) - 2] = '\0';
	expect_refusal(name, -ENAMETOOLONG, ": too long a name");
}

static void a_closed_stderr_is_reached_if_held(void **state)
{
	struct cm_settings settings = { .stats_format = CM_STATS_JSON };
	int kept = dup(STDERR_FILENO), fd;
	char path[128], *text;

	(void)state;
	path_in_dir(path, "held");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	close(STDERR_FILENO);
	assert_int_equal(cm_emit_file(report(), &settings), -EBADF);
	dup2(fd, STDERR_FILENO);
	cm_emit_hold_stderr();
	close(STDERR_FILENO);
	assert_int_equal(cm_emit_file(report(), &settings), 0);
	text = read_file(path);
	assert_contains(text, "{\"schema\":1");
	free(text);
	/* the number now means something else: nothing is written to it */
	assert_true(fcntl(100, F_GETFD) >= 0);
	path_in_dir(path, "other");
	close(fd);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	dup2(fd, 100);
	close(fd);
	close(STDERR_FILENO);
	assert_int_equal(cm_emit_file(report(), &settings), -EBADF);
	text = read_file(path);
	assert_string_equal(text, "");
	free(text);
	close(100);
	dup2(kept, STDERR_FILENO);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_stopped_holds_nobody_up),
		cmocka_unit_test(a_reader_that_left_does_no_harm),
		cmocka_unit_test(without_a_file_it_goes_to_stderr),
		cmocka_unit_test(a_file_is_appended_to),
		cmocka_unit_test(what_cannot_be_opened_is_said),
		cmocka_unit_test(a_name_too_long_is_said),
		cmocka_unit_test(a_closed_stderr_is_reached_if_held),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
