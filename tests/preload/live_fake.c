/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live_fake MODE [COUNT] - a process with a page, without the library
 *
 * Says "ready" and lives until its standard input ends. COUNT: that many
 * processes, children of this one (mode none: without any page).
 *
 *   serve	answers: a request with "refuse" in it is refused
 *   mute	never answers
 *   closed	has closed the descriptor, the mapping is left
 *   low	has the descriptor below CM_PAGE_FD
 *   child	has forked: the child, which says its PID, holds the parent's fd
 *   leader	its first thread has ended, another lives on
 *   many	has many files of the page's name, all torn
 *   lock	holds the lock that cxlctl wants
 *   torn	writes conf, for ever
 *   scribble	a thread writes random bytes all over the page, for ever
 *   version, pid	the page says another
 *   text	the page's texts are control characters without an end
 *   huge	all numbers are as large as they can be
 *   unsealed, short, long	the file is not one to map
 *   file, fifo	no memfd, but named so: for a mount of one's own at $PWD
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "control/page.h"

#define FILE_NAME "memfd:" CM_PAGE_NAME	/* deleted, it looks like one */

static const char *mode;
static struct cm_page *page;
static int fd;

static bool is(const char *word)
{
	return strcmp(mode, word) == 0;
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct cm_report report = {
	.state = CM_STATE_TIERED,
	.tier = { { .binding = CM_BINDING_STRICT,
		    .used = 64 * MIB,
		    .in_use = 60 * MIB,
		    .limit = 128 * MIB,
		    .peak = 65 * MIB,
		    .nr_full = 3,
		    .nr_refused = 4,
		    .nr_arenas = 2 },
		  { .binding = CM_BINDING_EMULATED,
		    .used = 5 * MIB,
		    .in_use = 4 * MIB,
		    .limit = CM_NO_LIMIT } },
};

static void open_file(void)
{
	int last = is("low") ? 3 : CM_PAGE_FD, raw;

	if (is("fifo") || is("file")) {
		need(!(is("fifo") ? mkfifo(FILE_NAME, 0666) :
				    mknod(FILE_NAME, 0666, 0)),
		     FILE_NAME);
		raw = open(FILE_NAME, O_RDWR);
		unlink(FILE_NAME);
	} else {
		raw = memfd_create(CM_PAGE_NAME,
				   MFD_CLOEXEC | MFD_ALLOW_SEALING);
	}
	need(raw >= 0, "the page's file");
	if (!is("fifo"))
		need(!ftruncate(raw, is("short") ? 100 :
				     is("long")	 ? 8192 :
						   CM_PAGE_BYTES),
		     "ftruncate");
	if (!is("unsealed") && !is("fifo") && !is("file"))
		need(!fcntl(raw, F_ADD_SEALS,
			    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
		     "seals");
	fd = fcntl(raw, F_DUPFD_CLOEXEC, last);
	need(fd >= 0, "fcntl");
	close(raw);
	page = mmap(NULL, CM_PAGE_BYTES, PROT_READ | PROT_WRITE,
		    is("fifo") ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED,
		    is("fifo") ? -1 : fd, 0);
	need(page != MAP_FAILED, "mmap");
}

static void fill_page(void)
{
	memcpy(page->head.magic, CM_PAGE_MAGIC, sizeof(page->head.magic));
	page->head.version = CM_PAGE_VERSION + is("version");
	page->head.size = CM_PAGE_BYTES;
	page->head.pid = getpid() + is("pid");
	page->head.state = CM_STATE_TIERED;
	strcpy(page->head.library, "0.0-fake");
	strcpy(page->head.jemalloc, "none");
	cm_nodeset_set(&report.tier[0].nodes, 0);
	cm_page_put_stats(page, &report, now_ms());
	cm_page_put_conf(page, "policy=priority,order=ddr:cxl,ddr.limit=128m",
			 &report);
	if (is("text")) {
		memset(page->conf.text, '\033', CM_PAGE_CONF);
		memcpy(page->conf.text, "policy=", 7);
		memset(page->head.library, '\n', 32);
		memset(page->stats.tier[0].nodes, '\r', CM_PAGE_NODES);
	}
	if (is("huge"))
		memset(&page->stats.looked_ms, 0xff,
		       sizeof(page->stats) - sizeof(page->stats.tier));
	for (unsigned t = 0; is("huge") && t < CM_NR_TIERS; t++) {
		memset(&page->stats.tier[t], 0xff, sizeof(page->stats.tier[t]));
		page->stats.tier[t].binding = CM_BINDING_OFFLINE;
	}
}

static void *scribble(void *arg)
{
	uint32_t seed = 1;

	(void)arg;
	for (unsigned i = 0;; i++) {
		seed = seed * 1664525 + 1013904223;
		*((volatile unsigned char *)page +
		  seed % CM_PAGE_BYTES) = (unsigned char)(seed >> 24);
		/* now and then it looks good, or nobody would read on */
		if (i % 64 == 0)
			fill_page();
	}
	return NULL;
}

static void *tear(void *arg)
{
	(void)arg;
	for (;;)
		atomic_fetch_or(&page->conf.seq, 1);
	return NULL;
}

static void *serve(void *arg)
{
	const struct timespec pause = { 0, 1000 * 1000 };
	char text[CM_PAGE_TEXT + 1], conf[2048];
	uint32_t seen = 0;

	(void)arg;
	for (;; nanosleep(&pause, NULL)) {
		uint32_t number = cm_page_request(page, seen, text);

		if (!number)
			continue;
		seen = number;
		report.tier[0].used += MIB;
		cm_page_put_stats(page, &report, now_ms());
		if (!strstr(text, "refuse")) {
			snprintf(conf, sizeof(conf), "%s", text);
			if (*text)
				cm_page_put_conf(page, conf, &report);
			cm_page_put_answer(page, number, CM_PAGE_APPLIED, "");
		} else {
			cm_page_put_answer(page, number, CM_PAGE_REFUSED,
					   "no, said the fake");
		}
		(void)syscall(SYS_futex, &page->answer.number, FUTEX_WAKE,
			      INT32_MAX, NULL, NULL, 0);
	}
	return NULL;
}

static void run_thread(void *(*fn)(void *))
{
	pthread_t thread;

	need(!pthread_create(&thread, NULL, fn, NULL), "pthread_create");
}

static void be(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (is("none"))
		return;
	for (int i = 0; is("many") && i < 1000; i++) {
		open_file();
		fill_page();
		page->conf.seq = 1;
	}
	open_file();
	fill_page();
	if (is("closed"))
		close(fd);
	else if (is("lock"))
		need(!fcntl(fd, F_OFD_SETLK, &lock), "lock");
	else if (is("scribble"))
		run_thread(scribble);
	else if (is("torn"))
		run_thread(tear);
	else if (!is("mute"))
		run_thread(serve);
}

static void fork_children(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		need(child >= 0, "fork");
		if (child)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be();
		for (;;)
			pause();
	}
}

static void *wait_for_end(void *arg)
{
	printf("ready\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	exit(0);
	return arg;
}

int main(int argc, char **argv)
{
	pid_t child = 0;

	mode = argc > 1 ? argv[1] : "serve";
	if (argc > 2) {
		fork_children(strtol(argv[2], NULL, 10));
		mode = "none";
	}
	be();
	if (is("child")) {
		child = fork();
		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		printf("%d\n", (int)child);
	}
	if (is("leader")) {
		run_thread(wait_for_end);
		pthread_exit(NULL);
	}
	wait_for_end(NULL);
	return 0;
}
