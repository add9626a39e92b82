/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page: what the one side writes the other reads, whole or not at all, and no
 * byte of a page is believed; run under ThreadSanitizer too (--enable-tsan)
 */
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "control/page.h"

/* At the end of what is mapped: a read beyond the page is SIGSEGV. */
static struct cm_page *page;

static int map_page(void **state)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *at = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (at == MAP_FAILED || mprotect(at + size, size, PROT_NONE))
		return -1;
	page = (struct cm_page *)(at + size - CM_PAGE_BYTES);
	return 0;
}

static struct cm_report some_report(uint64_t n)
{
	struct cm_report report = { 0 };

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_report_tier *tier = &report.tier[t];

		tier->used = n + t;
		tier->in_use = n + 10 + t;
		tier->limit = t ? CM_NO_LIMIT : n + 20;
		tier->peak = n + 30 + t;
		tier->nr_full = n + 40 + t;
		tier->nr_refused = n + 50 + t;
		tier->nr_arenas = 60 + t;
		tier->binding = t ? CM_BINDING_EMULATED : CM_BINDING_STRICT;
		cm_nodeset_set(&tier->nodes, 2 * t);
		cm_nodeset_set(&tier->nodes, 2 * t + 1);
	}
	return report;
}

static void fill(void)
{
	struct cm_report report = some_report(1000);

	memset(page, 0, CM_PAGE_BYTES);
	memcpy(page->head.magic, CM_PAGE_MAGIC, sizeof(page->head.magic));
	page->head.version = CM_PAGE_VERSION;
	page->head.size = CM_PAGE_BYTES;
	page->head.pid = 4711;
	page->head.state = CM_STATE_TIERED;
	strcpy(page->head.library, "1.2.3");
	cm_page_put_stats(page, &report, 5);
	cm_page_put_conf(page, "policy=priority,order=ddr:cxl", &report);
}

static void what_is_written_is_read(void **state)
{
	struct cm_page_view view;

	(void)state;
	fill();
	assert_int_equal(cm_page_read(page, &view), 0);
	assert_int_equal(view.pid, 4711);
	assert_int_equal(view.state, CM_STATE_TIERED);
	assert_int_equal(view.looked_ms, 5);
	assert_string_equal(view.library, "1.2.3");
	assert_string_equal(view.conf, "policy=priority,order=ddr:cxl");
	assert_int_equal(view.tier[CM_TIER_DDR].used, 1000);
	assert_int_equal(view.tier[CM_TIER_CXL].used, 1001);
	assert_int_equal(view.tier[CM_TIER_CXL].in_use, 1011);
	assert_int_equal(view.tier[CM_TIER_DDR].limit, 1020);
	assert_true(view.tier[CM_TIER_CXL].limit == CM_NO_LIMIT);
	assert_int_equal(view.tier[CM_TIER_CXL].peak, 1031);
	assert_int_equal(view.tier[CM_TIER_CXL].nr_full, 1041);
	assert_int_equal(view.tier[CM_TIER_CXL].nr_refused, 1051);
	assert_int_equal(view.tier[CM_TIER_CXL].nr_arenas, 61);
	assert_int_equal(view.tier[CM_TIER_CXL].binding, CM_BINDING_EMULATED);
	assert_string_equal(view.tier[CM_TIER_DDR].nodes, "0-1");
	assert_string_equal(view.tier[CM_TIER_CXL].nodes, "2-3");
}

#define REFUSED(field, value) \
	do { \
		fill(); \
		page->field = (value); \
		assert_int_equal(cm_page_read(page, &view), -EPROTO); \
	} while (0)

static void another_layout_is_refused(void **state)
{
	struct cm_page_view view;

	(void)state;
	REFUSED(head.magic[0], 'X');
	REFUSED(head.magic[7], 'X');
	REFUSED(head.version, CM_PAGE_VERSION + 1);
	REFUSED(head.version, 0);
	REFUSED(head.size, CM_PAGE_BYTES * 2);
	REFUSED(head.size, 0);
	REFUSED(head.state, CM_STATE_SANITIZER + 1);
	REFUSED(head.state, UINT32_MAX);
	REFUSED(stats.tier[1].binding, CM_BINDING_OFFLINE + 1);
	REFUSED(stats.tier[0].binding, UINT32_MAX);
	memset(page, 0, CM_PAGE_BYTES);
	assert_int_equal(cm_page_read(page, &view), -EPROTO);
}

static void text_without_an_end_is_ended(void **state)
{
	char text[CM_PAGE_TEXT + 1];
	struct cm_page_view view;
	enum cm_page_result result;

	(void)state;
	fill();
	memset(page->head.library, 'l', sizeof(page->head.library));
	memset(page->head.jemalloc, 'j', sizeof(page->head.jemalloc));
	memset(page->conf.text, 'c', CM_PAGE_CONF);
	memset(page->stats.tier[0].nodes, 'n', CM_PAGE_NODES);
	memset(page->request.text, 'r', CM_PAGE_TEXT);
	memset(page->answer.text, 'a', CM_PAGE_TEXT);
	page->request.number = page->answer.number = 2;
	assert_int_equal(cm_page_read(page, &view), 0);
	assert_int_equal(strlen(view.library), sizeof(page->head.library));
	assert_int_equal(strlen(view.jemalloc), sizeof(page->head.jemalloc));
	assert_int_equal(strlen(view.conf), CM_PAGE_CONF);
	assert_int_equal(strlen(view.tier[0].nodes), CM_PAGE_NODES);
	assert_int_equal(cm_page_request(page, 0, text), 2);
	assert_int_equal(strlen(text), CM_PAGE_TEXT);
	assert_true(cm_page_answer(page, 2, &result, text));
	assert_int_equal(strlen(text), CM_PAGE_TEXT);
}

static void assert_printable(const char *text)
{
	for (; *text; text++)
		assert_in_range(*text, ' ', '~');
}

static void no_text_moves_a_terminal(void **state)
{
	char text[CM_PAGE_TEXT + 1];
	struct cm_page_view view;
	enum cm_page_result result;

	(void)state;
	fill();
	strcpy(page->head.library, "\033[2J\r\n\t\x7f\x80\xff");
	strcpy(page->conf.text, "a\033b");
	strcpy(page->stats.tier[1].nodes, "0\n1");
	strcpy(page->request.text, "\001");
	strcpy(page->answer.text, "\xc2\x9b");
	page->request.number = page->answer.number = 2;
	assert_int_equal(cm_page_read(page, &view), 0);
	assert_string_equal(view.library, "?[2J??????");
	assert_string_equal(view.conf, "a?b");
	assert_string_equal(view.tier[1].nodes, "0?1");
	cm_page_request(page, 0, text);
	assert_string_equal(text, "?");
	cm_page_answer(page, 2, &result, text);
	assert_string_equal(text, "??");
}

static void numbers_are_what_they_are(void **state)
{
	struct cm_page_view view;

	(void)state;
	fill();
	page->stats.tier[0].used = UINT64_MAX;
	page->stats.tier[0].window = UINT64_MAX;
	page->stats.tier[0].window_size = UINT64_MAX;
	page->stats.looked_ms = UINT64_MAX;
	page->stats.tier[0].nr_arenas = UINT32_MAX;
	page->head.pid = INT32_MIN;
	assert_int_equal(cm_page_read(page, &view), 0);
	assert_true(view.tier[0].used == UINT64_MAX);
	assert_true(view.looked_ms == UINT64_MAX);
	assert_int_equal(view.tier[0].nr_arenas, UINT32_MAX);
	assert_int_equal(view.pid, INT32_MIN);
}

static void long_texts_are_cut(void **state)
{
	struct cm_report report = some_report(0);
	char text[2 * CM_PAGE_CONF];
	struct cm_page_view view;
	struct cm_nodeset read;

	(void)state;
	fill();
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cm_nodeset_zero(&report.tier[0].nodes);
	for (unsigned node = 0; node < 200; node += 2)
		cm_nodeset_set(&report.tier[0].nodes, node);
	cm_page_put_conf(page, text, &report);
	assert_int_equal(cm_page_read(page, &view), 0);
	assert_int_equal(strlen(view.conf), CM_PAGE_CONF - 1);
	/* what is left of the nodes are some of them, and no others */
	assert_int_equal(cm_nodeset_parse(&read, view.tier[0].nodes,
					  strlen(view.tier[0].nodes)),
			 0);
	assert_in_range(cm_nodeset_weight(&read), 15, 30);
	cm_nodeset_andnot(&read, &report.tier[0].nodes);
	assert_true(cm_nodeset_empty(&read));
	cm_page_put_answer(page, 2, CM_PAGE_REFUSED, text);
	assert_int_equal(page->answer.text[CM_PAGE_TEXT - 1], '\0');
}

static void a_writer_that_stopped_is_told(void **state)
{
	struct cm_report report = some_report(0);
	struct cm_page_view view;

	(void)state;
	fill();
	page->conf.seq++;
	assert_int_equal(cm_page_read(page, &view), -EAGAIN);
	/* the next one gets it going again */
	cm_page_put_conf(page, "x=y", &report);
	assert_int_equal(cm_page_read(page, &view), 0);
	assert_string_equal(view.conf, "x=y");
}

static void requests_are_numbered(void **state)
{
	char text[CM_PAGE_TEXT + 1], large[CM_PAGE_TEXT + 1];
	uint32_t first, second;

	(void)state;
	fill();
	assert_int_equal(cm_page_request(page, 0, text), 0);
	first = cm_page_ask(page, "a=b");
	assert_int_not_equal(first, 0);
	assert_int_equal(first % 2, 0);
	assert_int_equal(cm_page_request(page, 0, text), first);
	assert_string_equal(text, "a=b");
	assert_int_equal(cm_page_request(page, first, text), 0);
	second = cm_page_ask(page, "");
	assert_int_not_equal(second, first);
	assert_int_equal(cm_page_request(page, first, text), second);
	assert_string_equal(text, "");

	/* one that was killed while it wrote */
	page->request.number++;
	assert_int_equal(cm_page_request(page, first, text), 0);
	assert_int_equal(cm_page_ask(page, "c=d") % 2, 0);
	assert_int_not_equal(cm_page_request(page, second, text), 0);
	assert_string_equal(text, "c=d");

	/* numbers end, and 0 is none */
	page->request.number = UINT32_MAX - 1;
	assert_int_equal(cm_page_ask(page, "e=f"), 2);
	assert_int_equal(cm_page_request(page, UINT32_MAX - 1, text), 2);

	memset(large, 'x', CM_PAGE_TEXT);
	large[CM_PAGE_TEXT] = '\0';
	assert_int_equal(cm_page_ask(page, large), 0);
	assert_int_equal(cm_page_request(page, 0, text), 2);
	assert_string_equal(text, "e=f");
	large[CM_PAGE_TEXT - 1] = '\0';
	assert_int_equal(cm_page_ask(page, large), 4);
	assert_int_equal(cm_page_request(page, 2, text), 4);
	assert_string_equal(text, large);
}

static void an_answer_is_to_its_request(void **state)
{
	char text[CM_PAGE_TEXT + 1];
	enum cm_page_result result;

	(void)state;
	fill();
	assert_false(cm_page_answer(page, 2, &result, text));
	cm_page_put_answer(page, 2, CM_PAGE_APPLIED, "");
	assert_true(cm_page_answer(page, 2, &result, text));
	assert_int_equal(result, CM_PAGE_APPLIED);
	assert_false(cm_page_answer(page, 4, &result, text));
	cm_page_put_answer(page, 4, CM_PAGE_REFUSED, "no");
	assert_true(cm_page_answer(page, 4, &result, text));
	assert_int_equal(result, CM_PAGE_REFUSED);
	assert_string_equal(text, "no");
	page->answer.result = 77;
	assert_true(cm_page_answer(page, 4, &result, text));
	assert_int_equal(result, CM_PAGE_REFUSED);
}

static void any_bytes_are_survived(void **state)
{
	char text[CM_PAGE_TEXT + 1];
	struct cm_page_view view;
	enum cm_page_result result;
	unsigned nr_good = 0;
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		fill();
		for (unsigned n = test_random(&seed) % 512; n; n--)
			((unsigned char *)
				 page)[test_random(&seed) % CM_PAGE_BYTES] =
				(unsigned char)test_random(&seed);
		if (cm_page_read(page, &view) == 0) {
			nr_good++;
			assert_printable(view.library);
			assert_printable(view.jemalloc);
			assert_printable(view.conf);
			assert_printable(view.tier[0].nodes);
			assert_printable(view.tier[1].nodes);
		}
		if (cm_page_request(page, 0, text))
			assert_printable(text);
		if (cm_page_answer(page, page->answer.number, &result, text))
			assert_printable(text);
	}
	assert_true(nr_good > 100);	/* or nothing was shown */
}

/* --- both sides at once --------------------------------------------------- */

#define NR_READERS	3
#define NR_WRITTEN	3000

static _Atomic bool stop;
static _Atomic unsigned nr_torn, nr_read;

/* One letter all over, 28 times as many as it is in the alphabet. */
static void letters(char *text, unsigned n)
{
	size_t len = (n % 26 + 1) * 28;

	memset(text, 'a' + (int)(n % 26), len);
	text[len] = '\0';
}

static bool is_whole(const char *text)
{
	char whole[1024];

	if (*text < 'a' || *text > 'z')
		return false;
	letters(whole, (unsigned)(*text - 'a'));
	return strcmp(text, whole) == 0;
}

static void *read_all(void *arg)
{
	struct cm_page_view view;

	while (!atomic_load(&stop)) {
		if (cm_page_read(page, &view) == 0) {
			atomic_fetch_add(&nr_read, 1);
			if (!is_whole(view.conf))
				atomic_fetch_add(&nr_torn, 1);
		}
		sched_yield();
	}
	return arg;
}

/* The process's side: what it is asked for it says back. */
static void *serve(void *arg)
{
	char text[CM_PAGE_TEXT + 1];
	uint32_t seen = 0, number;

	while (!atomic_load(&stop)) {
		number = cm_page_request(page, seen, text);
		if (number) {
			if (!is_whole(text))
				atomic_fetch_add(&nr_torn, 1);
			cm_page_put_answer(page, number, CM_PAGE_APPLIED, text);
			seen = number;
		}
		sched_yield();
	}
	return arg;
}

static void ask(unsigned n)
{
	char text[1024], answer[CM_PAGE_TEXT + 1];
	enum cm_page_result result;
	uint32_t number;

	letters(text, n % 25);
	number = cm_page_ask(page, text);
	/* every third is asked over before it is answered */
	if (n % 3 == 0) {
		letters(text, n % 25 + 1);
		number = cm_page_ask(page, text);
	}
	assert_int_not_equal(number, 0);
	while (!cm_page_answer(page, number, &result, answer))
		sched_yield();
	assert_string_equal(answer, text);
}

static void readers_see_wholes(void **state)
{
	struct cm_report report = some_report(0);
	pthread_t thread[NR_READERS + 1];
	char text[1024];

	(void)state;
	fill();
	letters(text, 0);
	cm_page_put_conf(page, text, &report);
	for (int i = 0; i <= NR_READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
						i ? read_all : serve, NULL),
				 0);
	for (unsigned n = 0; n < NR_WRITTEN; n++) {
		letters(text, n);
		cm_page_put_conf(page, text, &report);
		cm_page_put_stats(page, &report, n);
		if (n % 10 == 0)
			ask(n / 10);
	}
	while (!atomic_load(&nr_read))
		sched_yield();
	atomic_store(&stop, true);
	for (int i = 0; i <= NR_READERS; i++)
		pthread_join(thread[i], NULL);
	print_message("# %u read whole\n", atomic_load(&nr_read));
	assert_int_equal(atomic_load(&nr_torn), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(another_layout_is_refused),
		cmocka_unit_test(text_without_an_end_is_ended),
		cmocka_unit_test(no_text_moves_a_terminal),
		cmocka_unit_test(numbers_are_what_they_are),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(a_writer_that_stopped_is_told),
		cmocka_unit_test(requests_are_numbered),
		cmocka_unit_test(an_answer_is_to_its_request),
		cmocka_unit_test(any_bytes_are_survived),
		cmocka_unit_test(readers_see_wholes),
	};

	return cmocka_run_group_tests_name("page", tests, map_page, NULL);
}
