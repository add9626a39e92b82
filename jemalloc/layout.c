/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout - where jemalloc keeps what its fast paths read, for entry/front.h, and
 * its name for a thread's state that pool/je.c sets
 *
 * Compiled, never linked or run, with the headers of the jemalloc that is built:
 * each value stands in the assembler as a string, of which jemalloc/build makes a
 * header. So it works when compiling for another machine, too.
 */
#include "jemalloc/internal/jemalloc_preamble.h"
#include "jemalloc/internal/jemalloc_internal_includes.h"

#define SAY(name, value) \
	__asm__ volatile(".ascii \"CM_LAYOUT " #name \
			 " %c0 \"" ::"i"((long)(value)))
#define TSD(field) offsetof(tsd_t, TSD_MANGLE(field))

_Static_assert(tsd_state_purgatory == 4, "src/pool/je.c has another");

void layout(void)
{
	SAY(ALLOCATED, TSD(thread_allocated));
	SAY(ALLOCATED_NEXT, TSD(thread_allocated_next_event_fast));
	SAY(DEALLOCATED, TSD(thread_deallocated));
	SAY(DEALLOCATED_NEXT, TSD(thread_deallocated_next_event_fast));
	SAY(BINS, TSD(tcache) + offsetof(tcache_t, bins));
	SAY(NR_BINS, TCACHE_NBINS_MAX);
	SAY(NR_SMALL, SC_NBINS);
	SAY(BIN_SIZE, sizeof(cache_bin_t));
	SAY(BIN_HEAD, offsetof(cache_bin_t, stack_head));
	SAY(BIN_REQUESTS, offsetof(cache_bin_t, tstats.nrequests));
	SAY(BIN_LOW_WATER, offsetof(cache_bin_t, low_bits_low_water));
	SAY(BIN_FULL, offsetof(cache_bin_t, low_bits_full));
	SAY(BIN_EMPTY, offsetof(cache_bin_t, low_bits_empty));
	SAY(LEAVES, TSD(rtree_ctx) + offsetof(rtree_ctx_t, cache));
	SAY(NR_LEAVES, RTREE_CTX_NCACHE);
	SAY(LEAF_SIZE, sizeof(rtree_ctx_cache_elm_t));
	SAY(LEAF_KEY, offsetof(rtree_ctx_cache_elm_t, leafkey));
	SAY(LEAF_AT, offsetof(rtree_ctx_cache_elm_t, leaf));
	SAY(LG_LEAF, rtree_leaf_maskbits());
#ifdef RTREE_LEAF_COMPACT
	SAY(LG_VADDR, LG_VADDR);
#endif
	SAY(LG_PAGE, LG_PAGE);
	SAY(LOOKUP_MAX, SC_LOOKUP_MAXCLASS);
}
