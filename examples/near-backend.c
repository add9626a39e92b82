/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near-backend - how somebody who has a device has it serve cxlmalloc/near.h
 *
 * The "device" is a loop here. It knows columns of 32 bits in its own memory
 * and counts only; all else it refuses, and the CPU does it.
 */
#include <cxlmalloc/near.h>
#include <errno.h>
#include <stdio.h>

static uint32_t device_memory[1000];

struct device {
	const char *base;
	size_t size;
	unsigned served, refused;
};

static int is_mine(const struct device *d, const struct cxlm_near_column *c)
{
	const char *data = c->data;

	return data >= d->base && data < d->base + d->size;
}

static int scan_range(void *data, const struct cxlm_near_column *column,
		      const struct cxlm_near_range *range, unsigned nr,
		      struct cxlm_near_result *result)
{
	struct device *d = data;
	const uint32_t *value = column->data;

	for (unsigned r = 0; r < nr; r++)
		if (!is_mine(d, column) || result[r].bits || result[r].index) {
			d->refused++;
			errno = ENOTSUP; /* before anything is written */
			return -1;
		}
	for (unsigned r = 0; r < nr; r++) {
		result[r].count = 0;
		for (uint64_t i = 0; i < column->nr; i++)
			result[r].count += value[i] >= range[r].lo &&
					   value[i] <= range[r].hi;
	}
	d->served++;
	return 0;
}

static void count(cxlm_near *near, const uint32_t *data, const char *where)
{
	struct cxlm_near_column column = { .size = sizeof(column),
					   .data = data,
					   .nr = 1000,
					   .type = CXLM_NEAR_U32 };
	struct cxlm_near_range range = { 10, 19 };
	struct cxlm_near_result result = { 0 };
	struct cxlm_near_stat stat = { .size = sizeof(stat) };

	if (cxlm_near_scan_range(near, &column, &range, 1, &result))
		perror("cxlm_near_scan_range");
	cxlm_near_stat(near, &stat);
	printf("%s: %llu, by %s\n", where, (unsigned long long)result.count,
	       stat.backend);
}

int main(void)
{
	struct device device = { (char *)device_memory, sizeof(device_memory),
				 0, 0 };
	struct cxlm_near_backend backend = { .size = sizeof(backend),
					     .version = CXLM_NEAR_VERSION,
					     .name = "device",
					     .priority = 10,
					     .types = 1U << CXLM_NEAR_U32,
					     .data = &device,
					     .scan_range = scan_range };
	cxlm_near *near = cxlm_near_create(NULL);
	static uint32_t elsewhere[1000];

	for (uint32_t i = 0; i < 1000; i++)
		device_memory[i] = elsewhere[i] = i;
	if (!near || cxlm_near_register(&backend)) {
		perror("cxlm_near_register");
		return 1;
	}
	count(near, device_memory, "in the device's memory");
	count(near, elsewhere, "in other memory");
	cxlm_near_unregister("device");
	count(near, device_memory, "without the device");
	printf("the device served %u and refused %u\n", device.served,
	       device.refused);
	cxlm_near_destroy(near);
	return 0;
}
