/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool/away.h"

#include "base/state.h"
#include "pool/je_layout.h"
#include "pool/pool.h"
#include "pool/window.h"
#include "sys/sys.h"

#define UNIT		(2 * MIB)
#define NR_WINDOWS	(CM_NR_TIERS + 2)
#define NR_UNITS	(NR_WINDOWS * CM_WINDOW_MAX / UNIT)

_Atomic bool cm_away_some;

static CM_SPARSE _Atomic uint64_t bits[NR_UNITS / 64];

/* The units of a range in the windows, from `first` to below the result. */
static uint64_t units(uintptr_t from, uintptr_t to, uint64_t *first)
{
	uintptr_t base = cm_fast.base, end = base + cm_fast.end_own;

	if (from < base)
		from = base;
	if (to > end)
		to = end;
	*first = (from - base) / UNIT;
	return from < to ? (to - base + UNIT - 1) / UNIT : *first;
}

void cm_away_mark(uintptr_t from, uintptr_t to)
{
	uint64_t i, end = units(from, to, &i);

	if (i == end)
		return;
	for (; i < end; i++)
		atomic_fetch_or(&bits[i / 64], UINT64_C(1) << i % 64);
	atomic_store(&cm_away_some, true);
#ifdef CM_JE_NR_SMALL
	if (atomic_load(&cm_fast.nr_classes) > CM_JE_NR_SMALL)
		atomic_store(&cm_fast.nr_classes, CM_JE_NR_SMALL);
#endif
}

size_t cm_away_min(void)
{
	size_t page = 0;

	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_pool[t].page > page)
			page = cm_pool[t].page;
	return 4 * (page ? page : 64 * KIB);
}

bool cm_away_may_be(const void *p, size_t size)
{
	uint64_t i, end = units((uintptr_t)p, (uintptr_t)p + size, &i);

	for (; i < end; i++)
		if (atomic_load_explicit(&bits[i / 64], memory_order_relaxed) >>
			    i % 64 &
		    1)
			return true;
	return false;
}

void cm_away_let_go(void *p, size_t size)
{
	uintptr_t mask = cm_sys_page_size() - 1;
	uintptr_t from = (uintptr_t)p & ~mask;
	uintptr_t to = ((uintptr_t)p + size + mask) & ~mask;

	if (size < cm_away_min() || !cm_away_may_be(p, size))
		return;
	/*
	 * Such a block begins anywhere in its first page (cache_oblivious), and
	 * nobody else has a part of that or of its last.
	 */
	/* jemalloc takes them for used before, so zeroes are as good as any. */
	(void)cm_pool[CM_TIER_DDR].sys->purge((void *)from, to - from);
}
