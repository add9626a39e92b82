/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smdk_opt_api.h - SMDK's optimization API on libcxlmem: link with -lsmalloc
 *
 * NORMAL is the DDR tier, EXMEM the CXL tier. Functions that return a block
 * return NULL when its type has no room (the other type is not taken instead),
 * and set errno: ENOMEM; EINVAL for what is no type, no node of the type or no
 * alignment; ENOTSUP where order= (cxlmalloc.conf(5)) leaves the type out.
 * smdk_opt_api(3) and docs/SMDK.md have the rest.
 */
#ifndef SMDK_OPT_API_H_
#define SMDK_OPT_API_H_

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
	SMDK_MEM_NORMAL,
	SMDK_MEM_EXMEM
} smdk_memtype_t;

/* Blocks. s_free takes all of them, from any thread. */
void *s_malloc(smdk_memtype_t type, size_t size);
void *s_calloc(smdk_memtype_t type, size_t num, size_t size);

/*
 * s_realloc - another size, and the type that is given: with another one than
 * it has the block moves. A size of 0 frees it. When NULL is returned for want
 * of memory the old block is as it was.
 */
void *s_realloc(smdk_memtype_t type, void *ptr, size_t size);

/* returns 0, EINVAL or ENOMEM, and leaves errno alone as POSIX has it */
int s_posix_memalign(smdk_memtype_t type, void **memptr, size_t alignment,
		     size_t size);

void s_free(void *ptr);

/* s_free_type - whichever type the block has; but for what is no type: nothing */
void s_free_type(smdk_memtype_t type, void *ptr);

/*
 * s_malloc_node - a block on one node, or on several: "1", "1,3", "2-3", "all"
 *
 * Nodes have to be of the type. Pages are there or nowhere.
 */
void *s_malloc_node(smdk_memtype_t type, size_t size, char *node);

/* s_free_node - as s_free; type and size are not looked at */
void s_free_node(smdk_memtype_t type, void *mem, size_t size);

/*
 * Bytes. Total and available are the system's; used is this process's, in
 * blocks. Available is what this process may still take: no more than its
 * limit leaves. 0: not a type, or the node is not of the type, which a line on
 * standard error says.
 */
size_t s_get_memsize_total(smdk_memtype_t type);
size_t s_get_memsize_used(smdk_memtype_t type);
size_t s_get_memsize_available(smdk_memtype_t type);
size_t s_get_memsize_node_total(smdk_memtype_t type, int node);
size_t s_get_memsize_node_available(smdk_memtype_t type, int node);

/* Tables on standard error, in units of 'g', 'm' or 'k'; else in bytes. */
void s_stats_print(char unit);
void s_stats_node_print(char unit);

/*
 * s_enable_node_interleave - the calling thread's memory policy (set_mempolicy(2))
 *
 * It is for memory that has no place of its own: the thread's mmap, malloc
 * without libcxlmalloc.so. Blocks of s_malloc are on their type's nodes.
 */
void s_enable_node_interleave(char *nodes);
void s_disable_node_interleave(void);

#ifdef __cplusplus
}
#endif

#endif
