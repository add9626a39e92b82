/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/file.h"

/* What one walk over a bus looks for. */
struct walk {
	struct devices *devices;
	const char *bus, *prefix;
	void (*fill)(struct device *device, const char *folder);
};

/* "mem" of mem0, not of memory0 */
static bool is_named(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 && name[len] >= '0' &&
	       name[len] <= '9';
}

static int add(const char *name, void *arg)
{
	struct walk *walk = arg;
	struct devices *devices = walk->devices;
	struct device *device = &devices->list[devices->nr];
	char folder[PATH_MAX];

	if (!is_named(name, walk->prefix) || devices->nr == DEVICES_MAX ||
	    strlen(name) >= sizeof(device->name) ||
	    snprintf(folder, sizeof(folder), "%s/%s", walk->bus, name) >=
		    (int)sizeof(folder))
		return 0;
	memset(device, 0, sizeof(*device));
	strcpy(device->name, name);
	device->size = device->pmem = device->numa_node = DEVICES_NUMBER_NONE;
	device->target_node = device->align = DEVICES_NUMBER_NONE;
	device->ways = device->granularity = DEVICES_NUMBER_NONE;
	walk->fill(device, folder);
	devices->nr++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct device *)a)->name,
			  ((const struct device *)b)->name);
}

static void walk_bus(struct devices *devices, const char *sysfs,
		     const char *bus, const char *prefix,
		     void (*fill)(struct device *, const char *))
{
	char path[PATH_MAX];
	struct walk walk = { devices, path, prefix, fill };

	devices->nr = 0;
	if (snprintf(path, sizeof(path), "%s/bus/%s/devices", sysfs, bus) >=
	    (int)sizeof(path))
		return;
	(void)cm_file_names(path, add, &walk);
	qsort(devices->list, devices->nr, sizeof(devices->list[0]), by_name);
}

/* A word, without the newline; "" where there is none. */
static void word(char *text, size_t size, const char *folder, const char *file)
{
	char path[PATH_MAX];

	text[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", folder, file) <
		    (int)sizeof(path) &&
	    cm_file_read(path, text, size) > 0)
		text[strcspn(text, "\n")] = '\0';
	else
		text[0] = '\0';
}

/* Decimal, 0x..., and -1 for what the kernel does not know. */
static uint64_t number(const char *folder, const char *file)
{
	uint64_t value;
	char text[32], *end;

	word(text, sizeof(text), folder, file);
	if (text[0] < '0' || text[0] > '9')
		return DEVICES_NUMBER_NONE;
	errno = 0;
	value = strtoull(text, &end, 0);
	return *end || errno ? DEVICES_NUMBER_NONE : value;
}

static void fill_memdev(struct device *device, const char *folder)
{
	device->size = number(folder, "ram/size");
	device->pmem = number(folder, "pmem/size");
	device->numa_node = number(folder, "numa_node");
	word(device->serial, sizeof(device->serial), folder, "serial");
}

static void fill_region(struct device *device, const char *folder)
{
	device->size = number(folder, "size");
	device->ways = number(folder, "interleave_ways");
	device->granularity = number(folder, "interleave_granularity");
	word(device->mode, sizeof(device->mode), folder, "mode");
}

/* The driver says what the memory is used as. */
static void fill_dax(struct device *device, const char *folder)
{
	char path[PATH_MAX], driver[PATH_MAX];
	const char *mode = "disabled", *base;
	ssize_t len = -1;

	device->size = number(folder, "size");
	device->align = number(folder, "align");
	device->numa_node = number(folder, "numa_node");
	device->target_node = number(folder, "target_node");
	if (snprintf(path, sizeof(path), "%s/driver", folder) <
	    (int)sizeof(path))
		len = readlink(path, driver, sizeof(driver) - 1);
	if (len > 0) {
		driver[len] = '\0';
		base = strrchr(driver, '/');
		base = base ? base + 1 : driver;
		if (strcmp(base, "kmem") == 0)
			mode = "system-ram";
		else if (strcmp(base, "device_dax") == 0)
			mode = "devdax";
	}
	strcpy(device->mode, mode);
}

void devices_memdevs(struct devices *devices, const char *sysfs)
{
	walk_bus(devices, sysfs, "cxl", "mem", fill_memdev);
}

void devices_regions(struct devices *devices, const char *sysfs)
{
	walk_bus(devices, sysfs, "cxl", "region", fill_region);
}

void devices_dax(struct devices *devices, const char *sysfs)
{
	walk_bus(devices, sysfs, "dax", "dax", fill_dax);
}
