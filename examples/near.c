/* SPDX-License-Identifier: BSD-2-Clause */
/* near - a column scanned and rows summed by threads near the data */
#include <cxlmalloc.h>
#include <cxlmalloc/near.h>
#include <stdio.h>

#define NR	1000000

int main(void)
{
	struct cxlm_near_attr attr = { .size = sizeof(attr), .threads = 2 };
	struct cxlm_near_stat stat = { .size = sizeof(stat) };
	struct cxlm_near_backend_info backend = { .size = sizeof(backend) };
	cxlm_near *near = cxlm_near_create(&attr);
	uint32_t *age = cxlm_malloc(CXLM_TIER_CXL, NR * sizeof(*age), 0);
	static uint32_t children[NR];

	if (!near || !age) {
		perror("no threads or no memory");
		return 1;
	}
	for (uint32_t i = 0; i < NR; i++)
		age[i] = i % 100;

	/* Who is in two ranges of age? The first with who they are. */
	struct cxlm_near_column column = { .size = sizeof(column),
					   .data = age,
					   .nr = NR,
					   .type = CXLM_NEAR_U32 };
	struct cxlm_near_range range[] = { { 0, 14 }, { 65, 200 } };
	struct cxlm_near_result result[] = {
		{ .index = children, .nr_index = NR }, { .count = 0 }
	};
	if (cxlm_near_scan_range(near, &column, range, 2, result)) {
		perror("cxlm_near_scan_range");
		return 1;
	}
	printf("%llu children, the last is number %u; %llu pensioners\n",
	       (unsigned long long)result[0].count,
	       children[result[0].count - 1],
	       (unsigned long long)result[1].count);

	/* Whose age is in a set: 3, 5 or 70? */
	uint64_t has[2] = { 1 << 3 | 1 << 5, 1 << (70 - 64) };
	struct cxlm_near_list list = { has, 128 };
	if (cxlm_near_scan_list(near, &column, &list, 1, &result[1])) {
		perror("cxlm_near_scan_list");
		return 1;
	}
	printf("%llu in the set\n", (unsigned long long)result[1].count);

	/* Rows 0 and 2 of a table together, and row 1 alone. */
	float rows[3][2] = { { 1, 2 }, { 10, 20 }, { 100, 200 } }, sums[2][2];
	uint32_t length[] = { 2, 1 }, index[] = { 0, 2, 1 };
	struct cxlm_near_table table = { .size = sizeof(table),
					 .data = rows,
					 .type = CXLM_NEAR_F32,
					 .rows = 3,
					 .width = 2 };
	struct cxlm_near_bags bags = { .size = sizeof(bags),
				       .length = length,
				       .nr = 2,
				       .index = index,
				       .nr_index = 3 };
	if (cxlm_near_sls(near, &table, &bags, sums, sizeof(sums))) {
		perror("cxlm_near_sls");
		return 1;
	}
	printf("sums: %g %g, %g %g\n", sums[0][0], sums[0][1], sums[1][0],
	       sums[1][1]);

	cxlm_near_stat(near, &stat);
	printf("%llu calls by %s, with %u threads\n",
	       (unsigned long long)stat.calls, stat.backend, stat.threads);
	for (unsigned i = 0; !cxlm_near_backend_info(i, &backend); i++)
		printf("back end %u: %s\n", i, backend.name);
	cxlm_near_destroy(near);
	cxlm_free(age);
	return 0;
}
