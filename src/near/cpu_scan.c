/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu_scan - scans by the CPU
 *
 * A block of values becomes a word of bits for each 64 of them, whatever the
 * type; counts, bits and indices are made from these. Parts begin at multiples
 * of 64 values, so no two threads write to one word.
 *
 * Where indices go is known when the matches before them have been counted: with
 * several parts the data is read twice.
 */
#include "near/near.h"

#define BLOCK	1024	/* values; a multiple of 64 */
#define GRAIN	16384	/* values of a part, at least */

struct scan {
	const struct cm_near_call *call;
	unsigned from, nr;	/* of its ranges or lists: those of this reading */
	bool first;		/* counts and bits */
	bool indices;		/* part->count is where they go */
};

/* 64 bytes of 0 and 1 to a word: eight of them gather in the highest byte. */
static uint64_t word_of(const unsigned char in[64])
{
	uint64_t word = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t eight = 0;

		for (unsigned k = 0; k < 8; k++)
			eight |= (uint64_t)in[i * 8 + k] << k;
		word |= eight << i * 8;
	}
	return word;
}

/* A last word's bits behind the last value are 0. */
#define DEFINE_SCANS(T, name)						\
	static void range_##name(const T *v, unsigned n,		\
				 const struct cxlm_near_range *range,	\
				 uint64_t *words)			\
	{								\
		const T most = (T)-1;					\
		bool none = range->lo > range->hi || range->lo > most;	\
		T lo = (T)range->lo;					\
		T span = (T)((range->hi < most ? (T)range->hi : most) - lo); \
\
		for (unsigned i = 0; i < n; i += 64) {			\
			unsigned char in[64] = { 0 };			\
\
			for (unsigned k = 0; k < 64 && i + k < n; k++)	\
				in[k] = (T)(v[i + k] - lo) <= span;	\
			words[i / 64] = none ? 0 : word_of(in);		\
		}							\
	}								\
	static void list_##name(const T *v, unsigned n,			\
				const struct cxlm_near_list *list,	\
				uint64_t *words)			\
	{								\
		for (unsigned i = 0; i < n; i += 64) {			\
			unsigned char in[64] = { 0 };			\
\
			for (unsigned k = 0; k < 64 && i + k < n; k++)	\
				in[k] = v[i + k] < list->nr &&		\
					(list->has[v[i + k] / 64] >>	\
						 v[i + k] % 64 & \
					 1); \
			words[i / 64] = word_of(in);			\
		}							\
	}

DEFINE_SCANS(uint8_t, u8)
DEFINE_SCANS(uint16_t, u16)
DEFINE_SCANS(uint32_t, u32)
DEFINE_SCANS(uint64_t, u64)

/* The word after a value's first is only read if the value goes on there. */
static void unpack(const struct cxlm_near_column *column, uint64_t from,
		   unsigned n, uint32_t *to)
{
	const uint32_t *word = column->data;
	unsigned bits = column->bits;
	uint64_t mask = ((uint64_t)1 << bits) - 1, at = from * bits;

	for (unsigned i = 0; i < n; i++, at += bits) {
		uint64_t value = word[at / 32] >> at % 32;

		if (at % 32 + bits > 32)
			value |= (uint64_t)word[at / 32 + 1] << (32 - at % 32);
		to[i] = (uint32_t)(value & mask);
	}
}

static void match(const struct cm_near_call *c, unsigned r, uint64_t from,
		  unsigned n, const uint32_t *unpacked, uint64_t *words)
{
	const void *data = c->column->data;
	bool range = c->op == CM_NEAR_SCAN_RANGE;

#define CALL(T, name, at)						\
	do {								\
		if (range)						\
			range_##name((at), n, &c->range[r], words);	\
		else							\
			list_##name((at), n, &c->list[r], words);	\
	} while (0)
	switch (c->column->type) {
	case CXLM_NEAR_U8:
		CALL(uint8_t, u8, (const uint8_t *)data + from);
		break;
	case CXLM_NEAR_U16:
		CALL(uint16_t, u16, (const uint16_t *)data + from);
		break;
	case CXLM_NEAR_U32:
		CALL(uint32_t, u32, (const uint32_t *)data + from);
		break;
	case CXLM_NEAR_U64:
		CALL(uint64_t, u64, (const uint64_t *)data + from);
		break;
	case CXLM_NEAR_PACKED:
		CALL(uint32_t, u32, unpacked);
		break;
	}
#undef CALL
}

/* Of one block; *at is how many indices there are before. */
static void put_indices(const struct cxlm_near_result *result, uint64_t from,
			const uint64_t *words, unsigned nr_words, uint64_t *at)
{
	for (unsigned w = 0; w < nr_words; w++)
		for (uint64_t left = words[w]; left; left &= left - 1) {
			if (*at < result->nr_index)
				result->index[*at] =
					(uint32_t)(from + w * 64 +
						   (unsigned)__builtin_ctzll(
							   left));
			++*at;
		}
}

static void scan_part(void *arg, struct cm_near_part *part)
{
	const struct scan *s = arg;
	const struct cm_near_call *c = s->call;
	uint64_t words[BLOCK / 64], end = part->from + part->nr;
	uint32_t unpacked[BLOCK];

	for (uint64_t from = part->from; from < end; from += BLOCK) {
		unsigned n = end - from < BLOCK ? end - from : BLOCK;
		unsigned nr_words = (n + 63) / 64;

		if (c->column->type == CXLM_NEAR_PACKED)
			unpack(c->column, from, n, unpacked);
		for (unsigned r = 0; r < s->nr; r++) {
			struct cxlm_near_result *to = &c->result[s->from + r];

			if (!s->first && !to->index)
				continue;
			match(c, s->from + r, from, n, unpacked, words);
			if (s->first && to->bits)
				memcpy(to->bits + from / 64, words,
				       nr_words * sizeof(words[0]));
			if (s->indices && to->index) {
				put_indices(to, from, words, nr_words,
					    &part->count[r]);
				continue;
			}
			for (unsigned w = 0; w < nr_words; w++)
				part->count[r] += __builtin_popcountll(
					words[w]);
		}
	}
}

static size_t bytes_of(const struct cxlm_near_column *column, uint64_t values)
{
	size_t each = cm_near_type_size(column->type);

	/* the product of packed ones has been checked */
	return each ? values * each : values * column->bits / 8;
}

static void divide(struct cm_near_crew *crew,
		   const struct cxlm_near_column *column)
{
	uint64_t each, from = 0;

	crew->nr_parts = cm_near_parts(crew, (column->nr + GRAIN - 1) / GRAIN);
	if (!crew->nr_parts)
		return;
	each = (column->nr / crew->nr_parts + 63) / 64 * 64;
	for (unsigned p = 0; p < crew->nr_parts; p++) {
		struct cm_near_part *part = &crew->part[p];
		uint64_t left = column->nr - from;

		part->from = from;
		part->nr = left < each || p + 1 == crew->nr_parts ? left : each;
		part->node = crew->near ?
				     cm_near_node_of_range(
					     (const char *)column->data +
						     bytes_of(column, from),
					     bytes_of(column, part->nr)) :
				     -1;
		from += part->nr;
	}
}

/* Counts become places; is there room for all? */
static bool place_indices(struct cm_near_crew *crew, struct scan *s)
{
	bool room = true;

	s->indices = false;
	for (unsigned r = 0; r < s->nr; r++) {
		struct cxlm_near_result *to = &s->call->result[s->from + r];

		to->count = 0;
		for (unsigned p = 0; p < crew->nr_parts; p++) {
			uint64_t count = crew->part[p].count[r];

			crew->part[p].count[r] = to->count;
			to->count += count;
		}
		if (to->index)
			s->indices = true;
		if (to->index && to->count > to->nr_index)
			room = false;
	}
	return room;
}

int cm_near_cpu_scan(const struct cm_near_call *call)
{
	struct scan s = { .call = call };
	struct cm_near_crew crew;
	bool room = true;

	cm_near_begin(&crew, call->near);
	divide(&crew, call->column);
	for (; s.from < call->nr; s.from += s.nr) {
		s.nr = call->nr - s.from < CM_NEAR_TOGETHER ?
			       call->nr - s.from :
			       CM_NEAR_TOGETHER;
		for (unsigned p = 0; p < crew.nr_parts; p++)
			memset(crew.part[p].count, 0,
			       sizeof(crew.part[p].count));
		s.first = true;
		s.indices = crew.nr_parts == 1;
		cm_near_run(&crew, scan_part, &s);
		room &= place_indices(&crew, &s);
		if (crew.nr_parts <= 1 || !s.indices || !room)
			continue;
		s.first = false;
		cm_near_run(&crew, scan_part, &s);
	}
	cm_near_end(&crew);
	if (!room)
		errno = ENOSPC;
	return room ? 0 : -1;
}
