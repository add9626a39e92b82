/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live - the pages of processes under the library, as cxlctl reaches them
 *
 * A process is entered through one descriptor of its /proc directory, which
 * is that process's for good: when its number goes to another, the kernel
 * answers ESRCH. In it the page is looked for at descriptor CM_PAGE_FD, among
 * all descriptors, and, since a daemon closes those, among its mappings, which
 * only root can open.
 *
 * Whatever is found is another program's and may be made to hurt us, so it is
 * opened only when it is known to be a memfd (not a pipe, not a device, not a
 * file of somebody's) of the process's owner, and mapped only when its seals
 * say that it will stay a page. A page that was not made by the process that
 * holds it, such as the one a forked child has from its parent, is passed by.
 */
#ifndef CXLCTL_LIVE_H
#define CXLCTL_LIVE_H

#include <sys/types.h>

#include "control/page.h"

enum live_access {
	LIVE_READ,
	LIVE_ASK,	/* requests are possible: mapped writable */
};

struct live {
	long pid;		/* as we see it */
	uid_t uid;		/* effective */
	char name[64];		/* comm, printable */
	int dir;		/* /proc/PID */
	int fd;			/* the memfd */
	struct cm_page *page;
	struct cm_page_view view;
};

/*
 * 0: live is open, its view is read. Else nothing is, and
 *   -ESRCH   no such process
 *   -EACCES  another user's
 *   -ENOENT  it has no page
 *   -EPERM   it has closed its descriptors: root could reach the page
 *   -EPROTO  its page is of another version, or damaged
 *   -EAGAIN  its page is being written without end
 */
int live_open(struct live *live, long pid, enum live_access access);
void live_close(struct live *live);

/* Read the page once more; -EPROTO or -EAGAIN as above. */
int live_read(struct live *live);

/* The process is there, and did not exec another program since. */
bool live_is_there(const struct live *live);

/* What live_open's error means to who asked for this process. */
const char *live_why_not(int err);

struct live_scan {
	unsigned nr_closed;	/* pages only root could reach */
	unsigned nr_bad;	/* pages of another version, or damaged */
};

/*
 * Call fn for every process this user may look at and that has a page, by
 * rising PID. It owns live from then on and closes it. Stops when fn returns
 * not 0 and returns that; else 0 or -errno.
 */
int live_each(enum live_access access, struct live_scan *scan,
	      int (*fn)(struct live *live, void *arg), void *arg);

/* CLOCK_MONOTONIC, as the times in a page */
uint64_t live_now_ns(void);

/* --- requests ------------------------------------------------------------ */

enum live_result {
	LIVE_PENDING,	/* in the page; the process did not answer in time */
	LIVE_APPLIED,
	LIVE_REFUSED,	/* text says why */
	LIVE_BUSY,	/* another cxlctl is waiting for an answer */
	LIVE_LONG,	/* with what is pending already it does not fit */
	LIVE_GONE,	/* ended, or another program by now */
};

struct live_answer {
	enum live_result result;
	uint64_t took_ns;	/* applied or refused: since it was asked */
	char text[CM_PAGE_TEXT + 1];
};

/* One wait of the kernel's covers that many (FUTEX_WAITV_MAX). */
#define LIVE_BATCH	128

/*
 * Ask nr processes, at most LIVE_BATCH and all open with LIVE_ASK, for the
 * same, and wait for all answers at once. Settings that an earlier request
 * left pending are asked for again in front of these; so an empty text, which
 * asks for fresh numbers, takes nothing from anybody.
 */
void live_ask(struct live *const *live, size_t nr, const char *text,
	      unsigned wait_ms, struct live_answer *answer);

/* What is pending and not overridden by text, then text. False: too long. */
bool live_join(const struct cm_page *page, const char *text,
	       char joined[CM_PAGE_TEXT]);

#endif
