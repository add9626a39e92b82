/* SPDX-License-Identifier: BSD-2-Clause */
/* emit: one report, as a table and as JSON, whole wherever it goes */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/line.h"
#include "base/nodeset.h"
#include "control/emit.h"

static char dir[64];

static void path_in_dir(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", dir, name);
}

/* Tiered, DDR strict on node 0 and full, CXL preferred on nodes 1 and 2. */
static struct cm_report *report(void)
{
	static struct cm_report r;
	struct cm_report_tier *ddr = &r.tier[CM_TIER_DDR];
	struct cm_report_tier *cxl = &r.tier[CM_TIER_CXL];

	r = (struct cm_report){
		.pid = 812, .version = "0.1", .jemalloc_version = "5.3.1",
		.state = CM_STATE_TIERED, .nr_order = 2,
		.order = { CM_TIER_DDR, CM_TIER_CXL }, .on_full = "spill",
	};
	*ddr = (struct cm_report_tier){
		.tier = CM_TIER_DDR, .binding = CM_BINDING_STRICT,
		.used = 64 * MIB, .in_use = 60 * MIB, .cached = 4 * MIB,
		.limit = 64 * MIB, .peak = 64 * MIB, .metadata = 3 * MIB / 2,
		.nr_allocs = 1000, .nr_frees = 7, .nr_full = 1, .nr_arenas = 4,
		.resident_known = true,
	};
	ddr->resident[0] = 63 * MIB;
	cm_nodeset_set(&ddr->nodes, 0);
	*cxl = (struct cm_report_tier){
		.tier = CM_TIER_CXL, .binding = CM_BINDING_PREFERRED,
		.used = 5 * GIB, .in_use = 5 * GIB, .limit = CM_NO_LIMIT,
		.peak = 6 * GIB, .over = 0, .over_peak = 1,
		.nr_allocs = UINT64_MAX, .nr_arenas = 2,
		.resident_known = true, .misplaced = 4096,
	};
	cxl->resident[0] = 4096;
	cxl->resident[1] = 5 * GIB;
	cm_nodeset_set(&cxl->nodes, 1);
	cm_nodeset_set(&cxl->nodes, 2);
	return &r;
}

/* What is written, as text; the caller frees it. */
static char *emitted(const struct cm_report *r, enum cm_stats_format format)
{
	char path[128], *text;
	struct stat st;
	int fd;

	path_in_dir(path, "emitted");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(cm_emit(r, format, fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	return text;
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static char *read_file(const char *path)
{
	char *text = calloc(1, 1 << 16);
	int fd = open(path, O_RDONLY);

	assert_non_null(text);
	assert_true(fd >= 0);
	assert_true(read(fd, text, (1 << 16) - 1) >= 0);
	close(fd);
	return text;
}

static void json_is_what_the_manual_says(void **state)
{
	char *text = emitted(report(), CM_STATS_JSON);

	(void)state;
	assert_string_equal(text,
		"{\"schema\":1,\"pid\":812,\"version\":\"0.1\","
		"\"jemalloc\":\"5.3.1\",\"state\":\"tiered\","
		"\"order\":[\"ddr\",\"cxl\"],\"on_full\":\"spill\",\"tiers\":["
		"{\"tier\":\"ddr\",\"binding\":\"strict\",\"nodes\":[0],"
		"\"used\":67108864,\"in_use\":62914560,\"cached\":4194304,"
		"\"limit\":67108864,\"peak\":67108864,\"over\":0,"
		"\"over_peak\":0,\"metadata\":1572864,\"allocs\":1000,"
		"\"frees\":7,\"full\":1,\"arenas\":4,"
		"\"resident\":{\"0\":66060288},\"misplaced\":0},"
		"{\"tier\":\"cxl\",\"binding\":\"preferred\",\"nodes\":[1,2],"
		"\"used\":5368709120,\"in_use\":5368709120,\"cached\":0,"
		"\"limit\":null,\"peak\":6442450944,\"over\":0,"
		"\"over_peak\":1,\"metadata\":0,"
		"\"allocs\":18446744073709551615,\"frees\":0,\"full\":0,"
		"\"arenas\":2,\"resident\":{\"0\":4096,\"1\":5368709120,"
		"\"2\":0},\"misplaced\":4096}]}\n");
	free(text);
}

static void json_strings_are_escaped(void **state)
{
	struct cm_report *r = report();
	char *text;

	(void)state;
	r->version = "a\"b\\c\n";
	text = emitted(r, CM_STATS_JSON);
	assert_contains(text, "\"version\":\"a\\\"b\\\\c\\u000a\"");
	free(text);
}

static void unknown_residency_is_null(void **state)
{
	struct cm_report *r = report();
	char *text;

	(void)state;
	r->tier[CM_TIER_DDR].resident_known = false;
	text = emitted(r, CM_STATS_JSON);
	assert_contains(text, "\"resident\":null,\"misplaced\":0},{");
	free(text);
	text = emitted(r, CM_STATS_TABLE);
	assert_contains(text, "node 0          unknown      4.0 KiB");
	assert_contains(text, "ddr: the kernel did not tell which nodes");
	free(text);
}

static void the_table_is_aligned(void **state)
{
	char *text = emitted(report(), CM_STATS_TABLE);

	(void)state;
	assert_string_equal(text,
"cxlmalloc 0.1, jemalloc 5.3.1, process 812\n"
"tiered: each tier has its own memory and limit; order=ddr:cxl on_full=spill\n"
"tier                ddr          cxl\n"
"binding          strict    preferred\n"
"nodes                 0          1-2\n"
"used           64.0 MiB      5.0 GiB  committed now\n"
"in use         60.0 MiB      5.0 GiB  in blocks the program holds\n"
"cached          4.0 MiB          0 B  free, kept for the next allocation\n"
"limit          64.0 MiB         none  of used\n"
"peak           64.0 MiB      6.0 GiB  highest used\n"
"over                0 B          0 B  used beyond the limit now\n"
"over peak           0 B          1 B  highest over\n"
"metadata        1.5 MiB          0 B  jemalloc's own, not in used\n"
"allocs             1000 18446744073709551615  blocks handed out\n"
"frees                 7            0  blocks given back\n"
"full                  1            0  times the tier was found full\n"
"arenas                4            2\n"
"node 0         63.0 MiB      4.0 KiB  resident there, says the kernel\n"
"node 1              0 B      5.0 GiB  resident there, says the kernel\n"
"node 2              0 B          0 B  resident there, says the kernel\n"
"cxl has 4.0 KiB misplaced: resident outside its nodes\n");
	free(text);
}

static void bindings_are_said_in_words(void **state)
{
	struct cm_report *r = report();
	char *text;

	(void)state;
	r->tier[CM_TIER_DDR].binding = CM_BINDING_EMULATED;
	r->tier[CM_TIER_CXL].binding = CM_BINDING_DENIED;
	text = emitted(r, CM_STATS_TABLE);
	assert_contains(text, "binding        emulated       denied\n");
	assert_contains(text, "\nddr is emulated: ordinary memory, accounted "
			      "and limited as its own tier\n");
	assert_contains(text, "\ncxl has binding=denied: the kernel refused "
			      "mbind, its pages may be on any node\n");
	free(text);
	text = emitted(r, CM_STATS_JSON);
	assert_contains(text, "\"binding\":\"emulated\"");
	assert_contains(text, "\"binding\":\"denied\"");
	free(text);
}

static void each_state_has_a_name_and_a_line(void **state)
{
	static const char *const name[] = {
		[CM_STATE_TIERED] = "tiered",
		[CM_STATE_DISABLED] = "disabled",
		[CM_STATE_NO_WINDOW] = "no_window",
		[CM_STATE_SANITIZER] = "sanitizer",
	};
	struct cm_report *r = report();
	char part[64], *text;

	(void)state;
	for (unsigned i = 0; i < CM_ARRAY_SIZE(name); i++) {
		r->state = (enum cm_state)i;
		text = emitted(r, CM_STATS_JSON);
		snprintf(part, sizeof(part), "\"state\":\"%s\"", name[i]);
		assert_contains(text, part);
		free(text);
		text = emitted(r, CM_STATS_TABLE);
		snprintf(part, sizeof(part), "\n%s: ", name[i]);
		assert_contains(text, part);
		free(text);
	}
}

static void one_tier_alone_is_reported(void **state)
{
	struct cm_report *r = report();
	char *text;

	(void)state;
	r->nr_order = 1;
	r->order[0] = CM_TIER_CXL;
	cm_nodeset_zero(&r->tier[CM_TIER_DDR].nodes);
	r->tier[CM_TIER_DDR].resident[0] = 0;
	text = emitted(r, CM_STATS_JSON);
	assert_contains(text, "\"order\":[\"cxl\"]");
	assert_contains(text, "\"nodes\":[]");
	assert_contains(text, "\"resident\":{},");
	free(text);
	text = emitted(r, CM_STATS_TABLE);
	assert_contains(text, "order=cxl on_full");
	assert_contains(text, "nodes               any          1-2");
	free(text);
}

/* A report of every node, far larger than the buffer. */
static struct cm_report *huge_report(void)
{
	struct cm_report *r = report();

	for (unsigned node = 0; node < CM_MAX_NODES; node++) {
		cm_nodeset_set(&r->tier[CM_TIER_DDR].nodes, node);
		r->tier[CM_TIER_DDR].resident[node] = UINT64_MAX - node;
		r->tier[CM_TIER_CXL].resident[node] = UINT64_MAX;
	}
	return r;
}

struct reader {
	int fd;
	size_t len;
	char *text;
};

/* Reads little at a time, so that writes come out short. */
static void *read_slowly(void *arg)
{
	struct reader *reader = arg;
	ssize_t n;

	do {
		n = read(reader->fd, reader->text + reader->len, 1000);
		if (n > 0)
			reader->len += (size_t)n;
	} while (n > 0);
	return NULL;
}

static void a_report_beyond_the_buffer_is_whole(void **state)
{
	char *text = emitted(huge_report(), CM_STATS_JSON);
	struct reader reader = { .text = calloc(1, 1 << 20) };
	pthread_t thread;
	int fds[2];

	(void)state;
	assert_true(strlen(text) > 40000);
	assert_contains(text, "\"1023\":18446744073709551615}");
	assert_string_equal(text + strlen(text) - 4, "}]}\n");

	/* one page, and writes that take what fits or nothing */
	assert_non_null(reader.text);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) > 0);
	fcntl(fds[0], F_SETFL, 0);
	reader.fd = fds[0];
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader),
			 0);
	assert_int_equal(cm_emit(huge_report(), CM_STATS_JSON, fds[1]), 0);
	close(fds[1]);
	pthread_join(thread, NULL);
	close(fds[0]);
	assert_string_equal(reader.text, text);
	free(reader.text);
	free(text);

	text = emitted(huge_report(), CM_STATS_TABLE);
	assert_contains(text, "node 1023");
	free(text);
}

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

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_emit.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_what_the_manual_says),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(unknown_residency_is_null),
		cmocka_unit_test(the_table_is_aligned),
		cmocka_unit_test(bindings_are_said_in_words),
		cmocka_unit_test(each_state_has_a_name_and_a_line),
		cmocka_unit_test(one_tier_alone_is_reported),
		cmocka_unit_test(a_report_beyond_the_buffer_is_whole),
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
