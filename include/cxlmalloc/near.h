/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near - work done where the data is: scans of columns, sums of table rows
 *
 * A device that computes beside its memory is driven by a back end, which whoever
 * has the device registers here. None comes with the library: no hardware is
 * supported by it as it is. Its own back end, "cpu", does the same on CPUs, with
 * threads bound to those nearest to the node that has the data. It takes all
 * that is described here, so that a program works with a device or without.
 *
 * These functions are in libcxlmem.so alone, and cxlmalloc.h does not include
 * this header. Data may be any memory of the process. Until a call returns
 * nobody may write to its data, its arguments or its results, and results may
 * not overlap with data. All may be called from any thread, by several at the
 * same time; those that use threads of one object wait for each other.
 */
#ifndef CXLMALLOC_NEAR_H
#define CXLMALLOC_NEAR_H

#include "../cxlmalloc.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cxlm_near_type {
	CXLM_NEAR_U8,		/* columns */
	CXLM_NEAR_U16,
	CXLM_NEAR_U32,
	CXLM_NEAR_U64,
	CXLM_NEAR_PACKED,	/* columns: 1 to 32 bits a value, see below */
	CXLM_NEAR_F32,		/* tables */
	CXLM_NEAR_F64,
	CXLM_NEAR_I32,
	CXLM_NEAR_I64
};

/*
 * Threads
 */

typedef struct cxlm_near cxlm_near;

struct cxlm_near_attr {
	size_t size;		/* in: sizeof(struct cxlm_near_attr) */
	unsigned threads;	/* 0: none, the calling thread does the work */
	const char *backend;	/* only this one, "cpu" say; NULL: any */
};

struct cxlm_near_stat {
	size_t size;		/* in: sizeof(struct cxlm_near_stat) */
	unsigned threads;
	uint64_t calls;		/* that returned 0 */
	uint64_t parts;		/* pieces of data its threads have gone through */
	uint64_t bound;		/* of these, by a thread on the nearest CPUs */
	char backend[32];	/* that served the last call; "": none yet */
};

/*
 * cxlm_near_create - threads that do the work, or a choice of back end
 *
 * attr     what is not set (0, NULL) has the default; NULL: all of it
 * returns  the object, or NULL with errno:
 *          EINVAL   attr->size is too small, over 4096 threads, a name that is
 *                   empty or over 31 bytes
 *          ENOMEM   no memory
 *          EAGAIN   the kernel does not let us have that many threads
 * The threads are named cxlm-near, block all signals and sleep between calls.
 * For each part of the data they bind themselves (sched_setaffinity) to those of
 * the CPUs this function's caller may run on that are nearest to the part's
 * node: the node's own, or for one without CPUs those at the least distance in
 * sysfs. The node is asked from the kernel, for some pages of each part; where
 * it does not say, a thread stays where it is. No other thread's CPUs are
 * changed, with threads 0 no one's.
 * After fork the child has none of the threads: there the calling thread does
 * the work of this object.
 */
cxlm_near *cxlm_near_create(const struct cxlm_near_attr *attr);

/*
 * cxlm_near_destroy - end the threads and free the object
 *
 * No call may be under way with it, or come later. NULL is allowed. errno is
 * kept.
 */
void cxlm_near_destroy(cxlm_near *near);

/*
 * cxlm_near_stat - what an object has done
 *
 * stat     stat->size set by the caller; fields that fit in it are filled
 * returns  0, or -1 with errno EINVAL: near or stat is NULL, or stat->size is
 *          too small
 */
int cxlm_near_stat(cxlm_near *near, struct cxlm_near_stat *stat);

/*
 * Scans: which of a column's values match. One result for each range or list.
 */

struct cxlm_near_column {
	size_t size;		/* in: sizeof(struct cxlm_near_column) */
	const void *data;	/* aligned as an array of its type */
	uint64_t nr;		/* values */
	int type;		/* CXLM_NEAR_U8 to CXLM_NEAR_PACKED */
	/*
	 * Of CXLM_NEAR_PACKED: 1 to 32. data is an array of uint32_t; value i is
	 * the bits from i * bits on, counted from the lowest of data[0].
	 */
	unsigned bits;
};

struct cxlm_near_range {
	uint64_t lo, hi;	/* both belong to it; lo > hi: no value does */
};

/* A set of values: v is in it if bit v % 64 of has[v / 64] is set. */
struct cxlm_near_list {
	const uint64_t *has;
	uint64_t nr;		/* bits; values from nr on are not in it */
};

/* Either, both, or with neither the count alone. */
struct cxlm_near_result {
	uint64_t *bits;		/* bit i % 64 of bits[i / 64]: value i matches; those
				 * behind the last value are 0. Or NULL */
	uint64_t nr_bits;	/* room: at least as many as the column's values */
	uint32_t *index;	/* of the values that match, ascending; or NULL */
	uint64_t nr_index;	/* room, in indices */
	uint64_t count;		/* out: values that match */
};

/*
 * cxlm_near_scan_range - which values of a column lie in ranges
 *
 * near     whose threads and back end; NULL: any, on the calling thread
 * range    nr of them, each by itself
 * result   nr of them
 * returns  0, or -1 with errno:
 *          EINVAL     column: NULL, its size too small, not a column's type, no
 *                     data, not aligned, longer than the address space; range
 *                     or result is NULL and nr is not 0
 *          ENOSPC     a result has less room than it needs. For bits: nothing
 *                     is written. For indices: every count is right, what the
 *                     indices are is not said
 *          EOVERFLOW  indices are wanted of more than 2^32 values
 *          ENOTSUP    attr->backend is not registered, or refuses
 *          other      the back end's own
 */
int cxlm_near_scan_range(cxlm_near *near, const struct cxlm_near_column *column,
			 const struct cxlm_near_range *range, unsigned nr,
			 struct cxlm_near_result *result);

/*
 * cxlm_near_scan_list - which values of a column are in sets
 *
 * As cxlm_near_scan_range; EINVAL also: a list's has is NULL and its nr is not 0
 */
int cxlm_near_scan_list(cxlm_near *near, const struct cxlm_near_column *column,
			const struct cxlm_near_list *list, unsigned nr,
			struct cxlm_near_result *result);

/*
 * Sparse-length-sum: sums of rows of a table, as of embeddings
 */

struct cxlm_near_table {
	size_t size;		/* in: sizeof(struct cxlm_near_table) */
	const void *data;	/* aligned as an array of its type */
	int type;		/* CXLM_NEAR_F32 to CXLM_NEAR_I64 */
	uint64_t rows;
	uint64_t width;		/* elements of a row, at least 1 */
	uint64_t stride;	/* elements from row to row; 0: width */
};

/* Bag b is the next length[b] indices, one bag after the other. */
struct cxlm_near_bags {
	size_t size;		/* in: sizeof(struct cxlm_near_bags) */
	const uint32_t *length;
	uint64_t nr;		/* bags */
	const uint32_t *index;	/* of rows */
	const void *weight;	/* of each index, of the table's type; NULL: 1 */
	uint64_t nr_index;	/* the sum of all lengths */
};

/*
 * cxlm_near_sls - for each bag, the sum of the rows it names
 *
 * near     as cxlm_near_scan_range
 * sums     bags->nr rows of the table's width and type, one after the other
 * len      bytes there are at sums
 * returns  0, or -1 with errno:
 *          EINVAL   table or bags: NULL, size too small, not a table's type, no
 *                   data, not aligned, width 0, stride below width, longer than
 *                   the address space; the lengths' sum is not nr_index; sums is
 *                   NULL
 *          ERANGE   an index is not below table->rows
 *          ENOSPC   len is too small
 *          ENOTSUP, other   as cxlm_near_scan_range
 * With these nothing is written, but for a back end's own. A bag of length 0 is
 * all zeros. Integers wrap round. The cpu back end adds in the order of the
 * indices, so its result does not depend on the number of threads; a device may
 * add floats in another.
 */
int cxlm_near_sls(cxlm_near *near, const struct cxlm_near_table *table,
		  const struct cxlm_near_bags *bags, void *sums, size_t len);

/*
 * Back ends
 */

#define CXLM_NEAR_VERSION	1
#define CXLM_NEAR_BACKENDS_MAX	16

/*
 * What a back end is. Its functions get arguments that have been checked as said
 * above, and data as their first. They return 0, or -1 with errno; ENOTSUP: not
 * by this one (another memory, another shape), and nothing was written: the next
 * is asked. Any other errno is the call's. They run in the caller's thread, any
 * number at the same time. Whether its results are right is its own affair:
 * nobody looks at them.
 */
struct cxlm_near_backend {
	size_t size;		/* in: sizeof(struct cxlm_near_backend) */
	unsigned version;	/* CXLM_NEAR_VERSION */
	const char *name;	/* 1 to 31 bytes */
	int priority;		/* the highest is asked first; "cpu" has 0 */
	unsigned types;		/* 1U << each type it takes */
	void *data;
	/* NULL: not this operation. */
	int (*scan_range)(void *data, const struct cxlm_near_column *column,
			  const struct cxlm_near_range *range, unsigned nr,
			  struct cxlm_near_result *result);
	int (*scan_list)(void *data, const struct cxlm_near_column *column,
			 const struct cxlm_near_list *list, unsigned nr,
			 struct cxlm_near_result *result);
	int (*sls)(void *data, const struct cxlm_near_table *table,
		   const struct cxlm_near_bags *bags, void *sums, size_t len);
};

/*
 * cxlm_near_register - a back end is there
 *
 * backend  is copied, its name too
 * returns  0, or -1 with errno:
 *          EINVAL   backend is NULL, its size too small, no or too long a name,
 *                   no function, no type
 *          ENOTSUP  another version than CXLM_NEAR_VERSION
 *          EEXIST   one of that name is there ("cpu" is)
 *          ENOSPC   CXLM_NEAR_BACKENDS_MAX are there
 * Of equal priority the one that came first is asked first, and "cpu" last. One
 * below 0 is only reached by attr->backend.
 */
int cxlm_near_register(const struct cxlm_near_backend *backend);

/*
 * cxlm_near_unregister - it is gone
 *
 * Waits until no call is in it any more: not to be called by a back end's own
 * functions. In a child of fork, calls of the parent's other threads do not count.
 * returns  0, or -1 with errno:
 *          EINVAL   name is NULL
 *          ENOENT   none of that name
 *          EPERM    "cpu"
 */
int cxlm_near_unregister(const char *name);

struct cxlm_near_backend_info {
	size_t size;		/* in: sizeof(struct cxlm_near_backend_info) */
	char name[32];
	int priority;
	unsigned types;
	int scan_range, scan_list, sls;	/* 1: it has that operation */
};

/*
 * cxlm_near_backend_info - the back ends there are
 *
 * index    from 0 on, in the order they are asked; "cpu" is one of them
 * returns  0, or -1 with errno:
 *          ENOENT  index is behind the last
 *          EINVAL  info is NULL or info->size too small
 */
int cxlm_near_backend_info(unsigned index, struct cxlm_near_backend_info *info);

#ifdef __cplusplus
}
#endif

#endif
