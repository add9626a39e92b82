/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page - the one page a process shares with cxlctl
 *
 * A sealed memfd (F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL): nobody can truncate
 * it under whoever maps it. It has no name in any file system; cxlctl reaches it
 * through /proc/PID/fd, which the kernel guards as it guards ptrace. The fd is
 * close-on-exec, the first that is free from CM_PAGE_FD up; where RLIMIT_NOFILE
 * does not reach so far there is none. What closes it loses the channel, nothing
 * else, and gets another at the next look.
 *
 * Layout: fixed, native byte order. A change that old readers would misread
 * raises CM_PAGE_VERSION. Both sides map all of it read-write and neither
 * trusts a byte: whoever reads copies what it reads, checks it, and uses the
 * copy (control/page.c for both). Text is NUL-terminated by the reader.
 *
 * Who writes what
 *   head      the process, once, before the fd has its place
 *   stats     the process, at looks (at most every 250 ms) and for each
 *             request; used alone also whenever it changes
 *   conf      the process, under its sequence: odd while it is written
 *   request   cxlctl, holding an OFD write lock on the whole file; number is
 *             odd while text is written, even when it is complete, and only
 *             goes up
 *   answer    the process; number last: it is the request's that was answered,
 *             and a futex (FUTEX_WAKE, shared) tells who waits on it
 *
 * A request is settings as in CXLMALLOC_CONF ("policy=interleave,
 * interleave=3:1"), of options that can change while a program runs; all of
 * them are taken, or none. An empty one asks for new stats.
 */
#ifndef CM_CONTROL_PAGE_H
#define CM_CONTROL_PAGE_H

#include <stdatomic.h>

#include "base/report.h"

#define CM_PAGE_MAGIC	"cxlmpage"
#define CM_PAGE_VERSION 1
#define CM_PAGE_BYTES	4096
#define CM_PAGE_NAME	"cxlmalloc"	/* of the memfd */
#define CM_PAGE_FD	1000

#define CM_PAGE_CONF	1024
#define CM_PAGE_TEXT	768
#define CM_PAGE_NODES	64

enum cm_page_result {
	CM_PAGE_APPLIED,	/* in force */
	CM_PAGE_REFUSED,	/* nothing changed, answer.text says why */
};

struct cm_page_tier {
	uint64_t window, window_size;	/* addresses of its blocks */
	_Atomic uint64_t used;
	_Atomic uint64_t in_use;
	_Atomic uint64_t mapped;
	_Atomic uint64_t limit;		/* CM_NO_LIMIT: none */
	_Atomic uint64_t peak;
	_Atomic uint64_t nr_full;
	_Atomic uint64_t nr_refused;
	_Atomic uint32_t binding;	/* enum cm_binding */
	_Atomic uint32_t nr_arenas;
	char nodes[CM_PAGE_NODES];	/* "0-1"; under conf's sequence */
};

struct cm_page {
	struct {
		char magic[8];
		uint32_t version;
		uint32_t size;		/* CM_PAGE_BYTES */
		int32_t pid;		/* as the process sees itself */
		uint32_t state;		/* enum cm_state */
		char library[32];	/* our version */
		char jemalloc[32];
	} head;
	struct {
		_Atomic uint64_t looked_ms;	/* CLOCK_MONOTONIC */
		/* addresses of blocks that lie on both tiers in turn */
		uint64_t mixed, mixed_size;
		uint64_t unused;
		struct cm_page_tier tier[CM_NR_TIERS];
	} stats;
	struct {
		_Atomic uint32_t seq;
		uint32_t unused;
		char text[CM_PAGE_CONF];	/* key=value,key=value */
	} conf;
	struct {
		_Atomic uint32_t number;
		uint32_t unused;
		char text[CM_PAGE_TEXT];
	} request;
	struct {
		_Atomic uint32_t number;
		uint32_t result;	/* enum cm_page_result */
		char text[CM_PAGE_TEXT];
	} answer;
};

_Static_assert(sizeof(struct cm_page) <= CM_PAGE_BYTES, "one page");

/* What a reader has copied out of a page, checked; text is terminated. */
struct cm_page_view {
	int pid;
	enum cm_state state;
	char library[33], jemalloc[33];
	uint64_t looked_ms;
	uint64_t mixed, mixed_size;
	struct cm_page_view_tier {
		uint64_t window, window_size;
		uint64_t used, in_use, mapped, limit, peak;
		uint64_t nr_full, nr_refused, nr_arenas;
		enum cm_binding binding;
		char nodes[CM_PAGE_NODES + 1];
	} tier[CM_NR_TIERS];
	char conf[CM_PAGE_CONF + 1];
	uint32_t request, answer;
};

/*
 * Copy and check. 0; -EPROTO: not such a page, or of another version;
 * -EAGAIN: torn, a writer stopped half way. Never reads beyond
 * CM_PAGE_BYTES, whatever the page says.
 */
int cm_page_read(const struct cm_page *page, struct cm_page_view *view);

/*
 * The complete request that is newer than `seen`, into text (terminated,
 * printable). Its number, which is even and not 0; 0: there is none.
 */
uint32_t cm_page_request(const struct cm_page *page, uint32_t seen,
			 char text[CM_PAGE_TEXT + 1]);

/*
 * cxlctl's side; the caller holds the file's write lock. The number of the
 * request, which an answer will have; 0: text is too long.
 */
uint32_t cm_page_ask(struct cm_page *page, const char *text);

/* The answer to request `number`. False: not answered yet. */
bool cm_page_answer(const struct cm_page *page, uint32_t number,
		    enum cm_page_result *result, char text[CM_PAGE_TEXT + 1]);

/* The process's side: publish. All but the text of conf is of `report`. */
void cm_page_put_stats(struct cm_page *page, const struct cm_report *report,
		       uint64_t now_ms);
void cm_page_put_conf(struct cm_page *page, const char *text,
		      const struct cm_report *report);
void cm_page_put_answer(struct cm_page *page, uint32_t number,
			enum cm_page_result result, const char *text);

#endif
