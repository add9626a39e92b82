/* SPDX-License-Identifier: BSD-2-Clause */
#include "topology/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/line.h"
#include "sys/file.h"

#define PATH_SIZE	1024

/* Fixed buffers: nothing here may allocate, and the stack may be a thread's. */
struct find {
	char group[PATH_SIZE];	/* as /proc/self/cgroup has it */
	char at[PATH_SIZE];	/* of the hierarchy's part that is mounted */
	size_t top;		/* of at: the mount point itself */
	bool mounted;
	bool own;		/* at is the group, and no group above it */
};

/* "0::/system.slice/x.service"; other numbers are of v1 */
static int group_line(char *line, void *arg)
{
	struct find *f = arg;
	size_t len = strlen(line);

	if (strncmp(line, "0::/", 4) || len - 3 >= sizeof(f->group))
		return 0;
	memcpy(f->group, line + 3, len - 3 + 1);
	return 1;
}

/* proc(5): blanks and backslashes in mountinfo are \ooo. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] &&
		    s[3]) {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				     (s[3] - '0'));
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

/* The part of group below root; NULL: it is not below. */
static const char *below(const char *group, const char *root)
{
	size_t len = strlen(root);

	if (!strcmp(root, "/"))
		return group;
	if (strncmp(group, root, len) || (group[len] && group[len] != '/'))
		return NULL;
	return group + len;
}

/* "25 1 0:24 /root /mount/point rw,... shared:4 - cgroup2 cgroup2 rw" */
static int mount_line(char *line, void *arg)
{
	struct find *f = arg;
	char *field[5], *save = NULL, *word = line;
	const char *rest;
	size_t len;
	bool found, own;

	if (!strstr(line, " - cgroup2 "))
		return 0;
	for (int i = 0; i < 5; i++, word = NULL) {
		field[i] = strtok_r(word, " ", &save);
		if (!field[i])
			return 0;
	}
	unescape(field[3]);
	unescape(field[4]);
	rest = below(f->group, field[3]);
	found = rest != NULL;
	/* Another part is better than none, until ours is found. */
	if (!found && f->mounted)
		return 0;
	/* "/../x": outside of our namespace, out of sight. */
	own = found && strncmp(rest, "/..", 3);
	if (!own)
		rest = "";
	len = strlen(field[4]);
	if (len + strlen(rest) >= sizeof(f->at) - 32)
		return 0;
	memcpy(f->at, field[4], len);
	strcpy(f->at + len, strcmp(rest, "/") ? rest : "");
	f->top = len;
	f->mounted = true;
	f->own = own;
	return found;
}

/*
 * 0; -ENOENT: no such file, as in the root cgroup. "max" is CM_NO_LIMIT. The path
 * goes where the group was, which is no longer asked for: a thread's stack may be
 * 16 KiB, and at has room for the name behind it.
 */
static int value_of(struct find *f, size_t len, const char *name,
		    uint64_t *value)
{
	struct cm_line line;
	char text[32];
	ssize_t err;

	cm_line_init(&line, f->group, sizeof(f->group), -1);
	cm_line_put(&line, f->at, len);
	cm_line_fmt(&line, "/%s", name);
	err = cm_file_read(f->group, text, sizeof(text));
	if (err <= 0)
		return err ? (int)err : -ENOENT;
	*value = strncmp(text, "max", 3) ? strtoull(text, NULL, 10) :
					   CM_NO_LIMIT;
	return 0;
}

static void take_smaller(uint64_t *least, uint64_t value)
{
	if (value < *least)
		*least = value;
}

static int find(const char *proc, struct find *f, char *text, size_t size)
{
	char path[256];
	struct cm_line line;
	int err;

	memset(f, 0, sizeof(*f));
	cm_line_init(&line, path, sizeof(path), -1);
	cm_line_fmt(&line, "%s/self/cgroup", proc);
	err = cm_file_lines(path, text, size, group_line, f);
	if (err != 1)
		return err < 0 ? err : -ENOENT;
	cm_line_init(&line, path, sizeof(path), -1);
	cm_line_fmt(&line, "%s/self/mountinfo", proc);
	err = cm_file_lines(path, text, size, mount_line, f);
	if (err < 0)
		return err;
	return f->mounted ? 0 : -ENOENT;
}

int cm_cgroup_path(const char *proc, char *path, size_t size)
{
	char text[PATH_SIZE];
	struct find f;
	int err = find(proc, &f, text, sizeof(text));

	if (err)
		return err;
	if (!f.own)
		return -EXDEV;
	if (strlen(f.at) >= size)
		return -ENAMETOOLONG;
	strcpy(path, f.at);
	return 0;
}

int cm_cgroup_read(const char *proc, struct cm_report_cgroup *out)
{
	char text[PATH_SIZE];
	struct find f;
	size_t len;
	bool any = false;
	int err;

	*out = (struct cm_report_cgroup){ .max = CM_NO_LIMIT,
					  .high = CM_NO_LIMIT };
	err = find(proc, &f, text, sizeof(text));
	if (err)
		return err;
	for (len = strlen(f.at);; len--) {
		uint64_t value;

		err = value_of(&f, len, "memory.max", &value);
		if (err && err != -ENOENT)
			return err;	/* not now: no descriptor is left */
		if (!err) {
			take_smaller(&out->max, value);
			if (!any)
				(void)value_of(&f, len, "memory.current",
					       &out->current);
			any = true;
		}
		if (!value_of(&f, len, "memory.high", &value))
			take_smaller(&out->high, value);
		if (len <= f.top)
			break;
		while (len > f.top && f.at[len - 1] != '/')
			len--;
		/* the slash itself goes with the loop's step */
	}
	out->known = any;
	return any ? 0 : -ENOENT;
}

/* "MemTotal:       24683052 kB" */
static int total_line(char *line, void *arg)
{
	if (strncmp(line, "MemTotal:", 9))
		return 0;
	*(uint64_t *)arg = strtoull(line + 9, NULL, 10) * KIB;
	return 1;
}

/* Without a /proc: the system call. */
static uint64_t machine_memory(const char *proc)
{
	uint64_t total = 0;
	char path[256], text[512];
	struct cm_line line;
	struct sysinfo info;

	cm_line_init(&line, path, sizeof(path), -1);
	cm_line_fmt(&line, "%s/meminfo", proc);
	if (cm_file_lines(path, text, sizeof(text), total_line, &total) == 1)
		return total;
	return sysinfo(&info) ? CM_NO_LIMIT :
				(uint64_t)info.totalram * info.mem_unit;
}

int cm_cgroup_memory(const char *proc, uint64_t *memory)
{
	struct cm_report_cgroup group;
	int err = cm_cgroup_read(proc, &group);

	if (err && err != -ENOENT)
		return err;
	*memory = machine_memory(proc);
	if (!err) {
		take_smaller(memory, group.max);
		take_smaller(memory, group.high);
	}
	return 0;
}
