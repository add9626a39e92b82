/* SPDX-License-Identifier: BSD-2-Clause */
#include "control/page.h"

#include <errno.h>
#include <string.h>

#include "base/nodeset.h"

/* A writer only copies a page; it is seldom there, and may have been killed. */
#define TRIES	64

static uint64_t load(const _Atomic uint64_t *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

static void store(_Atomic uint64_t *at, uint64_t value)
{
	atomic_store_explicit(at, value, memory_order_relaxed);
}

/* What a process writes once, if it is one of ours. */
static uint32_t load_word(const uint32_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static uint64_t load_plain(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/*
 * Text that another process may write at this moment: each byte read once,
 * terminated, and nothing in it that a terminal obeys. Acquire here and
 * release in put_text: between two looks at a sequence it stays there, without
 * fences, which ThreadSanitizer does not know.
 */
static void take_text(char *to, const char *from, size_t max)
{
	size_t i;

	for (i = 0; i < max; i++) {
		char c = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);

		if (!c)
			break;
		to[i] = c < ' ' || c > '~' ? '?' : c;
	}
	to[i] = '\0';
}

static void put_text(char *to, const char *from, size_t max)
{
	size_t len = strnlen(from, max - 1);

	for (size_t i = 0; i < len; i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELEASE);
	__atomic_store_n(&to[len], '\0', __ATOMIC_RELEASE);
}

/* A list of nodes that does not fit ends with a whole item. */
static void put_nodes(char *to, const struct cm_nodeset *nodes)
{
	char text[CM_NODESET_TEXT_MAX];
	char *comma;

	(void)cm_nodeset_format(nodes, text, sizeof(text));
	if (strlen(text) >= CM_PAGE_NODES) {
		text[CM_PAGE_NODES] = '\0';
		comma = strrchr(text, ',');
		if (comma)
			*comma = '\0';
	}
	put_text(to, text, CM_PAGE_NODES);
}

static int check_head(const struct cm_page *page, struct cm_page_view *view)
{
	uint32_t state = load_word(&page->head.state);
	char magic[sizeof(page->head.magic)];

	for (size_t i = 0; i < sizeof(magic); i++)
		magic[i] = __atomic_load_n(&page->head.magic[i],
					   __ATOMIC_RELAXED);
	if (memcmp(magic, CM_PAGE_MAGIC, sizeof(magic)) ||
	    load_word(&page->head.version) != CM_PAGE_VERSION ||
	    load_word(&page->head.size) != CM_PAGE_BYTES ||
	    state > CM_STATE_SANITIZER)
		return -EPROTO;
	view->state = (enum cm_state)state;
	view->pid = __atomic_load_n(&page->head.pid, __ATOMIC_RELAXED);
	take_text(view->library, page->head.library,
		  sizeof(page->head.library));
	take_text(view->jemalloc, page->head.jemalloc,
		  sizeof(page->head.jemalloc));
	return 0;
}

static int take_tier(const struct cm_page *page, struct cm_page_view *view,
		     enum cm_tier t)
{
	const struct cm_page_tier *from = &page->stats.tier[t];
	uint32_t binding = atomic_load_explicit(&from->binding,
						memory_order_relaxed);

	if (binding > CM_BINDING_OFFLINE)
		return -EPROTO;
	view->tier[t].binding = (enum cm_binding)binding;
	view->tier[t].window = load_plain(&from->window);
	view->tier[t].window_size = load_plain(&from->window_size);
	view->tier[t].used = load(&from->used);
	view->tier[t].in_use = load(&from->in_use);
	view->tier[t].mapped = load(&from->mapped);
	view->tier[t].limit = load(&from->limit);
	view->tier[t].peak = load(&from->peak);
	view->tier[t].nr_full = load(&from->nr_full);
	view->tier[t].nr_refused = load(&from->nr_refused);
	view->tier[t].nr_arenas = atomic_load_explicit(&from->nr_arenas,
						       memory_order_relaxed);
	return 0;
}

static int take_conf(const struct cm_page *page, struct cm_page_view *view)
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t seq = atomic_load_explicit(&page->conf.seq,
						    memory_order_acquire);

		if (seq & 1)
			continue;
		take_text(view->conf, page->conf.text, CM_PAGE_CONF);
		for (unsigned t = 0; t < CM_NR_TIERS; t++)
			take_text(view->tier[t].nodes,
				  page->stats.tier[t].nodes, CM_PAGE_NODES);
		if (atomic_load_explicit(&page->conf.seq,
					 memory_order_relaxed) == seq)
			return 0;
	}
	return -EAGAIN;
}

int cm_page_read(const struct cm_page *page, struct cm_page_view *view)
{
	int err = check_head(page, view);

	for (unsigned t = 0; t < CM_NR_TIERS && !err; t++)
		err = take_tier(page, view, t);
	view->mixed = load_plain(&page->stats.mixed);
	view->mixed_size = load_plain(&page->stats.mixed_size);
	view->looked_ms = load(&page->stats.looked_ms);
	view->request = atomic_load_explicit(&page->request.number,
					     memory_order_relaxed);
	view->answer = atomic_load_explicit(&page->answer.number,
					    memory_order_relaxed);
	return err ? err : take_conf(page, view);
}

uint32_t cm_page_request(const struct cm_page *page, uint32_t seen,
			 char text[CM_PAGE_TEXT + 1])
{
	uint32_t number = atomic_load_explicit(&page->request.number,
					       memory_order_acquire);

	if (number == seen || number & 1 || !number)
		return 0;
	take_text(text, page->request.text, CM_PAGE_TEXT);
	return atomic_load_explicit(&page->request.number,
				    memory_order_relaxed) == number ?
		       number :
		       0;
}

uint32_t cm_page_ask(struct cm_page *page, const char *text)
{
	uint32_t number = atomic_load_explicit(&page->request.number,
					       memory_order_relaxed);

	if (strlen(text) >= CM_PAGE_TEXT)
		return 0;
	/* Whoever wrote before may have been killed half way: odd already. */
	number |= 1;
	atomic_store_explicit(&page->request.number, number,
			      memory_order_relaxed);
	put_text(page->request.text, text, CM_PAGE_TEXT);
	number = number + 1 ? number + 1 : 2;
	atomic_store_explicit(&page->request.number, number,
			      memory_order_release);
	return number;
}

bool cm_page_answer(const struct cm_page *page, uint32_t number,
		    enum cm_page_result *result, char text[CM_PAGE_TEXT + 1])
{
	if (atomic_load_explicit(&page->answer.number, memory_order_acquire) !=
	    number)
		return false;
	*result = load_word(&page->answer.result) == CM_PAGE_APPLIED ?
			  CM_PAGE_APPLIED :
			  CM_PAGE_REFUSED;
	take_text(text, page->answer.text, CM_PAGE_TEXT);
	return true;
}

void cm_page_put_stats(struct cm_page *page, const struct cm_report *report,
		       uint64_t now_ms)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		struct cm_page_tier *to = &page->stats.tier[t];
		const struct cm_report_tier *from = &report->tier[t];

		store(&to->used, from->used);
		store(&to->in_use, from->in_use);
		store(&to->mapped, from->mapped);
		store(&to->limit, from->limit);
		store(&to->peak, from->peak);
		store(&to->nr_full, from->nr_full);
		store(&to->nr_refused, from->nr_refused);
		atomic_store_explicit(&to->binding, from->binding,
				      memory_order_relaxed);
		atomic_store_explicit(&to->nr_arenas, (uint32_t)from->nr_arenas,
				      memory_order_relaxed);
	}
	store(&page->stats.looked_ms, now_ms);
}

void cm_page_put_conf(struct cm_page *page, const char *text,
		      const struct cm_report *report)
{
	uint32_t seq = atomic_load_explicit(&page->conf.seq,
					    memory_order_relaxed) |
		       1;

	atomic_store_explicit(&page->conf.seq, seq, memory_order_relaxed);
	put_text(page->conf.text, text, CM_PAGE_CONF);
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		put_nodes(page->stats.tier[t].nodes, &report->tier[t].nodes);
	atomic_store_explicit(&page->conf.seq, seq + 1, memory_order_release);
}

void cm_page_put_answer(struct cm_page *page, uint32_t number,
			enum cm_page_result result, const char *text)
{
	put_text(page->answer.text, text, CM_PAGE_TEXT);
	__atomic_store_n(&page->answer.result, (uint32_t)result,
			 __ATOMIC_RELAXED);
	atomic_store_explicit(&page->answer.number, number,
			      memory_order_release);
}
