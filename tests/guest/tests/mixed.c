/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed BYTES... - a block of each size, all of it written, and where its pages
 * are: "BYTES node:pages ..."; then the policies of the window in numa_maps
 *
 * With "small" as the first word: blocks of 64 KiB that make up the size.
 */
#include "pages.h"

static void show(size_t size, const struct pages *seen)
{
	char text[200], line[260];

	format_pages(seen, text, sizeof(text));
	snprintf(line, sizeof(line), "%zu %s\n", size, text);
	check_write(line);
}

/* The mapping that begins at or before p. */
static void show_policy(const char *p)
{
	static char text[1 << 20];
	int fd = open("/proc/self/numa_maps", O_RDONLY);
	size_t have = 0;
	char *line = text, *stop, *found = NULL;
	ssize_t n;

	while (fd >= 0 && have < sizeof(text) - 1 &&
	       (n = read(fd, text + have, sizeof(text) - 1 - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	for (; (stop = strchr(line, '\n')) != NULL; line = stop + 1) {
		*stop = '\0';
		if (strtoul(line, NULL, 16) <= (uintptr_t)p)
			found = line;
	}
	if (found && strlen(found) < 1000) {
		check_write("policy ");
		check_write(strchr(found, ' ') + 1);
		check_write("\n");
	}
}

int main(int argc, char **argv)
{
	int small = argc > 1 && !strcmp(argv[1], "small");

	if (!tiers_found())
		return check_done();
	for (int i = 1 + small; i < argc; i++) {
		size_t size = strtoul(argv[i], NULL, 10);
		size_t each = small ? 64 << 10 : size;
		struct pages seen = { 0 };
		char *p = NULL;

		for (size_t at = 0; at < size; at += each) {
			p = malloc(each);
			if (!p) {
				check_write("NULL\n");
				return 1;
			}
			memset(p, 1, each);
			count_pages(p, each, &seen);
		}
		show(size, &seen);
		show_policy(p);
	}
	return 0;
}
