/* SPDX-License-Identifier: BSD-2-Clause */
/* chunk: pieces of an interleaved range are few, and follow the weights */
#include "policy/chunk.h"
#include "support/test.h"

static uint64_t random_state = 7;

static uint64_t random_below(uint64_t max)
{
	random_state = random_state * 6364136223846793005u +
		       1442695040888963407u;
	return (random_state >> 20) % max;
}

static void pieces_follow_each_other(void **state)
{
	(void)state;
	for (uint64_t most = 64; most <= 65536; most *= 4) {
		struct cm_chunks c = cm_chunk_fit(4 * TIB, most);
		uint64_t at = 0, size = 0;

		for (uint64_t i = 0; at < 4 * TIB; i++) {
			struct cm_chunk piece = cm_chunk_at(c, at);

			assert_int_equal(piece.index, i);
			assert_int_equal(piece.start, at);
			assert_true(piece.size >= 2 * MIB);
			assert_true(piece.size >= size);
			assert_int_equal(piece.start % piece.size, 0);
			assert_int_equal(
				cm_chunk_at(c, at + piece.size - 1).index, i);
			size = piece.size;
			at += size;
		}
	}
}

/* vm.max_map_count's default, and what some set it to. */
static void mappings_stay_below_a_quarter(void **state)
{
	static const uint64_t counts[] = { 65530, 1048576, 8192, 1000, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (uint64_t size = 4 * GIB; size <= 4 * TIB; size *= 2) {
			uint64_t most = counts[i] / 4;
			struct cm_chunks c = cm_chunk_fit(4 * TIB, most);

			assert_true(cm_chunk_count(c, size) <= most);
			c = cm_chunk_fit(size, most);
			assert_true(cm_chunk_count(c, size) <= most);
		}
}

static void pieces_are_huge_pages_where_that_is_few(void **state)
{
	struct cm_chunks c = cm_chunk_fit(4 * TIB, 65530 / 4);

	(void)state;
	assert_int_equal(cm_chunk_at(c, 0).size, 2 * MIB);
	assert_int_equal(cm_chunk_at(c, 4 * GIB - 1).size, 2 * MIB);
	assert_int_equal(cm_chunk_at(c, 4 * GIB).size, 4 * MIB);
	assert_int_equal(cm_chunk_count(c, 4 * GIB), 2048);
	assert_int_equal(cm_chunk_count(c, 8 * GIB), 3072);
	assert_int_equal(cm_chunk_count(c, 4 * TIB), 2048 + 10 * 1024);
}

static void any_run_has_its_share_within_a_piece(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		const unsigned weight[] = { 1 + (unsigned)random_below(1000),
					    1 + (unsigned)random_below(1000) };
		uint64_t all = weight[0] + weight[1];
		uint64_t from = random_below(20000), nr = random_below(500);
		int64_t ddr = 0, off;

		for (uint64_t n = from; n < from + nr; n++)
			ddr += cm_chunk_tier(n, weight) == CM_TIER_DDR;
		off = ddr * (int64_t)all - (int64_t)(nr * weight[0]);
		assert_true(off > -(int64_t)all && off < (int64_t)all);
	}
}

/* 10,000 pages, anywhere. */
static void pages_are_within_one_percent_or_a_piece(void **state)
{
	static const unsigned weights[][2] = {
		{ 1, 1 }, { 3, 1 }, { 1, 9 }, { 7, 5 }, { 999, 1000 }
	};
	struct cm_chunks c = cm_chunk_fit(4 * TIB, 65530 / 4);

	(void)state;
	for (size_t w = 0; w < sizeof(weights) / sizeof(weights[0]); w++)
		for (int i = 0; i < 10000; i++) {
			uint64_t size = 10000 * 4 * KIB, bytes[CM_NR_TIERS];
			uint64_t all = weights[w][0] + weights[w][1];
			uint64_t from = random_below(TIB) & ~(4 * KIB - 1);
			struct cm_chunk last = cm_chunk_at(c, from + size);
			double want = (double)size * weights[w][0] /
				      (double)all;
			double off;

			cm_chunk_split(c, weights[w], from, from + size, bytes);
			off = (double)bytes[CM_TIER_DDR] - want;
			if (off < 0)
				off = -off;
			assert_true(off <= (double)size / 100 ||
				    off <= (double)last.size);
			assert_int_equal(bytes[0] + bytes[1], size);
		}
}

/* What is counted in one go is what its pages are one by one. */
static void a_split_is_the_sum_of_its_pages(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		const unsigned weight[] = { 1 + (unsigned)random_below(20),
					    1 + (unsigned)random_below(20) };
		struct cm_chunks c = cm_chunk_fit(4 * TIB, 16384);
		uint64_t from = random_below(64 * GIB) & ~(64 * KIB - 1);
		uint64_t to = from + random_below(64 * MIB);
		uint64_t bytes[CM_NR_TIERS], sum[CM_NR_TIERS] = { 0, 0 };

		for (uint64_t at = from; at < to; at += 64 * KIB) {
			uint64_t n = to - at < 64 * KIB ? to - at : 64 * KIB;

			sum[cm_chunk_tier(cm_chunk_at(c, at).index, weight)] +=
				n;
		}
		cm_chunk_split(c, weight, from, to, bytes);
		assert_int_equal(bytes[CM_TIER_DDR], sum[CM_TIER_DDR]);
		assert_int_equal(bytes[CM_TIER_CXL], sum[CM_TIER_CXL]);
	}
}

static void pages_by_the_kernel_count_alike(void **state)
{
	struct cm_chunks pages = CM_CHUNK_PAGES(12);
	const unsigned weight[] = { 3, 1 };
	uint64_t bytes[CM_NR_TIERS];

	(void)state;
	cm_chunk_split(pages, weight, 16 * TIB, 16 * TIB + 400 * MIB, bytes);
	assert_int_equal(bytes[CM_TIER_DDR], 300 * MIB);
	cm_chunk_split(pages, weight, 4 * KIB, 8 * KIB, bytes);
	assert_int_equal(bytes[0] + bytes[1], 4 * KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_follow_each_other),
		cmocka_unit_test(mappings_stay_below_a_quarter),
		cmocka_unit_test(pieces_are_huge_pages_where_that_is_few),
		cmocka_unit_test(any_run_has_its_share_within_a_piece),
		cmocka_unit_test(pages_are_within_one_percent_or_a_piece),
		cmocka_unit_test(a_split_is_the_sum_of_its_pages),
		cmocka_unit_test(pages_by_the_kernel_count_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
