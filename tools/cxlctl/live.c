/* SPDX-License-Identifier: BSD-2-Clause */
#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINK_TEXT	"/memfd:" CM_PAGE_NAME " (deleted)"

/* What /proc/PID/status says of a process. */
struct status {
	unsigned long uid[4];	/* real, effective, saved, file system */
	long own_pid;		/* in the innermost PID namespace */
};

uint64_t live_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static ssize_t read_at(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n, len = 0;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf + len, size - 1 - (size_t)len);
		len += n > 0 ? n : 0;
	} while (n > 0 && (size_t)len < size - 1);
	n = n < 0 ? -errno : len;
	close(fd);
	buf[len] = '\0';
	return n;
}

/* A process's name is escaped there, so no line can be made up by it. */
static int read_status(int dir, long pid, struct status *status)
{
	char text[8192], *at, *end;
	ssize_t len = read_at(dir, "status", text, sizeof(text));

	if (len < 0)
		return (int)len;
	at = strstr(text, "\nUid:");
	if (!at)
		return -ESRCH;
	at += 5;
	for (int i = 0; i < 4; i++)
		status->uid[i] = strtoul(at, &at, 10);
	status->own_pid = pid;
	at = strstr(text, "\nNSpid:");
	if (!at)	/* a kernel without PID namespaces */
		return 0;
	at += 7;
	for (long n = strtol(at, &end, 10); end != at;
	     n = strtol(at, &end, 10)) {
		status->own_pid = n;
		at = end;
		if (*at == '\n')
			break;
	}
	return 0;
}

static void read_name(struct live *live)
{
	ssize_t len = read_at(live->dir, "comm", live->name,
			      sizeof(live->name));

	if (len > 0 && live->name[len - 1] == '\n')
		live->name[len - 1] = '\0';
	for (char *c = live->name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* Every memfd is on one device of the kernel's own, and nothing else is. */
static bool on_memfd_device(const struct stat *st)
{
	static dev_t device;
	static bool known;

	if (!known) {
		int fd = memfd_create("cxlctl", MFD_CLOEXEC);
		struct stat own;

		known = fd >= 0 && fstat(fd, &own) == 0;
		device = known ? own.st_dev : 0;
		if (fd >= 0)
			close(fd);
	}
	return known && st->st_dev == device;
}

/* Root's is that of a process that gave up being root later. */
static bool is_owner(const struct status *status, uid_t uid)
{
	for (int i = 0; i < 4; i++)
		if (status->uid[i] == uid)
			return true;
	return uid == 0;
}

static bool looks_like_page(int fd, const struct status *status)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       on_memfd_device(&st) && st.st_size == CM_PAGE_BYTES &&
	       is_owner(status, st.st_uid);
}

/* path is an O_PATH descriptor: nothing has been opened yet. */
static int open_checked(struct live *live, int path,
			const struct status *status, enum live_access access)
{
	const int sealed = F_SEAL_SHRINK | F_SEAL_GROW;
	int prot = access == LIVE_ASK ? PROT_READ | PROT_WRITE : PROT_READ;
	char link[32];
	int seals;

	if (!looks_like_page(path, status))
		return -ENOENT;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path);
	live->fd = open(link, (access == LIVE_ASK ? O_RDWR : O_RDONLY) |
				      O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (live->fd < 0)
		return -ENOENT;
	/* its size is final only now that the seals are known */
	seals = fcntl(live->fd, F_GET_SEALS);
	if (seals < 0 || (seals & sealed) != sealed ||
	    !looks_like_page(live->fd, status))
		goto close_fd;
	live->page = mmap(NULL, CM_PAGE_BYTES, prot, MAP_SHARED, live->fd, 0);
	if (live->page != MAP_FAILED)
		return 0;
	live->page = NULL;
close_fd:
	close(live->fd);
	live->fd = -1;
	return -ENOENT;
}

static void close_page(struct live *live)
{
	if (live->page)
		munmap(live->page, CM_PAGE_BYTES);
	if (live->fd >= 0)
		close(live->fd);
	live->page = NULL;
	live->fd = -1;
}

int live_read(struct live *live)
{
	const uint64_t patience_ns = 10 * 1000 * 1000;
	uint64_t start = 0;
	int err;

	/* the writer may have lost its CPU in the middle */
	while ((err = cm_page_read(live->page, &live->view)) == -EAGAIN) {
		if (!start)
			start = live_now_ns();
		else if (live_now_ns() - start > patience_ns)
			break;
		sched_yield();
	}
	return err;
}

/*
 * A process of ours has one file of that name, or two. Each may keep us waiting
 * (live_read), so one that has many is left after these.
 */
#define TRIES	8

/* A look for a page: what was met on the way. */
struct search {
	struct live *live;
	enum live_access access;
	struct status status;	/* own_pid 0: not read yet */
	bool named;		/* a descriptor has a page's name */
	bool has_memory;	/* or is a kernel thread, or its leader ended */
	unsigned nr_tried;
	int err;		/* -ENOENT, or why the best of them is no page */
};

/* name is below /proc/PID and has a page's name. True: that is it. */
static bool try_file(struct search *search, const char *name)
{
	struct live *live = search->live;
	int path = search->nr_tried++ < TRIES ?
			   openat(live->dir, name, O_PATH | O_CLOEXEC) :
			   -1;
	int err = path < 0 && errno == EPERM ? -EPERM : -ENOENT;

	if (path >= 0 && !search->status.own_pid &&
	    read_status(live->dir, live->pid, &search->status))
		search->status.own_pid = -1;
	if (path >= 0 && search->status.own_pid > 0)
		err = open_checked(live, path, &search->status, search->access);
	if (path >= 0)
		close(path);
	if (!err)
		err = live_read(live);
	if (!err && live->view.pid == search->status.own_pid) {
		live->uid = (uid_t)search->status.uid[1];
		search->err = 0;
		return true;
	}
	close_page(live);
	if (err && err != -ENOENT)
		search->err = err;
	return false;
}

static bool is_named_as_page(int dir, const char *name)
{
	char text[sizeof(LINK_TEXT)];
	ssize_t len = readlinkat(dir, name, text, sizeof(text));

	return len == sizeof(LINK_TEXT) - 1 &&
	       memcmp(text, LINK_TEXT, sizeof(LINK_TEXT) - 1) == 0;
}

/* folder is "fd", or a thread's */
static bool try_descriptors(struct search *search, const char *folder)
{
	int fd = openat(search->live->dir, folder,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool found = false;

	if (!names) {
		search->err = -errno;
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(names))) {
		char name[64 + sizeof(entry->d_name)];

		if (!is_named_as_page(fd, entry->d_name))
			continue;
		search->named = true;
		snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
		found = try_file(search, name);
	}
	closedir(names);
	return found;
}

/* A line of maps that shows a page: "START-END rw-s ... /memfd:..." */
static bool try_mapping(struct search *search, char *line)
{
	size_t len = strlen(line), tail = sizeof(LINK_TEXT) - 1;
	char name[64];

	if (len < tail || strcmp(line + len - tail, LINK_TEXT) != 0)
		return false;
	line[strcspn(line, " ")] = '\0';
	snprintf(name, sizeof(name), "map_files/%.50s", line);
	return try_file(search, name);
}

static bool try_mappings(struct search *search)
{
	static char text[16384];
	int fd = openat(search->live->dir, "maps", O_RDONLY | O_CLOEXEC);
	bool found = false;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while (!found &&
	       (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0) {
		char *line = text, *end;

		search->has_memory = true;
		len += (size_t)n;
		text[len] = '\0';
		while (!found && (end = strchr(line, '\n'))) {
			*end = '\0';
			found = try_mapping(search, line);
			line = end + 1;
		}
		len -= (size_t)(line - text);
		memmove(text, line, len);
		if (len == sizeof(text) - 1)	/* no path is that long */
			break;
	}
	close(fd);
	return found;
}

/* One whose first thread has ended keeps its descriptors in the others. */
static bool try_threads(struct search *search)
{
	int fd = openat(search->live->dir, "task",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool found = false;

	if (!names && fd >= 0)
		close(fd);
	while (names && !found && (entry = readdir(names))) {
		char folder[64];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(folder, sizeof(folder), "task/%.40s/fd",
			 entry->d_name);
		if (strtol(entry->d_name, NULL, 10) == search->live->pid)
			continue;
		found = try_descriptors(search, folder);
		/* they share them: one that has any is enough */
		if (search->named)
			break;
	}
	if (names)
		closedir(names);
	return found;
}

static bool is_own(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && st.st_uid == geteuid();
}

static int find_page(struct live *live, enum live_access access)
{
	struct search search = { live, access, .err = -ENOENT };
	char usual[16];

	snprintf(usual, sizeof(usual), "fd/%d", CM_PAGE_FD);
	if (is_named_as_page(live->dir, usual) && try_file(&search, usual))
		return 0;
	if (try_descriptors(&search, "fd"))
		return 0;
	/* what only root may open is told from a parent's page by root alone */
	if (search.err == -ENOENT && (!search.named || geteuid() == 0))
		(void)try_mappings(&search);
	if (search.err == -ENOENT && !search.named && !search.has_memory)
		(void)try_threads(&search);
	/* nobody but root may look at a first thread that has ended */
	if (search.err == -EACCES && is_own(live->dir)) {
		search.err = -ENOENT;
		(void)try_threads(&search);
	}
	return search.err;
}

int live_open(struct live *live, long pid, enum live_access access)
{
	char path[32];
	int err;

	*live = (struct live){ .pid = pid, .fd = -1 };
	snprintf(path, sizeof(path), "/proc/%ld", pid);
	live->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (live->dir < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	err = find_page(live, access);
	if (!err)
		read_name(live);
	else
		live_close(live);
	return err;
}

void live_close(struct live *live)
{
	close_page(live);
	if (live->dir >= 0)
		close(live->dir);
	live->dir = -1;
}

bool live_is_there(const struct live *live)
{
	struct live again = { .pid = live->pid, .dir = live->dir, .fd = -1 };
	struct stat old, new;
	bool same;

	if (find_page(&again, LIVE_READ))
		return false;
	same = fstat(live->fd, &old) == 0 && fstat(again.fd, &new) == 0 &&
	       old.st_ino == new.st_ino;
	close_page(&again);
	return same;
}

const char *live_why_not(int err)
{
	switch (err) {
	case -ESRCH:
		return "no such process";
	case -EACCES:
		return "another user's process; root may look at it";
	case -ENOENT:
		return "not under libcxlmalloc, or with control=false";
	case -EPERM:
		return "it closed its file descriptors, so only root can "
		       "reach it until it allocates again";
	case -EPROTO:
		return "its libcxlmalloc is of another version than this "
		       "cxlctl, or its page is damaged";
	case -EAGAIN:
		return "its page is being written without end";
	}
	return strerror(-err);
}
