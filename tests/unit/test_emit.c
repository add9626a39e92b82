/* SPDX-License-Identifier: BSD-2-Clause */
/* emit: one report, as a table and as JSON */
#include "support/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "control/emit.h"
#include "support/report.h"

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

static void json_is_what_the_manual_says(void **state)
{
	char *text = emitted(report(), CM_STATS_JSON);

	(void)state;
	assert_string_equal(
		text,
		"{\"schema\":1,\"pid\":812,\"version\":\"0.1\","
		"\"jemalloc\":\"5.3.1\",\"state\":\"tiered\","
		"\"policy\":\"priority\",\"order\":[\"ddr\",\"cxl\"],\"on_full\":\"spill\","
		"\"cgroup\":{\"current\":1048576,\"max\":134217728,"
		"\"high\":null},\"tiers\":["
		"{\"tier\":\"ddr\",\"binding\":\"strict\",\"nodes\":[0],\"groups\":[],"
		"\"used\":67108864,\"in_use\":62914560,\"cached\":4194304,\"cache_bound\":4194304,"
		"\"limit\":67108864,\"limit_percent\":50,\"peak\":67108864,\"over\":0,"
		"\"over_peak\":0,\"mapped\":2621440,\"metadata\":1572864,\"allocs\":1000,"
		"\"frees\":7,\"full\":1,\"refused\":3,"
		"\"arenas\":4,"
		"\"resident\":{\"0\":66060288},\"misplaced\":0},"
		"{\"tier\":\"cxl\",\"binding\":\"preferred\",\"nodes\":[1,2],\"groups\":[],"
		"\"used\":5368709120,\"in_use\":5368709120,\"cached\":0,\"cache_bound\":null,"
		"\"limit\":null,\"peak\":6442450944,\"over\":0,"
		"\"over_peak\":1,\"mapped\":0,\"metadata\":0,"
		"\"allocs\":18446744073709551615,\"frees\":0,\"full\":0,"
		"\"refused\":0,\"arenas\":2,\"resident\":{\"0\":4096,\"1\":5368709120,"
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

static void groups_are_named_with_their_nodes(void **state)
{
	struct cm_report *r = report();
	struct cm_report_tier *cxl = &r->tier[CM_TIER_CXL];
	char *text;

	(void)state;
	cxl->nr_groups = 2;
	strcpy(cxl->group[0].name, "near");
	cm_nodeset_set(&cxl->group[0].nodes, 1);
	cm_nodeset_set(&cxl->group[0].nodes, 2);
	strcpy(cxl->group[1].name, "rest");
	text = emitted(r, CM_STATS_JSON);
	assert_contains(text, "\"groups\":[{\"name\":\"near\",\"nodes\":[1,2]},"
			      "{\"name\":\"rest\",\"nodes\":[]}],");
	free(text);
	text = emitted(r, CM_STATS_TABLE);
	assert_contains(text, "cxl.groups: near on nodes 1-2, then rest on "
			      "nodes (none)\n");
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

/* clang-format off */
static const char aligned[] =
"cxlmalloc 0.1, jemalloc 5.3.1, process 812\n"
"tiered: each tier has its own memory and limit; policy=priority order=ddr:cxl on_full=spill\n"
"tier                ddr          cxl\n"
"binding          strict    preferred\n"
"nodes                 0          1-2\n"
"used           64.0 MiB      5.0 GiB  committed now\n"
"in use         60.0 MiB      5.0 GiB  in blocks the program holds\n"
"cached          4.0 MiB          0 B  free, kept for the next allocation\n"
"cache max       4.0 MiB          0 B  blocks in one thread's cache, at most\n"
"limit          64.0 MiB         none  of used\n"
"peak           64.0 MiB      6.0 GiB  highest used\n"
"over                0 B          0 B  used beyond the limit now\n"
"over peak           0 B          1 B  highest over\n"
"mapped          2.5 MiB          0 B  the program mapped itself, not in used\n"
"metadata        1.5 MiB          0 B  jemalloc's own, not in used\n"
"allocs             1000 18446744073709551615  blocks handed out\n"
"frees                 7            0  blocks given back\n"
"full                  1            0  times the tier was found full\n"
"refused               3            0  requests for pages refused\n"
"arenas                4            2\n"
"node 0         63.0 MiB      4.0 KiB  resident there, says the kernel\n"
"node 1              0 B      5.0 GiB  resident there, says the kernel\n"
"node 2              0 B          0 B  resident there, says the kernel\n"
"cgroup: memory.max 128.0 MiB, memory.high none, current 1.0 MiB\n"
"ddr.limit is 50% of the process's memory\n"
"cxl has 4.0 KiB misplaced: resident outside its nodes\n";
/* clang-format on */

static void the_table_is_aligned(void **state)
{
	char *text = emitted(report(), CM_STATS_TABLE);

	(void)state;
	assert_string_equal(text, aligned);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_what_the_manual_says),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(groups_are_named_with_their_nodes),
		cmocka_unit_test(unknown_residency_is_null),
		cmocka_unit_test(the_table_is_aligned),
		cmocka_unit_test(bindings_are_said_in_words),
		cmocka_unit_test(each_state_has_a_name_and_a_line),
		cmocka_unit_test(one_tier_alone_is_reported),
		cmocka_unit_test(a_report_beyond_the_buffer_is_whole),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
