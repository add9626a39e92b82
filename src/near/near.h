/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near - what cxlmalloc/near.h is made of
 *
 *	api.c		arguments are checked, then a back end is asked
 *	registry.c	which back ends there are
 *	threads.c	an object's threads
 *	where.c		nodes of data, CPUs of nodes
 *	cpu_scan.c, cpu_sls.c	the back end "cpu"
 *
 * Part of libcxlmem.so alone: it may allocate and, when told to, start threads.
 */
#ifndef CM_NEAR_NEAR_H
#define CM_NEAR_NEAR_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "cxlmalloc/near.h"

/* The kernel's own bound on any distribution. */
#define CM_NEAR_MAX_CPUS	8192
#define CM_NEAR_MAX_THREADS	4096
#define CM_NEAR_PARTS		4	/* of a call, for each thread */
#define CM_NEAR_TOGETHER	8	/* results made of one reading of the data */

struct cm_near_cpus {
	unsigned long bits[CM_NEAR_MAX_CPUS / (sizeof(long) * CHAR_BIT)];
};

/* A piece of the data, done by one thread. */
struct cm_near_part {
	uint64_t from, nr;	/* values of a column, bags of a sum */
	uint64_t index;		/* of a sum: the first bag's first */
	int node;		/* that has it; -1: not known */
	uint64_t count[CM_NEAR_TOGETHER];
};

struct cm_near_thread {
	pthread_t id;
	struct cxlm_near *near;
	unsigned number;
	unsigned seen;		/* the last round it has taken part in */
	int node;		/* whose CPUs it was bound to; -1: none yet */
	bool bound;
};

typedef void cm_near_fn(void *arg, struct cm_near_part *part);

struct cxlm_near {
	unsigned nr_threads;
	pid_t pid;		/* whose threads they are: not a child's */
	char only[32];		/* attr->backend, "": any */
	struct cm_near_cpus allowed;

	/* by the registry's lock */
	uint64_t calls;
	char served[32];

	_Atomic uint64_t parts, bound;

	pthread_mutex_t turn;	/* one call at a time has the threads */

	/* by lock */
	pthread_mutex_t lock;
	pthread_cond_t go, done;
	unsigned round, busy;
	bool end;
	cm_near_fn *fn;
	void *arg;

	/* of the call that has the turn */
	struct cm_near_part *part;	/* CM_NEAR_PARTS for each thread */
	unsigned *order;		/* of parts: by node */
	unsigned nr_parts;
	struct cm_near_thread thread[];
};

/* threads.c */

/* What a call runs with: an object's threads, or nothing but its own. */
struct cm_near_crew {
	struct cxlm_near *near;	/* NULL: the calling thread does it */
	struct cm_near_part *part;
	unsigned max_parts;
	unsigned nr_parts;	/* set by the caller, parts with their nodes */
	struct cm_near_part own;
	int cancel;
};

/*
 * Begin and end a call; between them the crew is this caller's, and it is not
 * cancelled. The crew is on the caller's stack.
 */
void cm_near_begin(struct cm_near_crew *crew, struct cxlm_near *near);
/* How many parts, of at most so many: the same number for each thread. */
unsigned cm_near_parts(const struct cm_near_crew *crew, uint64_t most);

void cm_near_run(struct cm_near_crew *crew, cm_near_fn *fn, void *arg);
void cm_near_end(struct cm_near_crew *crew);

/* where.c */

#define CM_NEAR_SAMPLES	16

/* The node that most of these addresses' pages are on, or -1: not known. */
int cm_near_node_of(void *const *at, unsigned nr);

/* The same of a range. */
int cm_near_node_of_range(const void *p, size_t len);

/*
 * CPUs among the allowed ones that are nearest to a node. false: none, or sysfs
 * ("/sys", or a tree for tests) does not say.
 */
bool cm_near_cpus_of(const char *sysfs, int node,
		     const struct cm_near_cpus *allowed,
		     struct cm_near_cpus *cpus);

/* api.c */

/* Bytes of an element; 0: it has no whole number of them (packed), no type. */
size_t cm_near_type_size(int type);

/* registry.c */

enum cm_near_op {
	CM_NEAR_SCAN_RANGE,
	CM_NEAR_SCAN_LIST,
	CM_NEAR_SLS
};

struct cm_near_call {
	struct cxlm_near *near;
	enum cm_near_op op;
	int type;
	const struct cxlm_near_column *column;
	const struct cxlm_near_range *range;
	const struct cxlm_near_list *list;
	unsigned nr;
	struct cxlm_near_result *result;
	const struct cxlm_near_table *table;
	const struct cxlm_near_bags *bags;
	void *sums;
	size_t len;
};

/* Ask the back ends in turn; 0, or -1 with errno. */
int cm_near_serve(const struct cm_near_call *call);

/* Once, before a lock of ours is taken: fork leaves it free in the child. */
void cm_near_ready(void);

/* cpu_scan.c, cpu_sls.c: as a back end's functions */
int cm_near_cpu_scan(const struct cm_near_call *call);
int cm_near_cpu_sls(const struct cm_near_call *call);

#endif
