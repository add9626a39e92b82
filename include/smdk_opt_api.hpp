/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smdk_opt_api.hpp - SMDK's C++ interface: each method is the function of
 * smdk_opt_api.h that has its name behind s_
 */
#ifndef SMDK_OPT_API_HPP_
#define SMDK_OPT_API_HPP_

#include <assert.h>
#include <string.h>

#include <string>
#include <vector>

#include "smdk_opt_api.h"

/* SMDK's header does, and programs rely on it. */
using std::string;

class SmdkAllocator {
public:
	static SmdkAllocator &get_instance()
	{
		static SmdkAllocator instance;
		return instance;
	}
	void *malloc(smdk_memtype_t type, size_t size)
	{
		return s_malloc(type, size);
	}
	void *calloc(smdk_memtype_t type, size_t num, size_t size)
	{
		return s_calloc(type, num, size);
	}
	void *realloc(smdk_memtype_t type, void *ptr, size_t size)
	{
		return s_realloc(type, ptr, size);
	}
	int posix_memalign(smdk_memtype_t type, void **memptr, size_t alignment,
			   size_t size)
	{
		return s_posix_memalign(type, memptr, alignment, size);
	}
	void free(void *ptr)
	{
		s_free(ptr);
	}
	void free(smdk_memtype_t type, void *ptr)
	{
		s_free_type(type, ptr);
	}
	void *malloc_node(smdk_memtype_t type, size_t size, string node)
	{
		return s_malloc_node(type, size, &node[0]);
	}
	void free_node(smdk_memtype_t type, void *mem, size_t size)
	{
		s_free_node(type, mem, size);
	}
	size_t get_memsize_total(smdk_memtype_t type)
	{
		return s_get_memsize_total(type);
	}
	size_t get_memsize_used(smdk_memtype_t type)
	{
		return s_get_memsize_used(type);
	}
	size_t get_memsize_available(smdk_memtype_t type)
	{
		return s_get_memsize_available(type);
	}
	size_t get_memsize_node_total(smdk_memtype_t type, int node)
	{
		return s_get_memsize_node_total(type, node);
	}
	size_t get_memsize_node_available(smdk_memtype_t type, int node)
	{
		return s_get_memsize_node_available(type, node);
	}
	void stats_print(char unit)
	{
		s_stats_print(unit);
	}
	void stats_node_print(char unit)
	{
		s_stats_node_print(unit);
	}
	void enable_node_interleave(string nodes)
	{
		s_enable_node_interleave(&nodes[0]);
	}
	void disable_node_interleave()
	{
		s_disable_node_interleave();
	}

	SmdkAllocator(const SmdkAllocator &) = delete;
	SmdkAllocator &operator=(const SmdkAllocator &) = delete;

private:
	SmdkAllocator() = default;
	~SmdkAllocator() = default;
};

#endif
