/* SPDX-License-Identifier: BSD-2-Clause */
/* Every method of SmdkAllocator. */
#include <smdk_opt_api.hpp>

#include "../preload/check.h"

int main()
{
	SmdkAllocator &smdk = SmdkAllocator::get_instance();
	const smdk_memtype_t types[] = { SMDK_MEM_NORMAL, SMDK_MEM_EXMEM };
	string nodes = "0";
	char *p;
	void *q;

	check(&smdk == &SmdkAllocator::get_instance(), "one instance");
	for (smdk_memtype_t type : types) {
		p = (char *)smdk.malloc(type, 100);
		fill(p, 100, 1);
		p = (char *)smdk.realloc(type, p, 1000);
		check(filled(p, 100, 1), "malloc, realloc");
		smdk.free(p);
		p = (char *)smdk.calloc(type, 10, 10);
		check(all_zero(p, 100), "calloc");
		smdk.free(type, p);
		check(smdk.posix_memalign(type, &q, 4096, 100) == 0 &&
			      aligned(q, 4096),
		      "posix_memalign");
		smdk.free(q);
		check(smdk.get_memsize_total(type) > 0 &&
			      smdk.get_memsize_used(type) > 0 &&
			      smdk.get_memsize_available(type) > 0,
		      "get_memsize_total, used, available");
		check(smdk.malloc_node(type, 8, "no node") == NULL,
		      "malloc_node: none");
		smdk.free_node(type, NULL, 8);
	}
	p = (char *)smdk.malloc_node(SMDK_MEM_NORMAL, 100, nodes);
	check(p != NULL || errno == EPERM, "malloc_node");
	smdk.free_node(SMDK_MEM_NORMAL, p, 100);
	check(smdk.get_memsize_node_total(SMDK_MEM_NORMAL, 0) > 0 &&
		      smdk.get_memsize_node_available(SMDK_MEM_NORMAL, 0) > 0,
	      "get_memsize_node_total, available");
	smdk.enable_node_interleave("0");
	smdk.disable_node_interleave();
	smdk.stats_print('m');
	smdk.stats_node_print('g');
	return check_done();
}
