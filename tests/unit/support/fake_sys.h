/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_sys - system calls that remember, and fail when told to
 *
 * No memory is mapped: hooks only pass addresses on.
 */
#ifndef CM_TEST_SUPPORT_FAKE_SYS_H
#define CM_TEST_SUPPORT_FAKE_SYS_H

#include <errno.h>
#include <string.h>

#include "base/nodeset.h"
#include "sys/sys.h"

struct fake_sys {
	_Atomic unsigned nr_maps, nr_binds, nr_purges;
	/* The n-th call (from 1) fails with this; 0: none does. */
	unsigned map_fails_at, bind_fails_at, purge_fails_at;
	int map_error, bind_error, purge_error;
	bool map_fails_on;	/* and every one after it */
	size_t can_map, small_pages;
	_Atomic uintptr_t map_at, bind_at;
	_Atomic size_t map_size, bind_size, purge_size;
	int bind_mode;
	struct cm_nodeset bind_nodes;
};

static struct fake_sys fake;

static int fake_map_at(void *at, size_t size)
{
	fake.nr_maps++;
	if (fake.nr_maps == fake.map_fails_at ||
	    (fake.map_fails_on && fake.nr_maps > fake.map_fails_at))
		return fake.map_error;
	fake.map_at = (uintptr_t)at;
	fake.map_size = size;
	return 0;
}

static int fake_unmap(void *at, size_t size)
{
	(void)at, (void)size;
	return 0;
}

static int fake_purge(void *at, size_t size)
{
	(void)at;
	if (++fake.nr_purges == fake.purge_fails_at)
		return fake.purge_error;
	fake.purge_size = size;
	return 0;
}

static int fake_no_huge_pages(void *at, size_t size)
{
	(void)at;
	fake.small_pages += size;
	return 0;
}

static bool fake_can_map(size_t size)
{
	return size <= fake.can_map;
}

static int fake_bind(void *at, size_t size, int mode,
		     const struct cm_nodeset *nodes)
{
	if (++fake.nr_binds == fake.bind_fails_at)
		return fake.bind_error;
	fake.bind_at = (uintptr_t)at;
	fake.bind_size = size;
	fake.bind_mode = mode;
	fake.bind_nodes = *nodes;
	return 0;
}

static const struct cm_sys_ops fake_sys = {
	.map_at = fake_map_at,
	.unmap = fake_unmap,
	.purge = fake_purge,
	.no_huge_pages = fake_no_huge_pages,
	.can_map = fake_can_map,
	.bind = fake_bind,
};

#endif
