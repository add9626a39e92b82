/* SPDX-License-Identifier: BSD-2-Clause */
#include "entry/route.h"
#include "entry/front.h"
#include "entry/site.h"
#include "entry/turns.h"
#include "pool/full.h"

struct cm_by_size cm_by_size;

static cm_malloc_fn *const fast[CM_NR_TIERS] = {
	[CM_TIER_DDR] = cm_ddr_malloc,
	[CM_TIER_CXL] = cm_cxl_malloc,
};

cm_malloc_fn *cm_route_fast(enum cm_tier tier)
{
	return fast[tier];
}

static uint64_t bound(unsigned i)
{
	return atomic_load_explicit(&cm_by_size.bound[i], memory_order_relaxed);
}

static cm_malloc_fn *to(unsigned i)
{
	return atomic_load_explicit(&cm_by_size.to[i], memory_order_relaxed);
}

/* The bound behind the last is more than malloc may be asked for. */
static cm_malloc_fn *beyond_second(size_t size)
{
	unsigned i = 2;

	while (i < CM_MAX_SIZES - 1 && size >= bound(i))
		i++;
	return to(i);
}

/* jemalloc's fast path for a size of the third class or further. */
void *cm_malloc_by_further_size(size_t size)
{
	return beyond_second(size)(size);
}

/*
 * The first class costs three instructions, the second five. By hand, as both
 * compilers load the table's address first.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
_Static_assert(CM_MAX_SIZES == 16, "offset of to, below");
__asm__(".text\n"
	".p2align 4\n"
	".hidden cm_malloc_by_size\n"
	".globl cm_malloc_by_size\n"
	".type cm_malloc_by_size, @function\n"
	"cm_malloc_by_size:\n"
	".cfi_startproc\n" CM_ENDBR "	cmpq cm_by_size(%rip), %rdi\n"
	"	jae 1f\n"
	"	jmp *128+cm_by_size(%rip)\n"
	"1:	cmpq 8+cm_by_size(%rip), %rdi\n"
	"	jae cm_malloc_by_further_size\n"
	"	jmp *136+cm_by_size(%rip)\n"
	".cfi_endproc\n"
	".size cm_malloc_by_size, . - cm_malloc_by_size\n");
#else
void *cm_malloc_by_size(size_t size)
{
	if (likely(size < bound(0)))
		return to(0)(size);
	if (likely(size < bound(1)))
		return to(1)(size);
	return cm_malloc_by_further_size(size);
}
#endif

bool cm_route_is(enum cm_tier tier, size_t size)
{
	cm_malloc_fn *route = atomic_load_explicit(&cm_fast.chosen,
						   memory_order_relaxed);

	if (cm_policy_says(CM_WORD_SIZE))
		route = size < bound(0) ? to(0) :
			size < bound(1) ? to(1) :
					  beyond_second(size);
	return route == fast[tier];
}

/* Every core reads these lines: write them only when they change. */
static void set_malloc(_Atomic(cm_malloc_fn *) *at, cm_malloc_fn *route)
{
	if (atomic_load_explicit(at, memory_order_relaxed) != route)
		atomic_store_explicit(at, route, memory_order_relaxed);
}

#ifdef CM_FRONT
/* policy=interleave goes by what jemalloc counts, the front does not tell all. */
static void set_front(cm_malloc_fn *route)
{
	intptr_t tsd = cm_front_of(route);
	size_t max = cm_policy_says(CM_WORD_TURNS) ? 0 : CM_FRONT_MAX;

	if (atomic_load_explicit(&cm_fast.max, memory_order_relaxed) != max)
		atomic_store_explicit(&cm_fast.max, max, memory_order_relaxed);
	if (atomic_load_explicit(&cm_fast.tsd, memory_order_relaxed) != tsd)
		atomic_store_explicit(&cm_fast.tsd, tsd, memory_order_relaxed);
}
#else
static void set_front(cm_malloc_fn *route)
{
	(void)route;
}
#endif

/* Where callers matter malloc's route asks them first. */
static void set_route(cm_malloc_fn *chosen)
{
	cm_malloc_fn *route = cm_site_matters() ? cm_site_malloc : chosen;

	set_malloc(&cm_fast.chosen, chosen);
	set_malloc(&cm_fast.malloc, route);
	set_front(route);
}

static void set_bound(unsigned i, uint64_t value)
{
	if (bound(i) != value)
		atomic_store_explicit(&cm_by_size.bound[i], value,
				      memory_order_relaxed);
}

void cm_route_sites(void)
{
	atomic_store(&cm_fast.sites, true);
	set_route(atomic_load(&cm_fast.chosen));
}

void cm_route_set(enum cm_tier tier)
{
	set_route(fast[tier]);
}

/* All full: blocks this thread freed are still served the fast way. */
static cm_malloc_fn *first(const struct cm_policy_snapshot *policy,
			   enum cm_tier wanted,
			   const struct cm_policy_view *view)
{
	enum cm_tier order[CM_NR_TIERS];
	int tier;

	(void)cm_policy_order(policy, wanted, order);
	tier = cm_policy_first(policy, order, view);
	return fast[tier < 0 ? order[0] : (unsigned)tier];
}

static void update_sizes(const struct cm_policy_snapshot *policy,
			 const struct cm_policy_view *view)
{
	const struct cm_sizes *sizes = &policy->sizes;

	for (unsigned i = 0; i < CM_MAX_SIZES; i++) {
		unsigned class = i < sizes->nr ? i : sizes->nr;

		set_malloc(&cm_by_size.to[i],
			   first(policy, sizes->tier[class], view));
		set_bound(i, i < sizes->nr ? sizes->bound[i] : UINT64_MAX);
	}
}

void cm_route_update(const struct cm_policy_snapshot *policy)
{
	struct cm_policy_view view;
	cm_malloc_fn *route;
	bool full = false;

	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		view.full[t] = cm_full_is(&cm_pool[t]);
		full |= view.full[t];
	}
	if (policy->id == CM_POLICY_SIZE) {
		update_sizes(policy, &view);
		route = cm_malloc_by_size;
	} else if (cm_policy_says(CM_WORD_TURNS) && !full) {
		route = fast[cm_turns_now(&cm_thread)];
	} else {
		route = first(policy, policy->order[0], &view);
	}
	set_route(route);
}
