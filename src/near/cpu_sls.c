/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu_sls - sums of rows by the CPU: each bag by one thread, in its order */
#include "near/near.h"

#define GRAIN	8192	/* elements that a part adds, at least */

/* A product is rounded before it is added, on every machine. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif

/* Integers as unsigned ones, which wrap. */
#define DEFINE_SUM(T, name)						\
	static void sum_##name(const struct cm_near_call *c,		\
			       const struct cm_near_part *part)		\
	{								\
		const struct cxlm_near_table *table = c->table;		\
		const struct cxlm_near_bags *bags = c->bags;		\
		const T *data = table->data, *weight = bags->weight;	\
		uint64_t stride = table->stride ? table->stride :	\
						  table->width;		\
		uint64_t at = part->index;				\
\
		for (uint64_t b = part->from; b < part->from + part->nr; \
		     b++) { \
			T *sum = (T *)c->sums + b * table->width;	\
			uint64_t end = at + bags->length[b];		\
\
			memset(sum, 0, table->width * sizeof(T));	\
			for (; at < end; at++) {			\
				const T *row = data + \
					       bags->index[at] * stride; \
				T by = weight ? weight[at] : 1;		\
\
				for (uint64_t i = 0; i < table->width; i++) { \
					T product = row[i] * by;	\
\
					sum[i] += product;		\
				}					\
			}						\
		}							\
	}

DEFINE_SUM(float, f32)
DEFINE_SUM(double, f64)
DEFINE_SUM(uint32_t, i32)
DEFINE_SUM(uint64_t, i64)

static void sum_part(void *arg, struct cm_near_part *part)
{
	const struct cm_near_call *c = arg;

	switch (c->table->type) {
	case CXLM_NEAR_F32:
		sum_f32(c, part);
		break;
	case CXLM_NEAR_F64:
		sum_f64(c, part);
		break;
	case CXLM_NEAR_I32:
		sum_i32(c, part);
		break;
	case CXLM_NEAR_I64:
		sum_i64(c, part);
		break;
	}
}

/* The node of some of the rows that a part's bags name. */
static int node_of_rows(const struct cm_near_call *c, uint64_t from,
			uint64_t nr)
{
	const struct cxlm_near_table *table = c->table;
	uint64_t stride = table->stride ? table->stride : table->width;
	size_t bytes = cm_near_type_size(table->type);
	void *at[CM_NEAR_SAMPLES];
	unsigned n = 0;

	for (; n < CM_NEAR_SAMPLES && n < nr; n++) {
		uint64_t i = from + (nr < CM_NEAR_SAMPLES ?
					     n :
					     nr / CM_NEAR_SAMPLES * n);

		at[n] = (char *)table->data +
			c->bags->index[i] * stride * bytes;
	}
	return cm_near_node_of(at, n);
}

/* Whole bags, with about as many indices in each part. */
static void divide(struct cm_near_crew *crew, const struct cm_near_call *c)
{
	const struct cxlm_near_bags *bags = c->bags;
	uint64_t work = bags->nr + bags->nr_index, b = 0, index = 0, elements;
	unsigned parts;

	if (__builtin_mul_overflow(work, c->table->width, &elements))
		elements = UINT64_MAX;
	parts = cm_near_parts(crew, elements / GRAIN + (work > 0));

	crew->nr_parts = 0;
	for (unsigned p = 0; p < parts; p++) {
		uint64_t upto = p + 1 == parts ? work : work / parts * (p + 1);
		struct cm_near_part *part = &crew->part[crew->nr_parts];

		part->from = b;
		part->index = index;
		while (b < bags->nr && b + index < upto)
			index += bags->length[b++];
		part->nr = b - part->from;
		if (!part->nr)
			continue;
		part->node = crew->near ? node_of_rows(c, part->index,
						       index - part->index) :
					  -1;
		crew->nr_parts++;
	}
}

int cm_near_cpu_sls(const struct cm_near_call *call)
{
	struct cm_near_crew crew;

	cm_near_begin(&crew, call->near);
	divide(&crew, call);
	cm_near_run(&crew, sum_part, (void *)call);
	cm_near_end(&crew);
	return 0;
}
