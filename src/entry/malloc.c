/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc - the two calls that matter, and nothing else
 *
 * With a front (entry/front.h) malloc and free take from the thread's cache of the
 * tier that is next, and put into that of the tier the address is of. What that
 * cannot serve, and everything without a front, goes to jemalloc's own fast path:
 * malloc to that of the tier that is next, free to that of the only tier in
 * use. Each tail-calls back (entry/slow.c, entry/block.c) when it cannot serve; so
 * does free for a block that is not its instance's, which it does not find in its
 * cache of address ranges. With two tiers in use free compares the address first:
 * that is faster than a wrong guess.
 */
#include <stdlib.h>

#include "base/state.h"
#include "entry/front.h"
#include "entry/site.h"
#include "entry/slow.h"
#include "pool/je.h"

/* Until the library has started. */
struct cm_fast cm_fast = { .malloc = cm_slow_malloc,
			   .chosen = cm_slow_malloc,
			   .free = cm_free_by_address };

/*
 * A jump, not a call: where rules ask who called, the route finds malloc's own
 * return address. A build without sibling calls hands it over.
 */
static inline __attribute__((always_inline)) void *routed(size_t size)
{
#ifdef CM_DEBUG
	if (cm_site_matters())
		return cm_site_alloc(size, 0, false, CM_CALLER);
#endif
	return atomic_load_explicit(&cm_fast.malloc,
				    memory_order_relaxed)(size);
}

#ifdef CM_FRONT
static CM_NOINLINE void *malloc_larger(size_t size, intptr_t tsd)
{
	void *p;

	if (size <= atomic_load_explicit(&cm_fast.max, memory_order_relaxed) &&
	    likely(cm_front_take(tsd, cm_front_class(size), CM_FRONT_COUNTED,
				 &p)))
		return p;
	return routed(size);
}

CM_EXPORT void *malloc(size_t size)
{
	intptr_t tsd = atomic_load_explicit(&cm_fast.tsd, memory_order_relaxed);
	size_t sc;
	void *p;

	if (unlikely(!tsd))
		return routed(size);
	if (unlikely(size > CM_JE_FAST_MAX))
		return malloc_larger(size, tsd);
	sc = cm_front.sc[(size + 7) / 8];
	if (likely(cm_front_take(tsd, sc, cm_front.counted[sc], &p)))
		return p;
	return routed(size);
}

CM_EXPORT void free(void *p)
{
	uintptr_t at = (uintptr_t)p - cm_fast.base;

	if (likely(at < cm_fast.end[CM_TIER_DDR])) {
		if (unlikely(!cm_front_put(CM_FRONT_TSD(cm_ddr), p)))
			cm_ddr_free(p);
	} else if (likely(at < cm_fast.end[CM_TIER_CXL])) {
		if (unlikely(!cm_front_put(CM_FRONT_TSD(cm_cxl), p)))
			cm_cxl_free(p);
	} else {
		cm_slow_free(p);
	}
}
#else
CM_EXPORT void *malloc(size_t size)
{
	return routed(size);
}

CM_EXPORT void free(void *p)
{
	atomic_load_explicit(&cm_fast.free, memory_order_relaxed)(p);
}
#endif

#if defined(__x86_64__) && !defined(__ILP32__)
/*
 * By hand: a conditional jump straight into each tier's free, where gcc and
 * clang make one around an unconditional one. Taken branches are what is dear
 * here: 0.4 ns less for DDR's blocks and 1.0 for CXL's (bench/).
 */
_Static_assert(offsetof(struct cm_fast, base) == 16 &&
		       offsetof(struct cm_fast, end) == 24 && CM_NR_TIERS == 2,
	       "as below");
__asm__(".text\n"
	".p2align 4\n"
	".hidden cm_free_by_address\n"
	".globl cm_free_by_address\n"
	".type cm_free_by_address, @function\n"
	"cm_free_by_address:\n"
	".cfi_startproc\n" CM_ENDBR "	movq %rdi, %rax\n"
	"	subq 16+cm_fast(%rip), %rax\n"
	"	cmpq 24+cm_fast(%rip), %rax\n"
	"	jb cm_ddr_free\n"
	"	cmpq 32+cm_fast(%rip), %rax\n"
	"	jb cm_cxl_free\n"
	"	jmp cm_slow_free\n"
	".cfi_endproc\n"
	".size cm_free_by_address, . - cm_free_by_address\n");
#else
void cm_free_by_address(void *p)
{
	uintptr_t at = (uintptr_t)p - cm_fast.base;

	if (likely(at < cm_fast.end[CM_TIER_DDR]))
		cm_ddr_free(p);
	else if (likely(at < cm_fast.end[CM_TIER_CXL]))
		cm_cxl_free(p);
	else
		cm_slow_free(p);
}
#endif

#ifndef CM_MEM
/* By it libcxlmem knows that we are in the process (mem/table.c). */
CM_EXPORT extern const char cxlm_preloaded[];
const char cxlm_preloaded[] = PACKAGE_VERSION;

CM_EXPORT void cfree(void *p);
CM_EXPORT void free_sized(void *p, size_t size);
CM_EXPORT void free_aligned_sized(void *p, size_t alignment, size_t size);

/* glibc dropped it in 2.26; old binaries still ask for it. */
void cfree(void *p)
{
	free(p);
}

/* C23 7.24.3.4 and 7.24.3.5: the sizes are hints we do not need. */
void free_sized(void *p, size_t size)
{
	(void)size;
	free(p);
}

void free_aligned_sized(void *p, size_t alignment, size_t size)
{
	(void)alignment, (void)size;
	free(p);
}
#endif
