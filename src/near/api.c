/* SPDX-License-Identifier: BSD-2-Clause */
/* api - what a call is given, checked before anybody sees it */
#include "near/near.h"

static int fail(int error)
{
	errno = error;
	return -1;
}

size_t cm_near_type_size(int type)
{
	switch (type) {
	case CXLM_NEAR_U8:
		return 1;
	case CXLM_NEAR_U16:
		return 2;
	case CXLM_NEAR_U32:
	case CXLM_NEAR_F32:
	case CXLM_NEAR_I32:
		return 4;
	case CXLM_NEAR_U64:
	case CXLM_NEAR_F64:
	case CXLM_NEAR_I64:
		return 8;
	}
	return 0;
}

/*
 * Can there be an array of nr things of this many bytes at p? One of none may
 * be NULL.
 */
static bool is_array(const void *p, uint64_t nr, uint64_t bytes)
{
	uint64_t len;
	uintptr_t end;

	if (!nr)
		return true;
	return p && (uintptr_t)p % (bytes < 8 ? bytes : 8) == 0 &&
	       !__builtin_mul_overflow(nr, bytes, &len) && len <= PTRDIFF_MAX &&
	       !__builtin_add_overflow((uintptr_t)p, len, &end);
}

static bool is_column(const struct cxlm_near_column *column)
{
	uint64_t bits;

	if (!column || column->size < sizeof(*column))
		return false;
	if (column->type == CXLM_NEAR_PACKED)
		return column->bits >= 1 && column->bits <= 32 &&
		       !__builtin_mul_overflow(column->nr, column->bits,
					       &bits) &&
		       is_array(column->data, bits / 32 + (bits % 32 != 0), 4);
	return column->type >= CXLM_NEAR_U8 && column->type <= CXLM_NEAR_U64 &&
	       is_array(column->data, column->nr,
			cm_near_type_size(column->type));
}

/* Room for bits, and for indices as far as that can be known. */
static int check_results(const struct cxlm_near_column *column,
			 const struct cxlm_near_result *result, unsigned nr)
{
	int error = 0;

	for (unsigned i = 0; i < nr; i++) {
		if (!is_array(result[i].bits,
			      result[i].bits ? column->nr / 64 + 1 : 0, 8) ||
		    !is_array(result[i].index,
			      result[i].index ? result[i].nr_index : 0, 4))
			return EINVAL;
		if (result[i].bits && result[i].nr_bits < column->nr)
			error = ENOSPC;
		if (result[i].index && column->nr > (uint64_t)1 << 32)
			error = EOVERFLOW;
	}
	return error;
}

static int scan(struct cm_near_call *call)
{
	int error;

	if (!is_column(call->column) || (call->nr && !call->result))
		return fail(EINVAL);
	error = check_results(call->column, call->result, call->nr);
	if (error)
		return fail(error);
	call->type = call->column->type;
	return cm_near_serve(call);
}

CM_EXPORT int cxlm_near_scan_range(cxlm_near *near,
				   const struct cxlm_near_column *column,
				   const struct cxlm_near_range *range,
				   unsigned nr, struct cxlm_near_result *result)
{
	struct cm_near_call call = { .near = near,
				     .op = CM_NEAR_SCAN_RANGE,
				     .column = column,
				     .range = range,
				     .nr = nr,
				     .result = result };

	if (!is_array(range, nr, sizeof(*range)))
		return fail(EINVAL);
	return scan(&call);
}

CM_EXPORT int cxlm_near_scan_list(cxlm_near *near,
				  const struct cxlm_near_column *column,
				  const struct cxlm_near_list *list,
				  unsigned nr, struct cxlm_near_result *result)
{
	struct cm_near_call call = { .near = near,
				     .op = CM_NEAR_SCAN_LIST,
				     .column = column,
				     .list = list,
				     .nr = nr,
				     .result = result };

	if (!is_array(list, nr, sizeof(*list)))
		return fail(EINVAL);
	for (unsigned i = 0; i < nr; i++)
		if (!is_array(list[i].has,
			      list[i].nr / 64 + (list[i].nr % 64 != 0), 8))
			return fail(EINVAL);
	return scan(&call);
}

static bool is_table(const struct cxlm_near_table *table)
{
	uint64_t stride, bytes, elements;

	if (!table || table->size < sizeof(*table) ||
	    table->type < CXLM_NEAR_F32 || table->type > CXLM_NEAR_I64 ||
	    !table->width || (table->stride && table->stride < table->width))
		return false;
	stride = table->stride ? table->stride : table->width;
	bytes = cm_near_type_size(table->type);
	if (!table->rows)
		return true;
	/* The last row ends with its elements. */
	return !__builtin_mul_overflow(table->rows - 1, stride, &elements) &&
	       !__builtin_add_overflow(elements, table->width, &elements) &&
	       is_array(table->data, elements, bytes);
}

/* The lengths' sum has to be nr_index. */
static bool are_bags(const struct cxlm_near_bags *bags, size_t bytes)
{
	uint64_t sum = 0;

	if (!bags || bags->size < sizeof(*bags) ||
	    !is_array(bags->length, bags->nr, sizeof(bags->length[0])) ||
	    !is_array(bags->index, bags->nr_index, sizeof(bags->index[0])) ||
	    !is_array(bags->weight, bags->weight ? bags->nr_index : 0, bytes))
		return false;
	for (uint64_t b = 0; b < bags->nr; b++) {
		sum += bags->length[b];
		if (sum > bags->nr_index)
			return false;
	}
	return sum == bags->nr_index;
}

CM_EXPORT int cxlm_near_sls(cxlm_near *near,
			    const struct cxlm_near_table *table,
			    const struct cxlm_near_bags *bags, void *sums,
			    size_t len)
{
	struct cm_near_call call = { .near = near,
				     .op = CM_NEAR_SLS,
				     .table = table,
				     .bags = bags,
				     .sums = sums,
				     .len = len };
	uint64_t elements;
	size_t bytes;

	if (!is_table(table))
		return fail(EINVAL);
	bytes = cm_near_type_size(table->type);
	if (!are_bags(bags, bytes) ||
	    __builtin_mul_overflow(bags->nr, table->width, &elements) ||
	    !is_array(sums, elements, bytes))
		return fail(EINVAL);
	for (uint64_t i = 0; i < bags->nr_index; i++)
		if (bags->index[i] >= table->rows)
			return fail(ERANGE);
	if (len < elements * bytes)
		return fail(ENOSPC);
	call.type = table->type;
	return cm_near_serve(&call);
}
