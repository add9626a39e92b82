/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>

#include "pool/je.h"

#define DECLARE(p)							\
	extern const char *p##malloc_conf;				\
	extern void (*p##malloc_message)(void *, const char *);		\
	void *p##mallocx(size_t, int);					\
	void *p##rallocx(void *, size_t, int);				\
	size_t p##xallocx(void *, size_t, size_t, int);			\
	void p##dallocx(void *, int);					\
	size_t p##malloc_usable_size(void *);				\
	int p##mallctl(const char *, void *, size_t *, void *, size_t);	\
	int p##mallctlnametomib(const char *, size_t *, size_t *);	\
	int p##mallctlbymib(const size_t *, size_t, void *, size_t *, void *, \
			    size_t);					\
	/* The same from 5.0 to 5.3.1. */				\
	extern void *_Atomic p##arenas[] __attribute__((weak)) CM_HIDDEN; \
	extern void p##arena_nthreads_inc(void *, bool) __attribute__((weak)) \
	CM_HIDDEN

#define INSTANCE(p)							\
	{								\
		.prefix = #p, .conf = &p##malloc_conf,			\
		.message = &p##malloc_message, .mallocx = p##mallocx, \
		.rallocx = p##rallocx, .xallocx = p##xallocx,		\
		.dallocx = p##dallocx, .usable_size = p##malloc_usable_size, \
		.mallctl = p##mallctl, \
		.mallctlnametomib = p##mallctlnametomib,		\
		.mallctlbymib = p##mallctlbymib, .arenas = p##arenas, \
		.arena_nthreads_inc = p##arena_nthreads_inc,		\
	}

DECLARE(cm_ddr_);
DECLARE(cm_cxl_);

/*
 * jemalloc defines malloc_conf weak and reads it when an instance starts;
 * entry/init.c points these at what the settings ask for.
 */
const char *cm_ddr_malloc_conf;
const char *cm_cxl_malloc_conf;

const struct cm_je cm_je[CM_NR_TIERS] = {
	[CM_TIER_DDR] = INSTANCE(cm_ddr_),
	[CM_TIER_CXL] = INSTANCE(cm_cxl_),
};

uint64_t cm_je_read_u64(const struct cm_je *je, const char *name)
{
	uint64_t value = 0;
	size_t size = sizeof(value);

	return je->mallctl(name, &value, &size, NULL, 0) ? 0 : value;
}

size_t cm_je_read_size(const struct cm_je *je, const char *name)
{
	size_t value = 0;
	size_t size = sizeof(value);

	return je->mallctl(name, &value, &size, NULL, 0) ? 0 : value;
}

void cm_je_keep_pages(const struct cm_je *je, unsigned arena)
{
	/* A thread that is never gone. */
	if (je->arenas && je->arena_nthreads_inc &&
	    atomic_load(&je->arenas[arena]))
		je->arena_nthreads_inc(atomic_load(&je->arenas[arena]), false);
}
