/* SPDX-License-Identifier: BSD-2-Clause */
#include "entry/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "entry/init.h"
#include "entry/live.h"
#include "map/map.h"
#include "pool/pool.h"
#include "pool/report.h"
#include "sys/file.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U	/* Linux 6.3 */
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS	1033
#define F_SEAL_SEAL	1
#define F_SEAL_SHRINK	2
#define F_SEAL_GROW	4
#endif

static const _Atomic uint32_t nobody;
const _Atomic uint32_t *_Atomic cm_channel_number = &nobody;
_Atomic uint32_t cm_channel_met;

/*
 * What cxlctl sees; NULL: nothing yet. The address stays ours until the process
 * ends: hooks of any thread write into it.
 */
static struct cm_page *page;
static int descriptor = -1;

/*
 * A page of the kernel's that is zero in whoever has its memory from a fork. The
 * handlers of pthread_atfork see most of them, not those of _Fork and clone; a
 * child of vfork shares our memory, and is us as far as this goes.
 */
struct own {
	volatile bool is_ours;
	_Atomic uint64_t *_Atomic used[CM_NR_TIERS];
};

static struct own *own;
static ino_t inode;

/* Raw: libc's may be cancellation points, and set errno. */
static long call(long number, long a, long b, long c, long d)
{
	int saved = errno;
	long r = syscall(number, a, b, c, d);

	if (r == -1)
		r = -errno;
	errno = saved;
	return r;
}

static void close_fd(int fd)
{
	(void)call(SYS_close, fd, 0, 0, 0);
}

/* Noexec where the kernel knows it: some systems log or refuse others. */
static int make_file(void)
{
	const long seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	long flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	long fd = call(SYS_memfd_create, (long)CM_PAGE_NAME,
		       flags | MFD_NOEXEC_SEAL, 0, 0);

	if (fd == -EINVAL)
		fd = call(SYS_memfd_create, (long)CM_PAGE_NAME, flags, 0, 0);
	if (fd < 0)
		return (int)fd;
	/* Its page is had now, or there is no channel: no SIGBUS at a store. */
	if (call(SYS_fallocate, fd, 0, 0, CM_PAGE_BYTES) < 0 ||
	    call(SYS_fchmod, fd, 0600, 0, 0) < 0 ||
	    call(SYS_fcntl, fd, F_ADD_SEALS, seals, 0) < 0) {
		close_fd((int)fd);
		return -ENOMEM;
	}
	return (int)fd;
}

/*
 * Out of the way of programs that count on low numbers, or count what is open.
 * -EINVAL where RLIMIT_NOFILE does not reach so far.
 */
static int move_up(int fd)
{
	long up = call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, CM_PAGE_FD, 0);

	close_fd(fd);
	return (int)up;
}

static void put_head(struct cm_page *new)
{
	memcpy(new->head.magic, CM_PAGE_MAGIC, sizeof(new->head.magic));
	new->head.version = CM_PAGE_VERSION;
	new->head.size = CM_PAGE_BYTES;
	new->head.pid = (int32_t)getpid();
	new->head.state = cm_process.state;
	strncpy(new->head.library, PACKAGE_VERSION,
		sizeof(new->head.library) - 1);
	strncpy(new->head.jemalloc, CM_JEMALLOC_VERSION,
		sizeof(new->head.jemalloc) - 1);
	new->stats.mixed = cm_mixed_window().base;
	/* Pools of the program's own lie behind: whose pages, nodes tell. */
	new->stats.mixed_size = cm_mixed_window().size + cm_own_window().size;
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		new->stats.tier[t].window = cm_window_of(t).base;
		new->stats.tier[t].window_size = cm_window_of(t).size;
	}
}

/* Over the one there was: its address is known to hooks. */
static int map_page(int fd)
{
	long flags = MAP_SHARED | (page ? MAP_FIXED : 0);
	int saved = errno;
	long at = syscall(SYS_mmap, page, (long)CM_PAGE_BYTES,
			  PROT_READ | PROT_WRITE, flags, fd, 0L);

	errno = saved;
	if (at == -1)
		return -ENOMEM;
	page = (struct cm_page *)at;
	return 0;
}

/* The program may have closed it, or put another file there. */
static bool is_there(void)
{
	struct stat st;
	int saved = errno;
	bool there;

	if (descriptor < 0)
		return false;
	there = fstat(descriptor, &st) == 0 && st.st_ino == inode &&
		st.st_size == CM_PAGE_BYTES;
	errno = saved;
	return there;
}

static void show(void)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		atomic_store(&own->used[t], &page->stats.tier[t].used);
		atomic_store(&cm_pool[t].shown_used, &own->used[t]);
	}
	atomic_store(&cm_channel_met, 0);
	atomic_store(&cm_channel_number, &page->request.number);
}

static void fill(struct cm_report *report)
{
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		cm_pool_report_words(&cm_pool[t], &report->tier[t]);
		report->tier[t].mapped = cm_map_mapped(t);
	}
}

static void publish(bool all)
{
	/* Too large for a small stack; whoever looks is alone. */
	static CM_SPARSE struct cm_report report;
	static char conf[CM_PAGE_CONF];
	static struct cm_nodeset nodes[CM_NR_TIERS];
	static unsigned version;

	fill(&report);
	cm_page_put_stats(page, &report, cm_room_now_ms());
	all |= version != cm_live_version();
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		all |= memcmp(&nodes[t], &report.tier[t].nodes,
			      sizeof(nodes[t])) != 0;
	if (likely(!all))
		return;
	version = cm_live_version();
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		nodes[t] = report.tier[t].nodes;
	cm_live_format(conf, sizeof(conf));
	cm_page_put_conf(page, conf, &report);
}

void cm_channel_publish(void)
{
	if (page)
		publish(false);
}

static int filters_line(char *line, void *arg)
{
	static const char name[] = "Seccomp_filters:";

	if (strncmp(line, name, sizeof(name) - 1))
		return 0;
	*(unsigned long *)arg = strtoul(line + sizeof(name) - 1, NULL, 10);
	return 1;
}

/*
 * A sandbox the program has built since it started may kill for a call it does
 * not know; reading a file is what looks do anyway. Kernels before 5.9 do not
 * count filters: there it is as if there were none.
 */
static bool is_sandboxed(void)
{
	static unsigned long at_start = ULONG_MAX;
	unsigned long now = 0;
	char text[512];

	(void)cm_file_lines("/proc/self/status", text, sizeof(text),
			    filters_line, &now);
	if (at_start == ULONG_MAX)
		at_start = now;
	return now != at_start;
}

static int mark_own(void)
{
	long size = (long)cm_sys_page_size();
	int saved = errno;
	long at;

	if (!own) {
		at = syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
		if (at == -1)
			return errno = saved, -ENOMEM;
		/* Before Linux 4.14 such children are not told apart. */
		(void)syscall(SYS_madvise, at, size, MADV_WIPEONFORK);
		own = (struct own *)at;
	}
	own->is_ours = true;
	errno = saved;
	return 0;
}

void cm_channel_begin(void)
{
	static bool refused;
	struct stat st = { 0 };
	int fd, saved = errno;

	if (own && !own->is_ours)
		cm_channel_fork_child();
	if (cm_process.state != CM_STATE_TIERED ||
	    !cm_process.settings.control || getauxval(AT_SECURE) ||
	    is_there() || is_sandboxed())
		return;
	fd = refused ? -1 : make_file();
	if (fd >= 0)
		fd = move_up(fd);
	if (fd < 0 || mark_own() || map_page(fd)) {
		if (fd >= 0)
			close_fd(fd);
		/* Not again: what refused it will refuse it again. */
		refused = true;
		return;
	}
	(void)fstat(fd, &st);
	inode = st.st_ino;
	errno = saved;
	put_head(page);
	show();
	publish(true);
	descriptor = fd;
}

uint32_t cm_channel_request(char text[CM_PAGE_TEXT + 1])
{
	uint32_t met = atomic_load(&cm_channel_met), number;

	if (!page)
		return 0;
	number = atomic_load(&page->request.number);
	/* Half written, or already answered: nothing until it changes. */
	if (!number || number & 1 ||
	    number == atomic_load(&page->answer.number)) {
		atomic_store(&cm_channel_met, number);
		return 0;
	}
	return cm_page_request(page, met, text);
}

void cm_channel_answer(uint32_t number, enum cm_page_result result,
		       const char *text)
{
	cm_page_put_answer(page, number, result, text);
	atomic_store(&cm_channel_met, number);
	(void)call(SYS_futex, (long)&page->answer.number, FUTEX_WAKE, INT_MAX,
		   0);
}

/*
 * The parent's page is not the child's to write. A private one in its place
 * until there is another: hooks need no look at what it is.
 */
void cm_channel_fork_child(void)
{
	int saved = errno;

	if (!page)
		return;
	atomic_store(&cm_channel_number, &nobody);
	atomic_store(&cm_channel_met, 0);
	if (is_there())
		close_fd(descriptor);
	descriptor = -1;
	own->is_ours = true;
	/* No memory for a page: nobody writes into the parent's. */
	if (syscall(SYS_mmap, page, (long)CM_PAGE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0L) == -1) {
		for (unsigned t = 0; t < CM_NR_TIERS; t++)
			atomic_store(&own->used[t], NULL);
		page = NULL;
	}
	errno = saved;
}
