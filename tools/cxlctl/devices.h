/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices - CXL memory devices, their regions, and DAX devices
 *
 * Straight from sysfs (Linux Documentation/ABI/testing/sysfs-bus-cxl and
 * sysfs-bus-dax): what is shown takes some ten small files, and libcxl and
 * libdaxctl would be two libraries cxlctl does not start without.
 */
#ifndef CXLCTL_DEVICES_H
#define CXLCTL_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#define DEVICES_MAX		64	/* of a kind; more are not shown */
#define DEVICES_NUMBER_NONE	UINT64_MAX	/* the kernel does not say */

/* Fields of no use to a kind are DEVICES_NUMBER_NONE, and "". */
struct device {
	char name[32];		/* mem0, region0, dax0.0 */
	uint64_t size;		/* bytes; of a memdev: volatile */
	uint64_t pmem;		/* memdev: bytes that are persistent */
	uint64_t numa_node;	/* memdev, dax: nearest; none: not known */
	uint64_t target_node;	/* dax: the node its memory is, or would be */
	uint64_t align;		/* dax */
	uint64_t ways;		/* region: devices it is interleaved over */
	uint64_t granularity;	/* region: bytes */
	char serial[32];	/* memdev, as the kernel writes it: 0x... */
	char mode[16];		/* dax: system-ram, devdax or disabled;
				 * region: ram or pmem */
};

struct devices {
	struct device list[DEVICES_MAX];
	unsigned nr;		/* by name, numbers by value */
};

void devices_memdevs(struct devices *devices, const char *sysfs);
void devices_regions(struct devices *devices, const char *sysfs);
void devices_dax(struct devices *devices, const char *sysfs);

#endif
