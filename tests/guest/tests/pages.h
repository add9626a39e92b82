/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages - on which node each page of a block is, as the kernel answers
 *
 * Allocates nothing. A page that the kernel has on no node (never touched,
 * swapped out) counts as absent.
 */
#ifndef GUEST_PAGES_H
#define GUEST_PAGES_H

#include <sys/syscall.h>

#include "tiers.h"

#define PAGE		((size_t)4096)
#define NODES		16
#define TIERS		2

struct pages {
	size_t on[NODES], absent;
};

static inline void ask_kernel(void **page, size_t n, struct pages *out)
{
	static int status[1024];

	if (syscall(SYS_move_pages, 0, n, page, NULL, status, 0) < 0) {
		check_write("Bail out! move_pages failed\n");
		_exit(1);
	}
	for (size_t i = 0; i < n; i++)
		if (status[i] >= 0 && status[i] < NODES)
			out->on[status[i]]++;
		else
			out->absent++;
}

/* Adds the pages of a block to out; one shared with another counts twice. */
static inline void count_pages(const void *block, size_t size,
			       struct pages *out)
{
	static void *page[1024];
	uintptr_t at = (uintptr_t)block & ~(PAGE - 1);
	uintptr_t end = (uintptr_t)block + (size ? size : 1);
	size_t n = 0;

	for (; at < end; at += PAGE) {
		page[n++] = (void *)at;
		if (n == 1024 || at + PAGE >= end) {
			ask_kernel(page, n, out);
			n = 0;
		}
	}
}

static inline size_t all_pages(const struct pages *pages)
{
	size_t sum = pages->absent;

	for (int node = 0; node < NODES; node++)
		sum += pages->on[node];
	return sum;
}

/* Pages that are on none of the nodes, given as a mask. */
static inline size_t elsewhere(const struct pages *pages, unsigned nodes)
{
	size_t sum = pages->absent;

	for (int node = 0; node < NODES; node++)
		if (!(nodes >> node & 1))
			sum += pages->on[node];
	return sum;
}

static inline void format_pages(const struct pages *pages, char *text,
				size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (int node = 0; node < NODES; node++)
		if (pages->on[node])
			len += (size_t)snprintf(text + len, size - len,
						"%s%d:%zu", len ? " " : "",
						node, pages->on[node]);
	if (pages->absent)
		snprintf(text + len, size - len, "%sabsent:%zu", len ? " " : "",
			 pages->absent);
}

/* A list such as 0,2-3 as a mask of nodes. */
static inline unsigned node_mask(const char *list)
{
	unsigned mask = 0;

	while (*list) {
		char *end;
		long from = strtol(list, &end, 10), to = from;

		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		for (; from <= to && from < NODES; from++)
			mask |= 1U << from;
		list = *end ? end + 1 : end;
	}
	return mask;
}

/*
 * The same from the other side: all that the kernel has in a tier's window,
 * by numa_maps, in its units of each mapping's page size.
 */
static inline void count_window(int tier, struct pages *out)
{
	static char text[1 << 20];
	int fd = open("/proc/self/numa_maps", O_RDONLY);
	size_t have = 0;
	ssize_t n = 0;
	char *line = text, *stop, *s, *end;

	while (fd >= 0 && have < sizeof(text) - 1 &&
	       (n = read(fd, text + have, sizeof(text) - 1 - have)) > 0)
		have += (size_t)n;
	if (fd < 0 || n < 0 || have == 0 || have == sizeof(text) - 1) {
		check_write("Bail out! numa_maps can't be read\n");
		_exit(1);
	}
	close(fd);
	text[have] = '\0';
	for (; (stop = strchr(line, '\n')) != NULL; line = stop + 1) {
		*stop = '\0';
		if (tier_of((void *)strtoul(line, NULL, 16)) != tier)
			continue;
		for (s = line; (s = strstr(s, " N")) != NULL; s = end) {
			long node = strtol(s + 2, &end, 10);

			if (*end == '=' && node < NODES)
				out->on[node] += strtoul(end + 1, &end, 10);
		}
	}
}

#endif
