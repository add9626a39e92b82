// SPDX-License-Identifier: BSD-2-Clause
//
// pool - pools of the program's own: nodes, a limit, a policy, an end
//
//	cxlm::pool_options options;
//	options.on = cxlm::tier::cxl;
//	options.limit = 64 << 20;
//	cxlm::pool pool(options);	// C++20: pool({ .on = ..., .limit = ... })
//	std::vector<int, cxlm::pool_allocator<int>> v(pool);
#ifndef CXLMALLOC_POOL_HPP
#define CXLMALLOC_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>

#include "memory.hpp"

namespace cxlm {

// NUMA nodes as the kernel numbers them, in the form that mbind(2) has.
class node_set {
    public:
	static constexpr int max = 1024;

	constexpr node_set() noexcept = default;

	node_set(std::initializer_list<int> nodes)
	{
		for (int node : nodes)
			insert(node);
	}

	void insert(int node)
	{
		if (node < 0 || node >= max) {
			errno = EINVAL;
			detail::fail_errno("cxlm::node_set");
		}
		words_[node / bits] |= 1UL << node % bits;
		empty_ = false;
	}

	bool contains(int node) const noexcept
	{
		return node >= 0 && node < max &&
		       words_[node / bits] >> node % bits & 1;
	}

	constexpr bool empty() const noexcept
	{
		return empty_;
	}

	const unsigned long *data() const noexcept
	{
		return words_;
	}

    private:
	static constexpr int bits = 8 * sizeof(unsigned long);
	unsigned long words_[max / bits] = {};
	bool empty_ = true;
};

enum class pool_policy : int {
	bind = CXLM_POOL_BIND,			// on the nodes or not at all
	preferred = CXLM_POOL_PREFERRED,	// on others when they are full
	interleave = CXLM_POOL_INTERLEAVE	// page by page on all in turn
};

struct pool_options {
	tier on = tier::ddr;		// whose nodes it has and follows
	node_set nodes = {};		// these instead, unless empty
	pool_policy policy = pool_policy::bind;
	std::uint64_t limit = CXLM_NO_LIMIT;	// bytes
	const char *name = nullptr;	// for reports, up to 31 bytes
};

using pool_usage = struct ::cxlm_pool_stat;

// Owns a pool. Its end is that of all the pool's blocks: whatever uses them, such
// as a container with its pool_allocator, has to be gone before. A pool that was
// moved from has none, and may only be destroyed or assigned to.
class pool {
    public:
	explicit pool(const pool_options &options = {})
	{
		struct ::cxlm_pool_attr attr = {};
		attr.size = sizeof(attr);
		attr.tier = detail::native(options.on);
		attr.policy = static_cast<int>(options.policy);
		attr.limit = options.limit;
		attr.name = options.name;
		if (!options.nodes.empty()) {
			attr.tier = CXLM_TIER_POLICY;
			attr.nodes = options.nodes.data();
			attr.maxnode = node_set::max;
		}
		pool_.reset(cxlm_pool_create(&attr));
		if (!pool_)
			detail::fail_errno("cxlm::pool");
	}

	// Takes one that was made with cxlm_pool_create.
	explicit pool(::cxlm_pool *owned) noexcept : pool_(owned) {}

	::cxlm_pool *get() const noexcept
	{
		return pool_.get();
	}

	[[nodiscard]] ::cxlm_pool *release() noexcept
	{
		return pool_.release();
	}

	// A block, until cxlm_free or the pool's end.
	[[nodiscard]] void *
	allocate(std::size_t size,
		 std::size_t alignment = alignof(std::max_align_t))
	{
		return allocate(get(), size, alignment);
	}

	static void *allocate(::cxlm_pool *from, std::size_t size,
			      std::size_t alignment)
	{
		return detail::checked_block(
			detail::is_ordinary(size, alignment) ?
				cxlm_pool_malloc(from, size) :
				cxlm_pool_aligned_alloc(from, alignment, size));
	}

	void deallocate(void *p) noexcept
	{
		cxlm_free(p);
	}

	// The end of all its blocks; the pool stays.
	void reset()
	{
		detail::checked(cxlm_pool_reset(get()), "cxlm::pool::reset");
	}

	void set_limit(std::uint64_t bytes)
	{
		detail::checked(cxlm_pool_set_limit(get(), bytes),
				"cxlm::pool::set_limit");
	}

	pool_usage usage() const
	{
		pool_usage now = {};
		now.size = sizeof(now);
		detail::checked(cxlm_pool_stat(get(), &now),
				"cxlm::pool::usage");
		return now;
	}

	// Whether an address is one of its blocks'.
	bool owns(const void *p) const noexcept
	{
		return get() && cxlm_pool_of(p) == get();
	}

    private:
	struct destroyed {
		void operator()(::cxlm_pool *p) const noexcept
		{
			(void)cxlm_pool_destroy(p);
		}
	};

	std::unique_ptr<::cxlm_pool, destroyed> pool_;
};

// An allocator over a pool, which has to outlive it. Those of one pool are equal.
template <class T> class pool_allocator {
    public:
	using value_type = T;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;
	using propagate_on_container_copy_assignment = std::false_type;
	using propagate_on_container_move_assignment = std::true_type;
	using propagate_on_container_swap = std::true_type;
	using is_always_equal = std::false_type;

	pool_allocator(const cxlm::pool &from) noexcept : pool_(from.get()) {}

	explicit pool_allocator(::cxlm_pool *from) noexcept : pool_(from) {}

	template <class U>
	pool_allocator(const pool_allocator<U> &other) noexcept
		: pool_(other.get())
	{
	}

	[[nodiscard]] T *allocate(size_type n)
	{
		return static_cast<T *>(cxlm::pool::allocate(
			pool_, detail::size_of<T>(n), alignof(T)));
	}

	void deallocate(T *p, size_type) noexcept
	{
		cxlm_free(p);
	}

	constexpr size_type max_size() const noexcept
	{
		return detail::max_size<T>();
	}

	::cxlm_pool *get() const noexcept
	{
		return pool_;
	}

    private:
	::cxlm_pool *pool_;
};

template <class T, class U>
bool operator==(const pool_allocator<T> &a, const pool_allocator<U> &b) noexcept
{
	return a.get() == b.get();
}

template <class T, class U>
bool operator!=(const pool_allocator<T> &a, const pool_allocator<U> &b) noexcept
{
	return a.get() != b.get();
}

template <class T, class... Args>
std::enable_if_t<!std::is_array_v<T>, unique_ptr<T>>
make_unique(pool_allocator<T> where, Args &&...args)
{
	return detail::make_unique<T>(where, std::forward<Args>(args)...);
}

template <class T>
std::enable_if_t<std::is_array_v<T> && std::extent_v<T> == 0, unique_ptr<T>>
make_unique(pool_allocator<std::remove_extent_t<T>> where, std::size_t n)
{
	return detail::make_unique_array<std::remove_extent_t<T>>(where, n);
}

template <class T, class... Args>
std::shared_ptr<T> make_shared(pool_allocator<std::remove_extent_t<T>> where,
			       Args &&...args)
{
	return std::allocate_shared<T>(where, std::forward<Args>(args)...);
}

#if CXLM_HAS_MEMORY_RESOURCE

// A pool for std::pmr; the pool has to outlive it. Those of one pool are equal.
class pool_resource : public std::pmr::memory_resource {
    public:
	explicit pool_resource(const cxlm::pool &from) noexcept
		: pool_(from.get())
	{
	}

	explicit pool_resource(::cxlm_pool *from) noexcept : pool_(from) {}

	::cxlm_pool *get() const noexcept
	{
		return pool_;
	}

    private:
	void *do_allocate(std::size_t size, std::size_t alignment) override
	{
		return cxlm::pool::allocate(pool_, size, alignment);
	}

	void do_deallocate(void *p, std::size_t, std::size_t) override
	{
		cxlm_free(p);
	}

	bool do_is_equal(const std::pmr::memory_resource &other)
		const noexcept override
	{
#if defined(__cpp_rtti)
		auto *that = dynamic_cast<const pool_resource *>(&other);
		return that && that->pool_ == pool_;
#else
		return this == &other;
#endif
	}

	::cxlm_pool *pool_;
};

#endif // CXLM_HAS_MEMORY_RESOURCE

} // namespace cxlm

#endif
