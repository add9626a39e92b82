/* SPDX-License-Identifier: BSD-2-Clause */
/* conf: every source */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/nodeset.h"
#include "control/conf.h"
#include "support/messages.h"

/* A directory of our own, with cxlmalloc.conf in it or in .config below. */
static char dir[64], file[128];

static int make_dir(void **state)
{
	char below[96];

	(void)state;
	strcpy(dir, "/tmp/test_conf.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(below, sizeof(below), "%s/.config", dir);
	if (mkdir(below, 0700))
		return -1;
	snprintf(file, sizeof(file), "%s/cxlmalloc.conf", dir);
	unsetenv(CM_CONF_VARIABLE);
	unsetenv(CM_CONF_DISABLE);
	unsetenv("XDG_CONFIG_HOME");
	return setenv("HOME", dir, 1);
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static int parse_file(const char *path, struct messages *messages,
		      struct cm_settings *settings)
{
	messages_init(messages);
	cm_conf_defaults(settings);
	return cm_conf_parse_file(settings, path, &messages->sink);
}

static void a_missing_file_is_no_mistake(void **state)
{
	struct messages messages;
	struct cm_settings s;

	(void)state;
	assert_int_equal(parse_file("/nonexistent/x", &messages, &s), 0);
	assert_int_equal(parse_file("/dev/null/x", &messages, &s), 0);
	assert_int_equal(messages.nr, 0);
}

static void a_file_that_cannot_be_used_is_one_line(void **state)
{
	static char big[CM_CONF_FILE_MAX];
	struct messages messages;
	struct cm_settings s;

	(void)state;
	assert_int_equal(parse_file("/", &messages, &s), -EISDIR);
	assert_string_equal(messages.text[0], "/: is a directory, not read");
	assert_int_equal(messages.sink.nr_bad, 1);

	write_file(file, "order=cxl\n\0arenas=3\n", 20);
	assert_int_equal(parse_file(file, &messages, &s), -EINVAL);
	assert_non_null(strstr(messages.text[0], ": not a text file, not"));
	assert_int_equal(s.order[0], CM_TIER_DDR);

	memset(big, '\n', sizeof(big));
	write_file(file, big, sizeof(big));
	assert_int_equal(parse_file(file, &messages, &s), -EFBIG);
	assert_non_null(strstr(messages.text[0], ": 16 KiB or longer, not"));
	memcpy(big, "order=cxl", 9);
	write_file(file, big, sizeof(big) - 1);
	assert_int_equal(parse_file(file, &messages, &s), 0);
	assert_int_equal(messages.nr, 0);
	assert_int_equal(s.order[0], CM_TIER_CXL);

	if (geteuid() != 0) { /* root reads it */
		chmod(file, 0);
		assert_int_equal(parse_file(file, &messages, &s), -EACCES);
		assert_non_null(strstr(messages.text[0],
				       ": permission denied, not read"));
	}
}

static struct cm_settings load(struct messages *messages)
{
	struct cm_settings settings;

	messages_init(messages);
	errno = 4711;
	cm_conf_load_to(&settings, &messages->sink);
	assert_int_equal(errno, 4711);
	return settings;
}

static void the_environment_wins_over_the_file(void **state)
{
	const char *text = "arenas=3\nddr.limit=1g\n";
	struct messages messages;
	struct cm_settings s;

	(void)state;
	write_file(file, text, strlen(text));
	setenv("XDG_CONFIG_HOME", dir, 1);
	s = load(&messages);
	assert_int_equal(messages.nr, 0);
	assert_int_equal(s.nr_arenas, 3);
	setenv(CM_CONF_VARIABLE, "ddr.limit=2g,decay_ms=5,stats_file=/x", 1);
	s = load(&messages);
	assert_int_equal(messages.nr, 0);
	assert_int_equal(s.nr_arenas, 3);
	assert_true(s.tier[CM_TIER_DDR].limit == 2 * GIB);
	assert_int_equal(s.decay_ms, 5);
	assert_string_equal(s.stats_file, "/x");
}

static void home_stands_in_for_xdg(void **state)
{
	struct messages messages;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/.config/cxlmalloc.conf", dir);
	write_file(path, "arenas=7\n", 9);
	assert_int_equal(load(&messages).nr_arenas, 7);
	setenv("XDG_CONFIG_HOME", "", 1);
	assert_int_equal(load(&messages).nr_arenas, 7);
	setenv("XDG_CONFIG_HOME", "relative", 1);
	assert_int_equal(load(&messages).nr_arenas, 7);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	assert_int_equal(load(&messages).nr_arenas, 0);
	unsetenv("XDG_CONFIG_HOME");
	setenv("HOME", "relative", 1);
	assert_int_equal(load(&messages).nr_arenas, 0);
	unsetenv("HOME");
	assert_int_equal(load(&messages).nr_arenas, 0);
	assert_int_equal(messages.nr, 0);
}

static void a_home_too_long_for_a_path_is_one_line(void **state)
{
	struct messages messages;
	char home[2048];

	(void)state;
	memset(home, 'h', sizeof(home) - 1);
	home[0] = '/';
	home[sizeof(home) - 1] = '\0';
	setenv("HOME", home, 1);
	load(&messages);
	assert_int_equal(messages.nr, 1);
	assert_non_null(strstr(messages.text[0], "...: too long a path"));
}

static void disable_stands_above_all(void **state)
{
	struct messages messages;

	(void)state;
	assert_false(load(&messages).disable);
	setenv(CM_CONF_DISABLE, "1", 1);
	assert_true(load(&messages).disable);
	setenv(CM_CONF_VARIABLE, "use_exmem:true", 1);
	assert_true(load(&messages).disable);
	setenv(CM_CONF_DISABLE, "0", 1);
	assert_false(load(&messages).disable);
	setenv(CM_CONF_DISABLE, "", 1);
	assert_false(load(&messages).disable);
}

/* The signal a child got while it loaded text; what it wrote is in out. */
static int load_in_child(const char *text, char *out, size_t size)
{
	struct cm_settings s;
	int fds[2], status;
	ssize_t len;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	setenv(CM_CONF_VARIABLE, text, 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		signal(SIGABRT, SIG_DFL);
		cm_conf_load(&s);
		_exit(0);
	}
	close(fds[1]);
	len = read(fds[0], out, size - 1);
	out[len > 0 ? len : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_bad_line_is_said_on_stderr(void **state)
{
	char out[1024];

	(void)state;
	assert_int_equal(load_in_child("arenas=x", out, sizeof(out)), 0);
	assert_string_equal(out, "cxlmalloc: CXLMALLOC_CONF: arenas=x: not in "
				 "0..256, using 0\n");
}

static void abort_conf_aborts_wherever_it_stands(void **state)
{
	char out[1024];

	(void)state;
	assert_int_equal(
		load_in_child("arenas=x,abort_conf=true", out, sizeof(out)),
		SIGABRT);
	assert_string_equal(out, "cxlmalloc: CXLMALLOC_CONF: arenas=x: not in "
				 "0..256, using 0\n");
	assert_int_equal(
		load_in_child("abort_conf=true,arenas=x", out, sizeof(out)),
		SIGABRT);
	assert_int_equal(
		load_in_child("abort_conf=true,arenas=1", out, sizeof(out)), 0);
	assert_int_equal(load_in_child("abort_conf=true,arenas=x,"
				       "abort_conf=false",
				       out, sizeof(out)),
			 0);
	/* SMDK's keys without a counterpart are said, but not bad */
	assert_int_equal(load_in_child("abort_conf=true,nr_exmem_arena:4", out,
				       sizeof(out)),
			 0);
	assert_non_null(strstr(out, "nr_exmem_arena:4"));
}

static void abort_conf_in_a_file_covers_the_environment(void **state)
{
	char out[1024];

	(void)state;
	write_file(file, "abort_conf=true\n", 16);
	setenv("XDG_CONFIG_HOME", dir, 1);
	assert_int_equal(load_in_child("arenas=x", out, sizeof(out)), SIGABRT);
	write_file(file, "arenas=x\n", 9);
	assert_int_equal(load_in_child("abort_conf=true", out, sizeof(out)),
			 SIGABRT);
}

#define SOURCE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(a_missing_file_is_no_mistake),
		SOURCE_TEST(a_file_that_cannot_be_used_is_one_line),
		SOURCE_TEST(the_environment_wins_over_the_file),
		SOURCE_TEST(home_stands_in_for_xdg),
		SOURCE_TEST(a_home_too_long_for_a_path_is_one_line),
		SOURCE_TEST(disable_stands_above_all),
		SOURCE_TEST(a_bad_line_is_said_on_stderr),
		SOURCE_TEST(abort_conf_aborts_wherever_it_stands),
		SOURCE_TEST(abort_conf_in_a_file_covers_the_environment),
	};

	/* the machine's own file would be part of what is loaded */
	if (access(CM_CONF_SYSTEM_FILE, F_OK) == 0) {
		printf("1..0 # SKIP %s exists\n", CM_CONF_SYSTEM_FILE);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
