/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "live.h"

static int by_pid(const void *a, const void *b)
{
	long left = *(const long *)a, right = *(const long *)b;

	return (left > right) - (left < right);
}

/* All numbers of /proc, rising; NULL: errno says why. */
static long *list_pids(size_t *nr)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t room = 0;
	long *list = NULL;

	*nr = 0;
	while (proc && (entry = readdir(proc))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid <= 0 || *end)
			continue;
		if (*nr == room) {
			long *more;

			room = room ? 2 * room : 1024;
			more = realloc(list, room * sizeof(*list));
			if (!more)
				break;
			list = more;
		}
		list[(*nr)++] = pid;
	}
	if (proc)
		closedir(proc);
	if (*nr > 1)
		qsort(list, *nr, sizeof(*list), by_pid);
	return list;
}

int live_each(enum live_access access, struct live_scan *scan,
	      int (*fn)(struct live *live, void *arg), void *arg)
{
	size_t nr;
	long *pids = list_pids(&nr);
	int err = pids ? 0 : -errno;
	struct live live;

	*scan = (struct live_scan){ 0 };
	for (size_t i = 0; i < nr && !err; i++) {
		switch (live_open(&live, pids[i], access)) {
		case 0:
			err = fn(&live, arg);
			break;
		case -EPERM:
			scan->nr_closed++;
			break;
		case -EPROTO:
		case -EAGAIN:
			scan->nr_bad++;
			break;
		}
	}
	free(pids);
	return err;
}
