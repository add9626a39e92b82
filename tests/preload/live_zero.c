/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live_zero - a request whose number somebody set back to 0 is no request:
 * slow paths do not look for it again and again
 */
#include <sys/mman.h>

#include "check.h"
#include "control/page.h"

#define NR	2000

static struct cm_page *find_page(void)
{
	char link[64], path[128];

	for (int fd = 3; fd <= 2 * CM_PAGE_FD; fd++) {
		void *page;
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof(path) - 1);
		path[n > 0 ? n : 0] = '\0';
		if (!strstr(path, "memfd:" CM_PAGE_NAME))
			continue;
		page = mmap(NULL, CM_PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
		return page == MAP_FAILED ? NULL : page;
	}
	return NULL;
}

/* Looks read files; this many slow paths take no time for two of them. */
static long reads(void)
{
	FILE *io = fopen("/proc/self/io", "r");
	char line[128];
	long nr = -1;

	while (io && fgets(line, sizeof(line), io))
		(void)sscanf(line, "syscr: %ld", &nr);
	if (io)
		fclose(io);
	return nr;
}

static void allocate(void)
{
	for (int i = 0; i < NR; i++) {
		void *volatile p = malloc(100000);

		free(p);
	}
}

int main(void)
{
	struct cm_page *page;
	uint32_t number;
	long before;

	allocate();
	page = find_page();
	if (!page || reads() < 0) {
		check(1, "a page and /proc/self/io # SKIP not here");
		return check_done();
	}
	number = cm_page_ask(page, "");
	allocate();
	check(atomic_load(&page->answer.number) == number,
	      "an empty request is answered");
	atomic_store(&page->request.number, 0);
	allocate();
	before = reads();
	allocate();
	before = reads() - before;
	note("%ld reads in %d slow paths", before, NR);
	check(before < NR, "no look for each slow path");
	return check_done();
}
