/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The beginning of a file, enough for an ELF header or a "#!" line. */
union head {
	ElfW(Ehdr) elf;
	char text[256];
};

static bool read_head(int fd, union head *head)
{
	ssize_t len = pread(fd, head, sizeof(*head), 0);

	if (len < 0)
		return false;
	memset(head->text + len, 0, sizeof(*head) - (size_t)len);
	head->text[sizeof(*head) - 1] = '\0';
	return true;
}

static bool is_elf(const union head *head)
{
	return memcmp(head->elf.e_ident, ELFMAG, SELFMAG) == 0;
}

/* Same word size, byte order and machine as this program. */
static bool is_native(const union head *head)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	union head own = { .text = "" };
	bool known = fd >= 0 && read_head(fd, &own);

	if (fd >= 0)
		close(fd);
	/* these fields are in the same place whatever the word size */
	return !known ||
	       (head->elf.e_ident[EI_CLASS] == own.elf.e_ident[EI_CLASS] &&
		head->elf.e_ident[EI_DATA] == own.elf.e_ident[EI_DATA] &&
		head->elf.e_machine == own.elf.e_machine);
}

const char *run_not_a_library(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why = NULL;
	union head head;

	if (fd < 0)
		return "cannot be read";
	if (!read_head(fd, &head) || !is_elf(&head) ||
	    head.elf.e_type != ET_DYN)
		why = "not a shared library";
	else if (!is_native(&head))
		why = "a library for another machine";
	close(fd);
	return why;
}

static bool has_interpreter(int fd, const union head *head)
{
	ElfW(Phdr) phdr;

	for (unsigned i = 0; i < head->elf.e_phnum; i++) {
		off_t at = (off_t)(head->elf.e_phoff +
				   (ElfW(Off))i * head->elf.e_phentsize);

		if (pread(fd, &phdr, sizeof(phdr), at) != sizeof(phdr))
			return true;	/* damaged: execve will tell */
		if (phdr.p_type == PT_INTERP)
			return true;
	}
	return false;
}

/* ld-linux.so COMMAND: the loader itself has no interpreter, and preloads. */
static bool is_loader(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return strncmp(base, "ld", 2) == 0 && strstr(base, ".so");
}

/*
 * Does the kernel set AT_SECURE for it? Only for what makes a difference to
 * this user: root's own setuid programs run as any other.
 */
static bool is_secure(const char *path)
{
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) < 0 ||
	    (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOSUID) ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return false;
	if (st.st_mode & S_ISUID && st.st_uid != getuid())
		return true;
	/* without S_IXGRP the bit means mandatory locking */
	if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
	    st.st_gid != getgid())
		return true;
	return getuid() != 0 &&
	       getxattr(path, "security.capability", NULL, 0) > 0;
}

/* Where execvp(3) finds it; false: it does not, or the path is too long. */
static bool find(const char *command, char path[PATH_MAX])
{
	const char *at = getenv("PATH"), *end;
	struct stat st;

	if (strchr(command, '/'))
		return snprintf(path, PATH_MAX, "%s", command) < PATH_MAX;
	if (!at)
		at = "/bin:/usr/bin";
	for (;; at = end + 1) {
		int len;

		end = strchrnul(at, ':');
		len = snprintf(path, PATH_MAX, "%.*s%s%s", (int)(end - at), at,
			       end > at ? "/" : "", command);
		if (len < PATH_MAX && access(path, X_OK) == 0 &&
		    stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return true;
		if (!*end)
			return false;
	}
}

/* "#! /bin/sh -e": path becomes /bin/sh; false: not a script. */
static bool follow(union head *head, char path[PATH_MAX])
{
	char *name;

	if (memcmp(head->text, "#!", 2) != 0)
		return false;
	head->text[strcspn(head->text, "\n")] = '\0';
	name = head->text + 2 + strspn(head->text + 2, " \t");
	name[strcspn(name, " \t")] = '\0';
	snprintf(path, PATH_MAX, "%s", name);
	return true;
}

enum run_reach run_reach_of(const char *command, const char **program)
{
	const unsigned nested_max = 5;	/* the kernel's */
	static char path[PATH_MAX];
	enum run_reach reach;
	union head head;
	int fd;

	*program = path;
	if (!find(command, path))
		return RUN_LOADS;
	for (unsigned i = 0; i <= nested_max; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)	/* it may be executable, not readable */
			return is_secure(path) ? RUN_SECURE : RUN_LOADS;
		if (!read_head(fd, &head))
			head.text[0] = '\0';
		if (is_elf(&head))
			break;
		close(fd);
		if (!follow(&head, path))
			return RUN_LOADS;
		fd = -1;
	}
	if (fd < 0)
		return RUN_LOADS;
	if (is_secure(path))
		reach = RUN_SECURE;
	else if (!is_native(&head))
		reach = RUN_FOREIGN;
	else if (!has_interpreter(fd, &head) && !is_loader(path))
		reach = RUN_STATIC;
	else
		reach = RUN_LOADS;
	close(fd);
	return reach;
}
