/* SPDX-License-Identifier: BSD-2-Clause */
/* events - a descriptor that tells a program's loop when something changed */
#include <cxlmalloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	static const char change[] = "cxl.limit=1g";
	int fd = cxlm_events_open();
	struct pollfd loop = { .fd = fd, .events = POLLIN };
	int happened;

	if (fd < 0) {
		perror("cxlm_events_open");
		return 1;
	}
	printf("nothing yet: %d\n", poll(&loop, 1, 0));

	/* Somebody sets another limit: here, or by cxlctl from outside. */
	if (cxlm_ctl("conf", NULL, NULL, change, strlen(change))) {
		perror("cxlm_ctl");
		return 1;
	}
	if (poll(&loop, 1, 10000) != 1) {
		puts("nobody woke us");
		return 1;
	}
	happened = cxlm_events_read(fd);
	if (happened < 0) {
		perror("cxlm_events_read");
		return 1;
	}
	if (happened & CXLM_EVENT_NODES)
		puts("nodes came or went");
	if (happened & CXLM_EVENT_POLICY)
		puts("other settings");
	if (happened & CXLM_EVENT_LIMIT)
		puts("another limit");
	if (happened & CXLM_EVENT_FULL)
		puts("a tier was full");
	return cxlm_events_close(fd) || !(happened & CXLM_EVENT_LIMIT);
}
