/* SPDX-License-Identifier: BSD-2-Clause */
#include "isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nodeset.h"
#include "sys/file.h"
#include "topology/cgroup.h"

static const char *const controller[ISOLATE_NR] = { "cpuset", "memory" };

static int put(const char *group, const char *file, const char *text)
{
	char path[PATH_MAX];
	ssize_t len = (ssize_t)strlen(text);
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", group, file) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)len) != len)
		err = -errno;
	close(fd);
	return err;
}

static ssize_t get(const char *group, const char *file, char *text, size_t size)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", group, file) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return cm_file_read(path, text, size);
}

/* Is it one of the words? */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = text; (s = strstr(s, word)); s += len)
		if ((s == text || s[-1] == ' ') &&
		    (!s[len] || s[len] == ' ' || s[len] == '\n'))
			return true;
	return false;
}

/* "+cpuset +memory" for own's children, those that are wanted; or "-". */
static int switch_controllers(const struct isolate *iso, char sign)
{
	char text[64] = "";
	size_t len = 0;

	for (unsigned i = 0; i < ISOLATE_NR; i++)
		if (iso->enabled[i])
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"%s%c%s", len ? " " : "", sign,
						controller[i]);
	return len ? put(iso->own, "cgroup.subtree_control", text) : 0;
}

/* 0: no process is in the group; -ETIMEDOUT: still, after ms (-1: for ever). */
static int wait_empty(const char *group, int ms)
{
	struct pollfd events = { .events = POLLPRI };
	char path[PATH_MAX], text[128];
	int err = -ETIMEDOUT;

	snprintf(path, sizeof(path), "%.*s/cgroup.events", PATH_MAX - 16,
		 group);
	events.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (events.fd < 0)
		return -errno;
	do {
		ssize_t len = pread(events.fd, text, sizeof(text) - 1, 0);

		text[len > 0 ? len : 0] = '\0';
		if (len < 0 || strstr(text, "populated 0"))
			err = 0;
	} while (err && poll(&events, 1, ms) > 0);
	close(events.fd);
	return err;
}

/* Has own any child group that is not ours? */
static int is_other(const char *name, void *arg)
{
	const struct isolate *iso = arg;
	char path[PATH_MAX];
	struct stat st;

	return snprintf(path, sizeof(path), "%s/%s", iso->own, name) <
		       (int)sizeof(path) &&
	       strcmp(path, iso->aside) != 0 && stat(path, &st) == 0 &&
	       S_ISDIR(st.st_mode);
}

/*
 * Back into own. It keeps the controllers, and us aside, if somebody has made
 * another group there meanwhile, which would lose its limits.
 */
static void step_back(struct isolate *iso)
{
	if (!iso->aside[0] || cm_file_names(iso->own, is_other, iso))
		return;
	if (switch_controllers(iso, '-') == 0 &&
	    put(iso->own, "cgroup.procs", "0") == 0 &&
	    wait_empty(iso->aside, 1000) == 0)
		(void)rmdir(iso->aside);
	iso->aside[0] = '\0';
}

int isolate_end(struct isolate *iso, bool patient)
{
	const int moment = 100;

	if (wait_empty(iso->group, patient ? -1 : moment) == -ETIMEDOUT)
		return -EBUSY;
	if (rmdir(iso->group) < 0 && errno == EBUSY)
		return -EBUSY;
	step_back(iso);
	return 0;
}

/* The root of the machine's groups has no type. */
static bool is_root(const char *group)
{
	char text[32];

	return get(group, "cgroup.type", text, sizeof(text)) == -ENOENT;
}

/* Out of the way; -EBUSY: others are in own. */
static int step_aside(struct isolate *iso)
{
	char text[32];
	int err;

	if (snprintf(iso->aside, PATH_MAX, "%.*s-self", PATH_MAX - 8,
		     iso->group) < 0 ||
	    mkdir(iso->aside, 0755) < 0) {
		iso->aside[0] = '\0';
		return -errno;
	}
	err = put(iso->aside, "cgroup.procs", "0");
	/* its controllers could be enabled, and no process be put below it */
	if (!err && get(iso->own, "cgroup.procs", text, sizeof(text)) > 0)
		err = -EBUSY;
	return err;
}

static int refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int refuse(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "cxlctl run: --isolate: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

#define V1_HINT	"boot with systemd.unified_cgroup_hierarchy=1"

/* A group that would do, in the words of who is asking. */
static const char *hint(void)
{
	return geteuid() == 0 ?
		       "systemd-run --scope -p Delegate=yes cxlctl run ..." :
		       "systemd-run --user --scope -p Delegate=yes cxlctl "
		       "run ...";
}

static bool has_v1(const char *proc, const char *name)
{
	char text[4096], word[32];

	snprintf(word, sizeof(word), ":%s:", name);
	return get(proc, "self/cgroup", text, sizeof(text)) > 0 &&
	       strstr(text, word);
}

/* own, and which controllers have to be enabled; else said. */
static int look(struct isolate *iso, const char *proc, const bool want[])
{
	char there[512], enabled[512];
	int err = cm_cgroup_path(proc, iso->own, PATH_MAX);
	ssize_t len;

	if (err == -EXDEV)
		return refuse("this process's cgroup is outside of what can "
			      "be seen here; run it where the cgroup is: %s",
			      hint());
	if (err)
		return refuse("no cgroup v2 is mounted; " V1_HINT);
	len = get(iso->own, "cgroup.controllers", there, sizeof(there));
	if (len >= 0)
		len = get(iso->own, "cgroup.subtree_control", enabled,
			  sizeof(enabled));
	if (len < 0)
		return refuse("%s cannot be read: %s", iso->own,
			      strerror((int)-len));
	for (unsigned i = 0; i < ISOLATE_NR; i++) {
		if (want[i] && !has_word(there, controller[i])) {
			if (has_v1(proc, controller[i]))
				return refuse("the controller %s is with "
					      "cgroup v1 here; " V1_HINT,
					      controller[i]);
			return refuse(
				"%s has no controller %s; use %s (a user's "
				"needs Delegate=cpuset memory in "
				"user@.service, which root sets)",
				iso->own, controller[i], hint());
		}
		iso->enabled[i] = want[i] && !has_word(enabled, controller[i]);
	}
	return 0;
}

/* The group's two values; -1: said */
static int fill(const struct isolate *iso, const struct cm_nodeset *mems,
		uint64_t max)
{
	char text[CM_NODESET_TEXT_MAX];
	int err = 0;

	(void)cm_nodeset_format(mems, text, sizeof(text));
	if (text[0])
		err = put(iso->group, "cpuset.mems", text);
	if (err)
		return refuse("cpuset.mems=%s: %s", text, strerror(-err));
	snprintf(text, sizeof(text), "%llu", (unsigned long long)max);
	if (max != CM_NO_LIMIT)
		err = put(iso->group, "memory.max", text);
	return err ? refuse("memory.max=%s: %s", text, strerror(-err)) : 0;
}

int isolate_begin(struct isolate *iso, const char *proc,
		  const struct cm_nodeset *mems, uint64_t max)
{
	const bool want[ISOLATE_NR] = { !cm_nodeset_empty(mems),
					max != CM_NO_LIMIT };
	int err;

	memset(iso, 0, sizeof(*iso));
	if (look(iso, proc, want) < 0)
		return -1;
	if (snprintf(iso->group, PATH_MAX, "%.*s/cxlctl-%ld", PATH_MAX - 32,
		     iso->own, (long)getpid()) < 0 ||
	    mkdir(iso->group, 0755) < 0)
		return refuse("%s: %s: may not make a cgroup here; use %s",
			      iso->own, strerror(errno), hint());
	err = is_root(iso->own) ? 0 : step_aside(iso);
	if (!err)
		err = switch_controllers(iso, '+');
	if (err == -EBUSY)
		(void)refuse("%s has other processes, so its children get no "
			     "limits; use %s",
			     iso->own, hint());
	else if (err)
		(void)refuse("%s: %s: its children may not be given limits; "
			     "use %s",
			     iso->own, strerror(-err), hint());
	else
		err = fill(iso, mems, max);
	if (err)
		(void)isolate_end(iso, false);
	return err ? -1 : 0;
}

int isolate_join(const struct isolate *iso)
{
	int err = put(iso->group, "cgroup.procs", "0");

	return err ? refuse("%s/cgroup.procs: %s; use %s", iso->group,
			    strerror(-err), hint()) :
		     0;
}
