/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl - every figure and setting by its name */
#include <cxlmalloc.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A number or a string, whichever it is. */
static int show(const struct cxlm_ctl_info *name)
{
	char text[4096];
	uint64_t number;
	size_t len = sizeof(text);

	if (name->type == CXLM_CTL_STRING) {
		if (cxlm_ctl(name->name, text, &len, NULL, 0))
			return errno == ENODATA ? 0 : -1; /* not known here */
		printf("%s = \"%s\"\n", name->name, text);
		return 0;
	}
	len = sizeof(number);
	if (cxlm_ctl(name->name, &number, &len, NULL, 0))
		return errno == ENODATA ? 0 : -1;
	if (number == CXLM_NO_LIMIT)
		printf("%s = none\n", name->name);
	else
		printf("%s = %llu\n", name->name, (unsigned long long)number);
	return 0;
}

int main(void)
{
	struct cxlm_ctl_info name = { .size = sizeof(name) };
	const char *change = "cxl.limit=512m";
	size_t len = sizeof(uint64_t);
	uint64_t limit;

	for (unsigned i = 0; !cxlm_ctl_name(i, &name); i++)
		if (show(&name)) {
			perror(name.name);
			return 1;
		}

	/* Settings as in CXLMALLOC_CONF: all of them, or none. */
	if (cxlm_ctl("conf", NULL, NULL, change, strlen(change)) ||
	    cxlm_ctl("tier.cxl.limit", &limit, &len, NULL, 0)) {
		perror("cxlm_ctl");
		return 1;
	}
	printf("the limit is %llu MiB now\n", (unsigned long long)limit >> 20);
	change = "cxl.limit=much";
	if (!cxlm_ctl("conf", NULL, NULL, change, strlen(change)) ||
	    errno != EINVAL)
		return 1;
	perror(change);
	return limit != (uint64_t)512 << 20;
}
