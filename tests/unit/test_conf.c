/* SPDX-License-Identifier: BSD-2-Clause */
/* conf: every message, every source */
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

static void assert_nodes(const struct cm_nodeset *nodes, const char *expected)
{
	char text[CM_NODESET_TEXT_MAX];

	cm_nodeset_format(nodes, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* text has one thing wrong with it, and this is what we say */
static void assert_says(const char *text, const char *expected)
{
	struct messages messages;

	parse(text, &messages);
	if (messages.nr != 1)
		fail_msg("%s: %u messages", text, messages.nr);
	assert_string_equal(messages.text[0], expected);
	assert_int_equal(messages.sink.nr_bad, 1);
}

static void a_bad_value_is_one_line(void **state)
{
	(void)state;
#define WEIGHTS							\
	"not auto, two weights in 0..1000 (3:1) or nodes' weights "	\
	"(0=3,2=1), using auto"
#define SAYS(token, rest) assert_says(token, "CXLMALLOC_CONF: " token ": " rest)
	SAYS("ddr.limit=12q",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("ddr.limit=0%",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("ddr.limit=101%",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("ddr.limit=%",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("ddr.limit=",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("cxl.limit=16e",
	     "not a size (bytes with k, m, g or t), 1% to 100%, or none, "
	     "using none");
	SAYS("mmap.min=none", "not a size (bytes with k, m, g or t) in 4k..1t, "
			      "using 256k");
	SAYS("mmap.min=2t", "not a size (bytes with k, m, g or t) in 4k..1t, "
			    "using 256k");
	SAYS("cxl.limit=16777216t", "too large a size (none: no limit), "
				    "using none");
	SAYS("interleave=0=3,0=1", WEIGHTS);
	SAYS("cxl.groups=near=1/far=1",
	     "not noop, node or at most 7 names "
	     "with nodes (near=1-2/far=3+4), using noop");
	SAYS("interleave=3", WEIGHTS);
	SAYS("interleave=0:0", WEIGHTS);
	SAYS("interleave=1:1:1", WEIGHTS);
	SAYS("interleave=1:1001", WEIGHTS);
	SAYS("interleave=-1:2", WEIGHTS);
	SAYS("interleave=:", WEIGHTS);
	SAYS("policy=sizes", "not priority, interleave, size or bandwidth, "
			     "using priority");
	SAYS("rule=a", "not [MODULE][!SYMBOL]:ddr or :cxl, globs on a file's "
		       "base name and a symbol; up to 32, ';' between them, "
		       "ignored");
	SAYS("order=ddr:hbm", "not ddr:cxl, cxl:ddr, ddr or cxl, "
			      "using ddr:cxl");
	SAYS("on_full=explode", "not fail, spill, interleave or remain, "
				"using spill");
	SAYS("placement=loose", "not auto, strict or preferred, using auto");
	SAYS("ddr.nodes=emulated", "not auto or a list of nodes in 0..1023 "
				   "(0-1,3), using auto");
	SAYS("ddr.nodes=", "not auto or a list of nodes in 0..1023 (0-1,3), "
			   "using auto");
	SAYS("cxl.nodes=0,1024", "not auto, emulated or a list of nodes in "
				 "0..1023 (0-1,3), using auto");
	SAYS("arenas=257", "not in 0..256, using 0");
	SAYS("arenas=-1", "not in 0..256, using 0");
	SAYS("arenas=many", "not in 0..256, using 0");
	SAYS("decay_ms=600001", "not in -1..600000, using 10000");
	SAYS("decay_ms=-2", "not in -1..600000, using 10000");
	SAYS("stats_print=yes", "not true or false, using false");
	SAYS("stats_format=xml", "not table or json, using table");
	SAYS("abort_conf=1", "not true or false, using false");
	/* the separator is shown as it was written */
	SAYS("arenas : 257", "not in 0..256, using 0");
#undef SAYS
}

static void what_is_no_setting_is_one_line(void **state)
{
	(void)state;
	assert_says("foo", "CXLMALLOC_CONF: foo: not key=value, ignored");
	assert_says("order=ddr,cxl",
		    "CXLMALLOC_CONF: cxl: not key=value, ignored");
	assert_says("2-3", "CXLMALLOC_CONF: 2-3: not key=value, ignored");
	assert_says("=5", "CXLMALLOC_CONF: =5: unknown key, ignored");
	assert_says("colour=red",
		    "CXLMALLOC_CONF: colour=red: unknown key, ignored");
}

static void a_near_key_is_suggested(void **state)
{
	(void)state;
	assert_says("ddr.limt=1g", "CXLMALLOC_CONF: ddr.limt=1g: unknown key, "
				   "did you mean ddr.limit?");
	assert_says("narenas:10", "CXLMALLOC_CONF: narenas:10: unknown key, "
				  "did you mean arenas?");
	assert_says("ON_FULL=fail",
		    "CXLMALLOC_CONF: ON_FULL=fail: unknown key, ignored");
	assert_says("exmem_sise:4", "CXLMALLOC_CONF: exmem_sise:4: unknown "
				    "key, did you mean exmem_size?");
	/* a list behind an unknown key is not a second mistake */
	assert_says("ddr.node=0,2-3", "CXLMALLOC_CONF: ddr.node=0,2-3: unknown "
				      "key, did you mean ddr.nodes?");
}

static void a_bad_value_keeps_the_good_one_before(void **state)
{
	struct messages messages;
	struct cm_settings s = parse("ddr.limit=64m,ddr.limit=64q,arenas=4",
				     &messages);

	(void)state;
	assert_int_equal(messages.nr, 1);
	assert_string_equal(
		messages.text[0],
		"CXLMALLOC_CONF: ddr.limit=64q: not a size (bytes "
		"with k, m, g or t), 1% to 100%, or none, using 64m");
	assert_true(s.tier[CM_TIER_DDR].limit == 64 * MIB);
	assert_int_equal(s.nr_arenas, 4);
}

static void each_bad_setting_is_counted(void **state)
{
	struct messages messages;

	(void)state;
	parse("a=1,order=ddr,b,arenas=x", &messages);
	assert_int_equal(messages.nr, 3);
	assert_int_equal(messages.sink.nr_bad, 3);
}

static void foreign_text_cannot_reach_the_terminal(void **state)
{
	(void)state;
	assert_says("order=\033[31m\x7f\xc3\xa4\\",
		    "CXLMALLOC_CONF: order=\\x1b[31m\\x7f\\xc3\\xa4\\x5c: not "
		    "ddr:cxl, cxl:ddr, ddr or cxl, using ddr:cxl");
}

static void huge_tokens_are_cut_in_messages(void **state)
{
	struct messages messages;
	char *text = malloc(1 << 20);

	(void)state;
	assert_non_null(text);
	memset(text, 'k', (1 << 20) - 1);
	text[(1 << 20) - 1] = '\0';
	parse(text, &messages);
	assert_int_equal(messages.nr, 1);
	assert_non_null(strstr(messages.text[0], "kkk...: not key=value"));
	memcpy(text, "order=", 6);
	parse(text, &messages);
	assert_int_equal(messages.nr, 1);
	assert_non_null(strstr(messages.text[0], "kkk...: not ddr:cxl"));
	memset(text, '\1', 64);
	parse(text, &messages);
	assert_int_equal(messages.nr, 1);
	free(text);
}

static void lines_of_a_file_are_numbered(void **state)
{
	struct messages messages;
	struct cm_settings s;

	(void)state;
	messages_init(&messages);
	cm_conf_defaults(&s);
	cm_conf_parse_lines(&s, "/etc/cxlmalloc.conf",
			    "# ours\norder = cxl:ddr\n\nddr.limits=1g\n"
			    "ddr.nodes = 0,2-3 # both\narenas=4,5\n",
			    &messages.sink);
	assert_int_equal(messages.nr, 2);
	assert_string_equal(messages.text[0],
			    "/etc/cxlmalloc.conf:4: ddr.limits=1g: unknown "
			    "key, did you mean ddr.limit?");
	assert_string_equal(messages.text[1],
			    "/etc/cxlmalloc.conf:6: arenas=4,5: not in 0..256, "
			    "using 0");
	assert_int_equal(s.order[0], CM_TIER_CXL);
	assert_nodes(&s.tier[CM_TIER_DDR].nodes, "0,2-3");
}

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

#define TEST(test) cmocka_unit_test(test)
#define SOURCE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bad_value_is_one_line),
		TEST(what_is_no_setting_is_one_line),
		TEST(a_near_key_is_suggested),
		TEST(a_bad_value_keeps_the_good_one_before),
		TEST(each_bad_setting_is_counted),
		TEST(foreign_text_cannot_reach_the_terminal),
		TEST(huge_tokens_are_cut_in_messages),
		TEST(lines_of_a_file_are_numbered),
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
