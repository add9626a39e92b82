/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat DDR-NODES CXL-NODES [bound] - where blocks of SMDK's and EmuCXL's APIs are, as
 * the kernel answers; and that what these APIs tell is that. bound: both tiers
 * are, and refuse what their nodes cannot hold.
 */
#include <pthread.h>
#include <sys/mman.h>

#include <cxlmalloc.h>
#include <emucxl.h>
#include <smdk_opt_api.h>

#include "pages.h"

static unsigned nodes[2];

/* Touches a block, which keeps its contents; are its pages on the nodes? */
static int lies_on(void *p, size_t size, unsigned mask)
{
	struct pages seen = { .absent = 0 };
	char text[100];

	if (!p)
		return 0;
	for (size_t i = 0; i < size; i += PAGE)
		((volatile char *)p)[i] += 0;
	((volatile char *)p)[size - 1] += 0;
	count_pages(p, size, &seen);
	if (elsewhere(&seen, mask) == 0)
		return 1;
	format_pages(&seen, text, sizeof(text));
	note("pages on %s, not on nodes %#x", text, mask);
	return 0;
}

static const char *const type_names[] = { "NORMAL", "EXMEM" };

static void *small_blocks(void *arg)
{
	smdk_memtype_t type = *(smdk_memtype_t *)arg;

	for (int i = 0; i < 5000; i++)
		if (!lies_on(s_malloc(type, 100), 100, nodes[type]))
			return arg;
	return NULL;
}

static void smdk_types(void)
{
	pthread_t thread[2];
	void *bad = NULL, *one, *p;
	smdk_memtype_t types[] = { SMDK_MEM_NORMAL, SMDK_MEM_EXMEM };

	for (int t = 0; t < 2; t++) {
		smdk_memtype_t type = types[t];
		const char *name = type_names[t];

		check(lies_on(s_malloc(type, 16 * MIB), 16 * MIB, nodes[t]),
		      "s_malloc(%s, 16 MiB) is on its nodes", name);
		check(lies_on(s_calloc(type, MIB, 1), MIB, nodes[t]),
		      "s_calloc(%s) is", name);
		check(s_posix_memalign(type, &p, 2 * MIB, MIB) == 0 &&
			      lies_on(p, MIB, nodes[t]),
		      "s_posix_memalign(%s) is", name);
		p = s_malloc(types[!t], MIB);
		lies_on(p, MIB, nodes[!t]);
		p = s_realloc(type, p, 2 * MIB);
		check(lies_on(p, 2 * MIB, nodes[t]),
		      "s_realloc(%s) of the other type is", name);
		s_free(p);
		pthread_create(&thread[t], NULL, small_blocks, &types[t]);
	}
	for (int t = 0; t < 2; t++) {
		pthread_join(thread[t], &one);
		bad = bad ? bad : one;
	}
	check(!bad, "small blocks of two threads are");
}

/* Bytes of a node, from the kernel's file. */
static size_t node_total(int node)
{
	char path[64];
	size_t kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo",
		 node);
	f = fopen(path, "r");
	if (!f || fscanf(f, "Node %*d MemTotal: %zu", &kib) != 1)
		kib = 0;
	if (f)
		fclose(f);
	return kib << 10;
}

static void smdk_nodes(int bound)
{
	size_t total;
	char text[12];
	void *p;

	for (int t = 0; t < 2; t++) {
		smdk_memtype_t type = (smdk_memtype_t)t;
		smdk_memtype_t other = (smdk_memtype_t)!t;

		total = 0;
		for (int node = 0; node < NODES; node++) {
			if (!(nodes[t] >> node & 1))
				continue;
			snprintf(text, sizeof(text), "%d", node);
			p = s_malloc_node(type, 4 * MIB, text);
			check(lies_on(p, 4 * MIB, 1u << node),
			      "s_malloc_node(%s) on node %d is there",
			      type_names[t], node);
			s_free_node(type, p, 4 * MIB);
			errno = 0;
			check(!s_malloc_node(other, 8, text) && errno == EINVAL,
			      "s_malloc_node(%s) on node %d: not its node",
			      type_names[other], node);
			check(s_get_memsize_node_total(type, node) ==
				      node_total(node),
			      "s_get_memsize_node_total: node %d's", node);
			check(s_get_memsize_node_available(type, node) > 0 &&
				      s_get_memsize_node_available(type, node) <
					      node_total(node),
			      "s_get_memsize_node_available: node %d", node);
			check(s_get_memsize_node_total(other, node) == 0,
			      "node %d is not of type %s", node,
			      type_names[other]);
			total += node_total(node);
		}
		check(s_get_memsize_total(type) == total,
		      "s_get_memsize_total(%s): its nodes'", type_names[t]);
		if (!bound)
			continue;
		errno = 0;
		p = s_malloc(type, total + 64 * MIB);
		check(!p && errno == ENOMEM,
		      "s_malloc(%s) of more than there is: ENOMEM, and not "
		      "the other type",
		      type_names[t]);
	}
	p = s_malloc_node(SMDK_MEM_NORMAL, 8, (char *)"all");
	check(!p && errno == EINVAL, "s_malloc_node on all: not of one type");
}

/* A map that libcxlmalloc.so does not see. */
static void smdk_interleave(const char *all)
{
	struct pages seen = { .absent = 0 };
	unsigned mask = nodes[0] | nodes[1];
	char *p;

	p = (char *)syscall(SYS_mmap, NULL, 4 * MIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0l);
	madvise(p, 4 * MIB, MADV_NOHUGEPAGE);
	s_enable_node_interleave((char *)all);
	lies_on(p, 4 * MIB, mask);
	s_disable_node_interleave();
	count_pages(p, 4 * MIB, &seen);
	for (int node = 0; node < NODES; node++)
		if (mask >> node & 1)
			check(seen.on[node] > 100,
			      "s_enable_node_interleave: node %d has its part "
			      "of the thread's other memory",
			      node);
	s_enable_node_interleave((char *)all);
	check(lies_on(s_malloc(SMDK_MEM_EXMEM, 4 * MIB), 4 * MIB, nodes[1]),
	      "and blocks of s_malloc stay on their type's nodes");
	s_disable_node_interleave();
}

/* Does the API tell of a block what the kernel does? */
static int told(void *p, size_t size, int node)
{
	struct pages seen = { .absent = 0 };
	int real;

	if (!lies_on(p, size, nodes[node]))
		return 0;
	count_pages(p, 1, &seen);
	real = emucxl_get_real_node(p);
	return emucxl_get_numa_node(p) == node && real >= 0 && real < NODES &&
	       emucxl_is_local(p) == (node == 0) && seen.on[real] == 1;
}

static void emucxl_blocks(void)
{
	char *p, *q, *keep;

	emucxl_init();
	check(emucxl_emulated() == 0, "emucxl: node 1 is CXL's");
	for (int node = 0; node < 2; node++) {
		p = emucxl_alloc(8 * MIB, node);
		check(told(p, 8 * MIB, node),
		      "emucxl_alloc(8 MiB, %d) is there, and says so", node);
		check(told(emucxl_alloc(100, node), 100, node),
		      "emucxl_alloc(100, %d) is", node);
		fill(p, 8 * MIB, 5);
		q = emucxl_migrate(p, !node, 8 * MIB);
		check(filled(q, 8 * MIB, 5) && told(q, 8 * MIB, !node),
		      "emucxl_migrate to %d: it is there, and says so", !node);
		q = emucxl_resize(q, node, 8 * MIB, 9 * MIB);
		check(filled(q, 8 * MIB, 5) && told(q, 9 * MIB, node),
		      "emucxl_resize on %d: it is there, and says so", node);
		fill(q, 9 * MIB, 6);
		keep = q;
		if (emucxl_migrate_in_place(q, !node) < 0)
			note("%s", strerror(errno));
		check(q == keep && filled(q, 9 * MIB, 6),
		      "emucxl_migrate_in_place to %d: contents", !node);
		check(told(q, 9 * MIB, !node), "it is there, and says so");
		emucxl_free(q, 9 * MIB);
	}
	emucxl_exit();
}

int main(int argc, char **argv)
{
	char all[64];

	if (argc < 3)
		return 2;
	nodes[0] = node_mask(argv[1]);
	nodes[1] = node_mask(argv[2]);
	snprintf(all, sizeof(all), "%s,%s", argv[1], argv[2]);
	smdk_types();
	smdk_nodes(argc > 3);
	smdk_interleave(all);
	emucxl_blocks();
	return check_done();
}
