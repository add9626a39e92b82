/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>

#include "pool/je.h"

/* tsd_state_purgatory; jemalloc/layout.c holds it against jemalloc's. */
#define ENDED	4

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
	/* The same from 5.1 to 5.3.1. */				\
	extern CM_TLS char p##tsd_tls[] CM_HIDDEN;			\
	void p##tsd_cleanup(void *);					\
	void p##tsd_state_set(void *, uint8_t);				\
	static void p##end(void)					\
	{								\
		p##tsd_state_set(p##tsd_tls, ENDED);			\
	}								\
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
		.mallctlbymib = p##mallctlbymib,			\
		.thread_cleanup = p##tsd_cleanup, .thread_end = p##end, \
		.arenas = p##arenas,					\
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

static uint64_t read_mib(const struct cm_je *je, const size_t *mib, size_t len)
{
	uint64_t value = 0;
	uint32_t narrow = 0;
	size_t size = sizeof(value);

	if (!je->mallctlbymib(mib, len, &value, &size, NULL, 0))
		return value;
	size = sizeof(narrow);
	return je->mallctlbymib(mib, len, &narrow, &size, NULL, 0) ? 0 : narrow;
}

uint64_t cm_je_read(const struct cm_je *je, const char *name)
{
	size_t mib[8], len = CM_ARRAY_SIZE(mib);

	return je->mallctlnametomib(name, mib, &len) ? 0 :
						       read_mib(je, mib, len);
}

uint64_t cm_je_read_at(const struct cm_je *je, const char *name, unsigned i)
{
	size_t mib[8], len = CM_ARRAY_SIZE(mib);

	if (je->mallctlnametomib(name, mib, &len))
		return 0;
	mib[2] = i;
	return read_mib(je, mib, len);
}

uint64_t cm_je_read_at2(const struct cm_je *je, const char *name, unsigned i,
			unsigned j)
{
	size_t mib[8], len = CM_ARRAY_SIZE(mib);

	if (je->mallctlnametomib(name, mib, &len))
		return 0;
	mib[2] = i;
	mib[4] = j;
	return read_mib(je, mib, len);
}

void cm_je_keep_pages(const struct cm_je *je, unsigned arena)
{
	/* A thread that is never gone. */
	if (je->arenas && je->arena_nthreads_inc &&
	    atomic_load(&je->arenas[arena]))
		je->arena_nthreads_inc(atomic_load(&je->arenas[arena]), false);
}
