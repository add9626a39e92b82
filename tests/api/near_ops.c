/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near_ops - what scans and sums give is what a plain loop gives
 *
 * Random data of all types, sizes at the edges of words, blocks and parts, on
 * the calling thread and on several. Every array ends at the end of a block of
 * malloc's, for AddressSanitizer, and before bytes that have to stay.
 */
#include <stdbool.h>

#include "check.h"
#include "cxlmalloc/near.h"

#define NR_RANGES	11	/* more than are made in one reading */
#define GUARD		0x5a5a5a5a5a5a5a5aU

static uint32_t state = 2463534242;

static uint64_t random64(void)
{
	uint64_t high = next_random(&state);

	return high << 32 | next_random(&state);
}

static void *some(size_t bytes)
{
	void *p = malloc(bytes ? bytes : 1);

	if (!p)
		_exit(97);
	return p;
}

static const unsigned width_of[] = { [CXLM_NEAR_U8] = 8,
				     [CXLM_NEAR_U16] = 16,
				     [CXLM_NEAR_U32] = 32,
				     [CXLM_NEAR_U64] = 64 };

static uint64_t value_at(const struct cxlm_near_column *c, uint64_t i)
{
	const uint32_t *word = c->data;
	uint64_t value = 0;

	switch (c->type) {
	case CXLM_NEAR_U8:
		return ((const uint8_t *)c->data)[i];
	case CXLM_NEAR_U16:
		return ((const uint16_t *)c->data)[i];
	case CXLM_NEAR_U32:
		return word[i];
	case CXLM_NEAR_U64:
		return ((const uint64_t *)c->data)[i];
	}
	/* bit by bit, unlike the library */
	for (unsigned b = 0; b < c->bits; b++) {
		uint64_t bit = i * c->bits + b;

		value |= (uint64_t)(word[bit / 32] >> bit % 32 & 1) << b;
	}
	return value;
}

/* The column's values, taken apart once. */
static uint64_t *values;

/* Few different values, or all there are. */
static void random_column(struct cxlm_near_column *c, int type, unsigned bits,
			  uint64_t nr, bool few)
{
	size_t bytes = type == CXLM_NEAR_PACKED ? (nr * bits + 31) / 32 * 4 :
						  nr * (width_of[type] / 8);
	unsigned char *data = some(bytes);

	for (size_t i = 0; i < bytes; i++)
		data[i] = few ? (unsigned char)(next_random(&state) & 3) :
				(unsigned char)next_random(&state);
	*c = (struct cxlm_near_column){ sizeof(*c), data, nr, type, bits };
	values = some(nr * sizeof(*values));
	for (uint64_t i = 0; i < nr; i++)
		values[i] = value_at(c, i);
}

/* Results of every form: bits, indices, both, none. */
static void make_results(struct cxlm_near_result *r, unsigned nr,
			 uint64_t nr_values)
{
	size_t words = (nr_values + 63) / 64;

	for (unsigned i = 0; i < nr; i++) {
		r[i] = (struct cxlm_near_result){ .count = 12345 };
		if (i % 4 < 2) {
			r[i].bits = some((words + 1) * 8);
			memset(r[i].bits, 0x5a, (words + 1) * 8);
			r[i].nr_bits = nr_values;
		}
		if (i % 4 == 1 || i % 4 == 2) {
			r[i].index = some((nr_values + 2) * 4);
			memset(r[i].index, 0x5a, (nr_values + 2) * 4);
			r[i].nr_index = nr_values;
		}
	}
}

static bool is_right(const struct cxlm_near_column *c,
		     const struct cxlm_near_range *range,
		     const struct cxlm_near_list *list,
		     const struct cxlm_near_result *r)
{
	uint64_t count = 0, words = (c->nr + 63) / 64;

	for (uint64_t i = 0; i < c->nr; i++) {
		uint64_t v = values[i];
		bool in = range ? range->lo <= v && v <= range->hi :
				  v < list->nr &&
					  (list->has[v / 64] >> v % 64 & 1);

		if (r->bits && (r->bits[i / 64] >> i % 64 & 1) != in)
			return false;
		if (in && r->index && r->index[count] != i)
			return false;
		count += in;
	}
	if (r->bits && (r->bits[words] != GUARD ||
			(c->nr % 64 && r->bits[words - 1] >> c->nr % 64)))
		return false;
	if (r->index && r->index[count] != (uint32_t)GUARD)
		return false;
	return r->count == count;
}

static void free_results(struct cxlm_near_result *r, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		free(r[i].bits);
		free(r[i].index);
	}
}

static bool ranges_are_right(cxlm_near *near, const struct cxlm_near_column *c)
{
	struct cxlm_near_result result[NR_RANGES];
	struct cxlm_near_range range[NR_RANGES];
	unsigned bits = c->type == CXLM_NEAR_PACKED ? c->bits :
						      width_of[c->type];
	uint64_t most = UINT64_MAX >> (64 - bits);
	bool right = true;

	for (unsigned i = 0; i < NR_RANGES; i++) {
		uint64_t a = random64() & most, b = random64() & most;

		range[i] = (struct cxlm_near_range){ a < b ? a : b,
						     a < b ? b : a };
	}
	range[0] = (struct cxlm_near_range){ 0, UINT64_MAX };
	range[1] = (struct cxlm_near_range){ 0, most };
	range[2] = (struct cxlm_near_range){ 1, 0 };
	range[3] = (struct cxlm_near_range){ 3, 3 };
	range[4] = (struct cxlm_near_range){ most, most };
	if (most < UINT64_MAX) /* truncated, it would be all there is */
		range[5] = (struct cxlm_near_range){ most + 1, most + 9 };
	range[6].hi = UINT64_MAX - 1;
	make_results(result, NR_RANGES, c->nr);
	if (cxlm_near_scan_range(near, c, range, NR_RANGES, result))
		right = false;
	for (unsigned i = 0; right && i < NR_RANGES; i++)
		right = is_right(c, &range[i], NULL, &result[i]);
	free_results(result, NR_RANGES);
	return right;
}

static bool lists_are_right(cxlm_near *near, const struct cxlm_near_column *c)
{
	static const uint64_t sizes[NR_RANGES] = { 0,	1,    3,   64,
						   65,	255,  256, 1000,
						   257, 4096, 70000 };
	struct cxlm_near_result result[NR_RANGES];
	struct cxlm_near_list list[NR_RANGES];
	bool right = true;

	for (unsigned i = 0; i < NR_RANGES; i++) {
		size_t words = (sizes[i] + 63) / 64;
		uint64_t *has = some(words * 8);

		for (size_t w = 0; w < words; w++)
			has[w] = random64();
		list[i] = (struct cxlm_near_list){ has, sizes[i] };
	}
	make_results(result, NR_RANGES, c->nr);
	if (cxlm_near_scan_list(near, c, list, NR_RANGES, result))
		right = false;
	for (unsigned i = 0; right && i < NR_RANGES; i++)
		right = is_right(c, NULL, &list[i], &result[i]);
	free_results(result, NR_RANGES);
	for (unsigned i = 0; i < NR_RANGES; i++)
		free((void *)list[i].has);
	return right;
}

static void scans(cxlm_near *near, const char *who, int type, unsigned bits)
{
	static const uint64_t sizes[] = { 0,	1,    31,    32,    63,
					  64,	65,   1023,  1024,  1025,
					  4095, 16384, 16385, 100003 };
	bool range = true, list = true;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct cxlm_near_column c;

		random_column(&c, type, bits, sizes[i], i & 1);
		if (range && !ranges_are_right(near, &c)) {
			note("ranges of %lu values", (unsigned long)sizes[i]);
			range = false;
		}
		if (list && !lists_are_right(near, &c)) {
			note("lists of %lu values", (unsigned long)sizes[i]);
			list = false;
		}
		free((void *)c.data);
		free(values);
	}
	check(range, "%s: ranges of %u bits%s", who, bits,
	      type == CXLM_NEAR_PACKED ? ", packed" : "");
	check(list, "%s: lists of %u bits%s", who, bits,
	      type == CXLM_NEAR_PACKED ? ", packed" : "");
}

/* --- sums of rows ------------------------------------------------------- */

/* One element of a bag's sum, as a plain loop has it. */
#define DEFINE_PLAIN(T, name)						\
	static bool name##_is(const struct cxlm_near_table *t,		\
			      const struct cxlm_near_bags *b, \
			      const void *sums) \
	{								\
		uint64_t stride = t->stride ? t->stride : t->width, at = 0; \
\
		for (uint64_t k = 0; k < b->nr; at += b->length[k++])	\
			for (uint64_t e = 0; e < t->width; e++) {	\
				volatile T sum = 0;			\
\
				for (uint32_t i = 0; i < b->length[k]; i++) { \
					T v = ((const T *)t->data) \
						[b->index[at + i] * stride + \
						 e]; \
					volatile T product = \
						b->weight ? \
							v * ((const T *)b \
								     ->weight) \
									[at + \
									 i] : \
							v; \
					sum = sum + product;		\
				}					\
				T is = ((const T *)sums)[k * t->width + e]; \
				T was = sum;				\
				if (memcmp(&is, &was, sizeof(T)))	\
					return false;			\
			}						\
		return true;						\
	}

DEFINE_PLAIN(float, f32)
DEFINE_PLAIN(double, f64)
DEFINE_PLAIN(uint32_t, i32)
DEFINE_PLAIN(uint64_t, i64)

static void *random_elements(int type, uint64_t nr)
{
	size_t each = type == CXLM_NEAR_F32 || type == CXLM_NEAR_I32 ? 4 : 8;
	void *p = some(nr * each);

	for (uint64_t i = 0; i < nr; i++) {
		double d = (double)(int32_t)next_random(&state) / 1000;

		if (type == CXLM_NEAR_F32)
			((float *)p)[i] = (float)d;
		else if (type == CXLM_NEAR_F64)
			((double *)p)[i] = d;
		else if (type == CXLM_NEAR_I32)
			((uint32_t *)p)[i] = next_random(&state);
		else
			((uint64_t *)p)[i] = random64();
	}
	return p;
}

static bool sum_is_right(cxlm_near *near, int type, uint64_t rows,
			 uint64_t width, uint64_t stride, uint64_t nr,
			 unsigned longest, bool weighted)
{
	size_t each = type == CXLM_NEAR_F32 || type == CXLM_NEAR_I32 ? 4 : 8;
	uint64_t elements = rows ? (rows - 1) * (stride ? stride : width) +
					    width :
				   0;
	uint32_t *length = some(nr * 4), *index;
	uint64_t nr_index = 0;
	unsigned char *sums = some(nr * width * each + 8);
	struct cxlm_near_table t = { sizeof(t), random_elements(type, elements),
				     type,	rows,
				     width,	stride };
	struct cxlm_near_bags b = { .size = sizeof(b), .length = length };
	uint64_t guard = GUARD;
	bool right;

	for (uint64_t k = 0; k < nr; k++) {
		length[k] = next_random(&state) % (longest + 1);
		nr_index += length[k];
	}
	index = some(nr_index * 4);
	for (uint64_t i = 0; i < nr_index; i++)
		index[i] = next_random(&state) % (uint32_t)rows;
	b.nr = nr;
	b.index = index;
	b.nr_index = nr_index;
	b.weight = weighted ? random_elements(type, nr_index) : NULL;
	memset(sums, 0x5a, nr * width * each + 8);
	right = !cxlm_near_sls(near, &t, &b, sums, nr * width * each) &&
		!memcmp(sums + nr * width * each, &guard, 8);
	if (right)
		right = type == CXLM_NEAR_F32 ? f32_is(&t, &b, sums) :
			type == CXLM_NEAR_F64 ? f64_is(&t, &b, sums) :
			type == CXLM_NEAR_I32 ? i32_is(&t, &b, sums) :
						i64_is(&t, &b, sums);
	free((void *)t.data);
	free((void *)b.weight);
	free(length);
	free(index);
	free(sums);
	return right;
}

static void sums(cxlm_near *near, const char *who, int type, const char *name)
{
	bool plain = true, weighted = true;

	for (int w = 0; w < 2; w++) {
		bool *right = w ? &weighted : &plain;

		/* rows, width, stride, bags, longest bag */
		*right &= sum_is_right(near, type, 0, 4, 0, 0, 0, w);
		*right &= sum_is_right(near, type, 0, 4, 0, 9, 0, w);
		*right &= sum_is_right(near, type, 1, 1, 0, 1, 1, w);
		*right &= sum_is_right(near, type, 1, 3, 0, 5, 300, w);
		*right &= sum_is_right(near, type, 1000, 16, 0, 700, 40, w);
		*right &= sum_is_right(near, type, 77, 5, 8, 3000, 3, w);
		*right &= sum_is_right(near, type, 500, 64, 65, 3, 2000, w);
		*right &= sum_is_right(near, type, 50, 2, 0, 5000, 0, w);
	}
	check(plain, "%s: sums of rows, %s", who, name);
	check(weighted, "%s: weighted sums of rows, %s", who, name);
}

int main(void)
{
	static const unsigned threads[] = { 0, 1, 3 };

	for (int w = -1; w < 3; w++) {
		struct cxlm_near_attr attr = { .size = sizeof(attr) };
		struct cxlm_near_stat stat = { .size = sizeof(stat) };
		cxlm_near *near = NULL;
		char who[32] = "no object";

		if (w >= 0) {
			attr.threads = threads[w];
			near = cxlm_near_create(&attr);
			snprintf(who, sizeof(who), "%u threads", attr.threads);
			check(near != NULL, "%s: an object", who);
		}
		scans(near, who, CXLM_NEAR_U8, 8);
		scans(near, who, CXLM_NEAR_U16, 16);
		scans(near, who, CXLM_NEAR_U32, 32);
		scans(near, who, CXLM_NEAR_U64, 64);
		for (unsigned bits = 1; bits <= 32; bits += bits < 31 ? 3 : 1)
			scans(near, who, CXLM_NEAR_PACKED, bits);
		sums(near, who, CXLM_NEAR_F32, "f32");
		sums(near, who, CXLM_NEAR_F64, "f64");
		sums(near, who, CXLM_NEAR_I32, "i32");
		sums(near, who, CXLM_NEAR_I64, "i64");
		if (near)
			check(!cxlm_near_stat(near, &stat) && stat.calls &&
				      stat.threads == attr.threads &&
				      (stat.parts > 0) == (stat.threads > 0) &&
				      !strcmp(stat.backend, "cpu"),
			      "%s: served by cpu, %lu calls, %lu parts", who,
			      (unsigned long)stat.calls,
			      (unsigned long)stat.parts);
		cxlm_near_destroy(near);
	}
	return check_done();
}
