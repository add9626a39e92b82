/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tiers - what the preloaded library and the kernel say of the two tiers
 *
 * The library's calls are looked up, so a program builds and starts without
 * it; tiers_found() is the first check of each that needs them.
 */
#ifndef PRELOAD_TIERS_H
#define PRELOAD_TIERS_H

#include <dlfcn.h>
#include <fcntl.h>

#include "check.h"

#define DDR	0
#define CXL	1
#define MIB	((size_t)1 << 20)

#ifndef CXLMALLOC_H	/* whose beginning this is */
struct cxlm_tier_stat {
	size_t size;
	uint64_t used, limit, peak, over, over_peak;
};
#endif

static int (*tier_of)(const void *p);
static int (*tier_stat)(int tier, struct cxlm_tier_stat *st);

static inline int tiers_found(void)
{
	*(void **)&tier_of = dlsym(RTLD_DEFAULT, "cxlm_tier_of");
	*(void **)&tier_stat = dlsym(RTLD_DEFAULT, "cxlm_tier_stat");
	check(tier_of && tier_stat, "the library answers for its tiers");
	return tier_of && tier_stat;
}

static inline struct cxlm_tier_stat stat_of(int tier)
{
	struct cxlm_tier_stat st = { .size = sizeof(st) };

	if (tier_stat(tier, &st)) {
		check_write("Bail out! cxlm_tier_stat failed\n");
		_exit(1);
	}
	return st;
}

/* Does a mapping hold blocks that lie on both tiers in turn? */
static inline int is_mixed(unsigned long start, unsigned long end)
{
	for (unsigned long at = start; at < end; at += MIB)
		if (tier_of((void *)at) != tier_of((void *)start))
			return 1;
	return 0;
}

/* Of such a mapping, the tier's pages: by the kernel's map of each page. */
static inline size_t mixed_resident(int pagemap, unsigned long start,
				    unsigned long end, int tier)
{
	uint64_t entry[512];
	size_t bytes = 0;

	for (unsigned long at = start; at < end; at += 512 * 4096) {
		ssize_t n = pread(pagemap, entry, sizeof(entry),
				  (off_t)(at / 4096 * sizeof(entry[0])));

		for (ssize_t i = 0; i < n / (ssize_t)sizeof(entry[0]); i++) {
			unsigned long page = at + (unsigned long)i * 4096;

			if (page < end && entry[i] >> 63 &&
			    tier_of((void *)page) == tier)
				bytes += 4096;
		}
	}
	return bytes;
}

/*
 * Bytes of a tier's window that are resident, by the kernel's count: Rss of
 * each mapping that begins in the window, single pages where tiers take turns. (size_t)-1 when it does not say.
 * Allocates nothing, so it may run at any moment.
 */
static inline size_t resident_of(int tier)
{
	static char buf[1 << 20];
	int fd = open("/proc/self/smaps", O_RDONLY);
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	size_t have = 0, bytes = 0, kib;
	unsigned long start, end;
	int ours = 0;
	ssize_t n;

	if (fd < 0 || pagemap < 0) {
		close(fd);
		close(pagemap);
		return (size_t)-1;
	}
	while ((n = read(fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		char *line = buf, *stop;

		have += (size_t)n;
		buf[have] = '\0';
		while ((stop = strchr(line, '\n')) != NULL) {
			*stop = '\0';
			if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
				ours = tier_of((void *)start) == tier;
				if (is_mixed(start, end)) {
					ours = 0;
					bytes += mixed_resident(pagemap, start,
								end, tier);
				}
			} else if (ours && sscanf(line, "Rss: %zu", &kib) == 1)
				bytes += kib << 10;
			line = stop + 1;
		}
		have = strlen(line);
		memmove(buf, line, have);
	}
	close(fd);
	close(pagemap);
	return bytes;
}

#endif
