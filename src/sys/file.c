/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"

/*
 * Raw calls: libc's open and read are cancellation points, and a thread must
 * not be cancelled inside malloc.
 */
/* O_NONBLOCK: a pipe in a file's place must not hold up the program. */
static int raw_open(const char *path, int flags)
{
	long fd = syscall(SYS_openat, AT_FDCWD, path,
			  flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

	return fd == -1 ? -errno : (int)fd;
}

static ssize_t raw_read(int fd, void *buf, size_t size)
{
	long n;

	do
		n = syscall(SYS_read, fd, buf, size);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

static void raw_close(int fd)
{
	(void)syscall(SYS_close, fd);
}

ssize_t cm_file_read(const char *path, char *buf, size_t size)
{
	int saved = errno;
	int fd = raw_open(path, 0);
	ssize_t n = fd, len = 0;

	if (fd >= 0) {
		while ((size_t)len < size - 1) {
			n = raw_read(fd, buf + len, size - 1 - (size_t)len);
			if (n <= 0)
				break;
			len += n;
		}
		raw_close(fd);
	}
	buf[len] = '\0';
	errno = saved;
	return n < 0 ? n : len;
}

int cm_file_lines(const char *path, char *buf, size_t size,
		  int (*fn)(char *line, void *arg), void *arg)
{
	size_t len = 0;
	int saved = errno;
	int ret = 0;
	bool skip = false;	/* in the rest of a line that came cut */
	int fd = raw_open(path, 0);

	if (fd < 0) {
		errno = saved;
		return fd;
	}
	while (ret == 0) {
		ssize_t n = raw_read(fd, buf + len, size - 1 - len);
		char *line = buf, *end;

		if (n < 0)
			ret = (int)n;
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
		while (ret == 0 &&
		       (end = memchr(line, '\n', len - (size_t)(line - buf)))) {
			*end = '\0';
			if (!skip)
				ret = fn(line, arg);
			skip = false;
			line = end + 1;
		}
		len -= (size_t)(line - buf);
		memmove(buf, line, len);
		if (len == size - 1) {
			buf[len] = '\0';
			if (!skip && ret == 0)
				ret = fn(buf, arg);
			skip = true;
			len = 0;
		}
	}
	if (ret == 0 && len && !skip) {
		buf[len] = '\0';
		ret = fn(buf, arg);
	}
	raw_close(fd);
	errno = saved;
	return ret;
}

int cm_file_names(const char *path, int (*fn)(const char *name, void *arg),
		  void *arg)
{
	/* linux_dirent64: ino, off (8 bytes each), reclen, type, name */
	_Alignas(8) char buf[2048];
	int saved = errno;
	int ret = 0;
	int fd = raw_open(path, O_DIRECTORY);

	if (fd < 0) {
		errno = saved;
		return fd;
	}
	while (ret == 0) {
		long n = syscall(SYS_getdents64, fd, buf, sizeof(buf));

		if (n == -1)
			ret = -errno;
		if (n <= 0)
			break;
		for (long at = 0; at < n && ret == 0;) {
			const char *name = buf + at + 19;
			unsigned short reclen;

			memcpy(&reclen, buf + at + 16, sizeof(reclen));
			at += reclen;
			if (strcmp(name, ".") && strcmp(name, ".."))
				ret = fn(name, arg);
		}
	}
	raw_close(fd);
	errno = saved;
	return ret;
}
