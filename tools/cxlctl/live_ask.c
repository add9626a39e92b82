/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/line.h"
#include "control/parse.h"
#include "live.h"

#ifndef FUTEX_WAITV_MAX		/* headers before Linux 5.16 */
#define FUTEX_WAITV_MAX 128
#define FUTEX_32	2
struct futex_waitv {
	uint64_t val;
	uint64_t uaddr;
	uint32_t flags;
	uint32_t reserved;
};
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

_Static_assert(LIVE_BATCH <= FUTEX_WAITV_MAX, "one wait for all");

/* One of live_ask's questions on its way. */
struct asked {
	struct live *live;
	struct live_answer *answer;
	uint32_t number;	/* of the request; 0: nothing to wait for */
	uint64_t start_ns;
};

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){ (time_t)(ns / 1000000000),
				  (long)(ns % 1000000000) };
}

static bool lock(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* Who holds it waits for an answer, or is the process itself, for ever. */
static bool lock_until(int fd, uint64_t end_ns)
{
	const struct timespec pause = { 0, 1000 * 1000 };

	while (!lock(fd, F_WRLCK)) {
		if (live_now_ns() >= end_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static bool sets_key(const char *text, struct cm_slice key)
{
	struct cm_token token;

	while (cm_parse_list(&token, &text))
		if (token.key.len == key.len &&
		    memcmp(token.key.at, key.at, key.len) == 0)
			return true;
	return false;
}

bool live_join(const struct cm_page *page, const char *text,
	       char joined[CM_PAGE_TEXT])
{
	uint32_t answered = atomic_load_explicit(&page->answer.number,
						 memory_order_acquire);
	char pending[CM_PAGE_TEXT + 1];
	const char *at = pending;
	struct cm_token token;
	struct cm_line line;

	cm_line_init(&line, joined, CM_PAGE_TEXT, -1);
	if (!cm_page_request(page, answered, pending))
		pending[0] = '\0';
	while (cm_parse_list(&token, &at)) {
		if (sets_key(text, token.key))
			continue;
		cm_line_fmt(&line, "%s", line.len ? "," : "");
		cm_line_put(&line, token.whole.at, token.whole.len);
	}
	cm_line_fmt(&line, "%s%s", line.len && *text ? "," : "", text);
	return !line.cut;
}

static void ask(struct asked *asked, const char *text, uint64_t end_ns)
{
	struct live *live = asked->live;
	char joined[CM_PAGE_TEXT];

	asked->answer->text[0] = '\0';
	asked->answer->took_ns = 0;
	if (!lock_until(live->fd, end_ns)) {
		asked->answer->result = LIVE_BUSY;
		return;
	}
	asked->answer->result = LIVE_PENDING;
	if (live_join(live->page, text, joined)) {
		asked->start_ns = live_now_ns();
		asked->number = cm_page_ask(live->page, joined);
	}
	if (!asked->number) {
		asked->answer->result = LIVE_LONG;
		(void)lock(live->fd, F_UNLCK);
	}
}

/* True: nothing more is to be waited for. */
static bool is_answered(struct asked *asked)
{
	enum cm_page_result result;

	if (!asked->number)
		return true;
	if (!cm_page_answer(asked->live->page, asked->number, &result,
			    asked->answer->text))
		return false;
	asked->answer->took_ns = live_now_ns() - asked->start_ns;
	asked->answer->result = result == CM_PAGE_APPLIED ? LIVE_APPLIED :
							    LIVE_REFUSED;
	asked->number = 0;
	return true;
}

static bool is_valid_futex_wait(long ret)
{
	return ret >= 0 || errno == EAGAIN || errno == EINTR ||
	       errno == ETIMEDOUT;
}

/*
 * Until an answer's number changes, or the end. futex_waitv is of Linux 5.16;
 * before it one answer is waited for, by the millisecond for the others' sake.
 */
static void wait_for_any(struct asked *const *open, size_t nr, uint64_t end_ns)
{
	struct futex_waitv wait[LIVE_BATCH];
	struct timespec end = to_timespec(end_ns);
	uint64_t slice_ns = live_now_ns() + 1000 * 1000;

	for (size_t i = 0; i < nr; i++) {
		struct cm_page *page = open[i]->live->page;
		uint32_t seen = atomic_load_explicit(&page->answer.number,
						     memory_order_acquire);

		if (seen == open[i]->number)
			return;
		wait[i] = (struct futex_waitv){
			.val = seen,
			.uaddr = (uintptr_t)&page->answer.number,
			.flags = FUTEX_32,
		};
	}
	if (is_valid_futex_wait(syscall(SYS_futex_waitv, wait, nr, 0, &end,
					CLOCK_MONOTONIC)))
		return;
	if (nr > 1 && slice_ns < end_ns)
		end = to_timespec(slice_ns);
	(void)syscall(SYS_futex, (uintptr_t)wait[0].uaddr, FUTEX_WAIT_BITSET,
		      (uint32_t)wait[0].val, &end, NULL,
		      FUTEX_BITSET_MATCH_ANY);
}

void live_ask(struct live *const *live, size_t nr, const char *text,
	      unsigned wait_ms, struct live_answer *answer)
{
	uint64_t end_ns = live_now_ns() + wait_ms * UINT64_C(1000000);
	struct asked asked[LIVE_BATCH] = { 0 };
	struct asked *open[LIVE_BATCH];
	size_t nr_open;

	for (size_t i = 0; i < nr; i++) {
		asked[i].live = live[i];
		asked[i].answer = &answer[i];
		ask(&asked[i], text, end_ns);
	}
	for (;;) {
		nr_open = 0;
		for (size_t i = 0; i < nr; i++)
			if (!is_answered(&asked[i]))
				open[nr_open++] = &asked[i];
		if (!nr_open || live_now_ns() >= end_ns)
			break;
		wait_for_any(open, nr_open, end_ns);
	}
	for (size_t i = 0; i < nr; i++) {
		if (answer[i].result == LIVE_BUSY)
			continue;
		(void)lock(live[i]->fd, F_UNLCK);
		if (answer[i].result == LIVE_PENDING && !live_is_there(live[i]))
			answer[i].result = LIVE_GONE;
	}
}
