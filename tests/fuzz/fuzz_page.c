/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_page: the page, as both sides read it
 *
 * The input is a page's beginning, the rest of it is zero. With the first bit
 * of head.pid its head is made good, so that the rest is looked at.
 */
#include <string.h>

#include "../../tools/cxlctl/live.h"
#include "../../tools/cxlctl/live_form.h"
#include "fuzz.h"

static void check_view(const struct cm_page_view *view)
{
	char text[40];
	struct cm_line line;

	must(view->state <= CM_STATE_SANITIZER);
	must_print(view->library, 32);
	must_print(view->jemalloc, 32);
	must_print(view->conf, CM_PAGE_CONF);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		must(view->tier[t].binding <= CM_BINDING_OFFLINE);
		must_print(view->tier[t].nodes, CM_PAGE_NODES);
	}
	cm_line_init(&line, text, sizeof(text), -1);
	live_policy(view, &line);
	must_print(text, sizeof(text) - 1);
	live_print_settings(view->conf);
	live_json_settings(view->conf);
}

/* As the process reads a request, and as cxlctl adds to what is pending. */
static void check_request(struct cm_page *page)
{
	char text[CM_PAGE_TEXT + 1], joined[CM_PAGE_TEXT];
	uint32_t number = cm_page_request(page, 0, text), asked;

	if (number) {
		must(number % 2 == 0);
		must_print(text, CM_PAGE_TEXT);
	}
	if (!live_join(page, "policy=interleave,interleave=3:1", joined))
		return;
	must_print(joined, CM_PAGE_TEXT - 1);
	asked = cm_page_ask(page, joined);
	must(asked && asked % 2 == 0);
	must(cm_page_request(page, asked - 2, text) == asked);
	must(strcmp(text, joined) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cm_page_view view;
	static FILE *out;
	char text[CM_PAGE_TEXT + 1];
	enum cm_page_result result;
	struct cm_page *page;

	/* what would be printed goes nowhere */
	if (!out)
		out = freopen("/dev/null", "w", stdout);
	/* one byte beyond it is not ours */
	page = aligned_alloc(64, CM_PAGE_BYTES);
	must(page);
	memset(page, 0, CM_PAGE_BYTES);
	memcpy(page, data, size < CM_PAGE_BYTES ? size : CM_PAGE_BYTES);
	if (page->head.pid & 1) {
		memcpy(page->head.magic, CM_PAGE_MAGIC, 8);
		page->head.version = CM_PAGE_VERSION;
		page->head.size = CM_PAGE_BYTES;
	}
	if (cm_page_read(page, &view) == 0)
		check_view(&view);
	if (cm_page_answer(page, view.answer, &result, text)) {
		must(result == CM_PAGE_APPLIED || result == CM_PAGE_REFUSED);
		must_print(text, CM_PAGE_TEXT);
	}
	check_request(page);
	free(page);
	return 0;
}
