// SPDX-License-Identifier: BSD-2-Clause
//
// memory - allocators, memory resources and smart pointers
//
//	std::vector<int, cxlm::allocator<int>> v(cxlm::tier::cxl);
//	std::vector<int, cxlm::cxl_allocator<int>> w;
//	std::pmr::string s("text", cxlm::resource(cxlm::tier::cxl));
//	auto p = cxlm::make_unique<node>(cxlm::tier::cxl, 1, 2);
#ifndef CXLMALLOC_MEMORY_HPP
#define CXLMALLOC_MEMORY_HPP

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "tier.hpp"

#if __has_include(<memory_resource>)
#include <memory_resource>
#define CXLM_HAS_MEMORY_RESOURCE 1
#else
#define CXLM_HAS_MEMORY_RESOURCE 0
#endif

namespace cxlm {

namespace detail {

template <class T> constexpr std::size_t max_size() noexcept
{
	return std::numeric_limits<std::ptrdiff_t>::max() / sizeof(T);
}

template <class T> std::size_t size_of(std::size_t n)
{
	if (n > std::numeric_limits<std::size_t>::max() / sizeof(T))
		fail<std::bad_array_new_length>();
	return n * sizeof(T);
}

} // namespace detail

// An allocator for containers, its tier chosen when the program runs.
//
// A block may be freed through any of them, so all of them are equal: containers
// are moved and swapped without a copy, list nodes are spliced, whatever their
// tiers. A tier goes where its blocks go: with a move assignment and a swap. A copy
// assignment copies to the tier of its target. What moves blocks without the
// allocator (splice, merge, extract, the move constructor that is given an
// allocator) leaves them where they are: cxlm::tier_of tells.
template <class T> class allocator {
    public:
	using value_type = T;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;
	using propagate_on_container_copy_assignment = std::false_type;
	using propagate_on_container_move_assignment = std::true_type;
	using propagate_on_container_swap = std::true_type;
	using is_always_equal = std::true_type;

	constexpr allocator() noexcept = default;

	constexpr allocator(tier on,
			    placement how = placement::preferred) noexcept
		: on_(on), how_(how)
	{
	}

	template <class U>
	constexpr allocator(const allocator<U> &other) noexcept
		: on_(other.on()), how_(other.how())
	{
	}

	[[nodiscard]] T *allocate(size_type n)
	{
		return static_cast<T *>(detail::allocate(
			on_, how_, detail::size_of<T>(n), alignof(T)));
	}

	void deallocate(T *p, size_type) noexcept
	{
		cxlm_free(p);
	}

	constexpr size_type max_size() const noexcept
	{
		return detail::max_size<T>();
	}

	constexpr tier on() const noexcept
	{
		return on_;
	}

	constexpr placement how() const noexcept
	{
		return how_;
	}

    private:
	tier on_ = tier::policy;
	placement how_ = placement::preferred;
};

template <class T, class U>
constexpr bool operator==(const allocator<T> &, const allocator<U> &) noexcept
{
	return true;
}

template <class T, class U>
constexpr bool operator!=(const allocator<T> &, const allocator<U> &) noexcept
{
	return false;
}

// The same, its tier part of the type: without state, and containers that are
// default constructed are on it.
template <class T, tier On, placement How = placement::preferred>
class tier_allocator {
    public:
	using value_type = T;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;
	using propagate_on_container_move_assignment = std::true_type;
	using is_always_equal = std::true_type;

	template <class U> struct rebind {
		using other = tier_allocator<U, On, How>;
	};

	constexpr tier_allocator() noexcept = default;

	template <class U>
	constexpr tier_allocator(const tier_allocator<U, On, How> &) noexcept
	{
	}

	[[nodiscard]] T *allocate(size_type n)
	{
		return static_cast<T *>(detail::allocate(
			On, How, detail::size_of<T>(n), alignof(T)));
	}

	void deallocate(T *p, size_type) noexcept
	{
		cxlm_free(p);
	}

	constexpr size_type max_size() const noexcept
	{
		return detail::max_size<T>();
	}

	static constexpr tier on() noexcept
	{
		return On;
	}

	static constexpr placement how() noexcept
	{
		return How;
	}
};

template <class T, class U, tier On, placement How>
constexpr bool operator==(const tier_allocator<T, On, How> &,
			  const tier_allocator<U, On, How> &) noexcept
{
	return true;
}

template <class T, class U, tier On, placement How>
constexpr bool operator!=(const tier_allocator<T, On, How> &,
			  const tier_allocator<U, On, How> &) noexcept
{
	return false;
}

template <class T> using ddr_allocator = tier_allocator<T, tier::ddr>;
template <class T> using cxl_allocator = tier_allocator<T, tier::cxl>;

#if CXLM_HAS_MEMORY_RESOURCE

// A tier for std::pmr. Those of one tier and placement are equal. A pmr container
// keeps its resource for life, so that its memory is always on that tier: a move
// assignment between tiers copies.
class memory_resource : public std::pmr::memory_resource {
    public:
	explicit memory_resource(
		tier on, placement how = placement::preferred) noexcept
		: on_(on), how_(how)
	{
	}

	tier on() const noexcept
	{
		return on_;
	}

	placement how() const noexcept
	{
		return how_;
	}

    private:
	void *do_allocate(std::size_t size, std::size_t alignment) override
	{
		return detail::allocate(on_, how_, size, alignment);
	}

	void do_deallocate(void *p, std::size_t, std::size_t) override
	{
		cxlm_free(p);
	}

	bool do_is_equal(const std::pmr::memory_resource &other)
		const noexcept override
	{
#if defined(__cpp_rtti)
		auto *that = dynamic_cast<const memory_resource *>(&other);
		return that && that->on_ == on_ && that->how_ == how_;
#else
		return this == &other;
#endif
	}

	tier on_;
	placement how_;
};

namespace detail {

// Never destroyed: containers of static storage may need it after anything.
template <tier On, placement How> memory_resource *lasting_resource() noexcept
{
	static union lasting {
		memory_resource resource;
		lasting() noexcept : resource(On, How) {}
		~lasting() {}
	} one;
	return &one.resource;
}

template <tier On> memory_resource *lasting_resource(placement how) noexcept
{
	return how == placement::strict ?
		       lasting_resource<On, placement::strict>() :
		       lasting_resource<On, placement::preferred>();
}

} // namespace detail

// The process's own resource of a tier, as std::pmr::new_delete_resource() is.
inline memory_resource *
resource(tier on, placement how = placement::preferred) noexcept
{
	return on == tier::cxl ? detail::lasting_resource<tier::cxl>(how) :
	       on == tier::ddr ? detail::lasting_resource<tier::ddr>(how) :
				 detail::lasting_resource<tier::policy>(how);
}

#endif // CXLM_HAS_MEMORY_RESOURCE

namespace detail {

// Where the block of an object begins; of a base class it may be another address.
template <class T> void *block_of(T *p) noexcept
{
	auto *object = const_cast<std::remove_cv_t<T> *>(p);
	if constexpr (std::is_polymorphic_v<T>)
		return dynamic_cast<void *>(object);
	else
		return object;
}

} // namespace detail

// For std::unique_ptr: destroys the object and frees its block, of any tier or pool.
template <class T> struct deleter {
	constexpr deleter() noexcept = default;

	template <class U,
		  class = std::enable_if_t<
			  std::is_convertible_v<U *, T *> &&
			  (std::is_same_v<std::remove_cv_t<U>,
					  std::remove_cv_t<T>> ||
			   std::has_virtual_destructor_v<T>)>>
	constexpr deleter(const deleter<U> &) noexcept
	{
	}

	void operator()(T *p) const noexcept
	{
		void *block = detail::block_of(p);
		std::destroy_at(p);
		cxlm_free(block);
	}
};

template <class T> struct deleter<T[]> {
	std::size_t size = 0;

	void operator()(T *p) const noexcept
	{
		for (std::size_t i = size; i > 0; i--)
			std::destroy_at(p + i - 1);
		cxlm_free(const_cast<std::remove_cv_t<T> *>(p));
	}
};

template <class T> using unique_ptr = std::unique_ptr<T, deleter<T>>;

namespace detail {

struct freed {
	void operator()(void *p) const noexcept
	{
		cxlm_free(p);
	}
};

template <class T, class Allocator, class... Args>
unique_ptr<T> make_unique(Allocator where, Args &&...args)
{
	std::unique_ptr<void, freed> block(where.allocate(1));
	T *p = ::new (block.get()) T(std::forward<Args>(args)...);
	(void)block.release();
	return unique_ptr<T>(p);
}

template <class Element, class Allocator>
unique_ptr<Element[]> make_unique_array(Allocator where, std::size_t n)
{
	std::unique_ptr<void, freed> block(where.allocate(n));
	auto *p = static_cast<Element *>(block.get());
	std::uninitialized_value_construct_n(p, n);
	(void)block.release();
	return unique_ptr<Element[]>(p, deleter<Element[]>{ n });
}

} // namespace detail

// As std::make_unique, on a tier: make_unique<T>(tier::cxl, arguments...), or
// make_unique<T>({ tier::cxl, placement::strict }, arguments...)
template <class T, class... Args>
std::enable_if_t<!std::is_array_v<T>, unique_ptr<T>>
make_unique(allocator<T> where, Args &&...args)
{
	return detail::make_unique<T>(where, std::forward<Args>(args)...);
}

// An array; its elements are value-initialized.
template <class T>
std::enable_if_t<std::is_array_v<T> && std::extent_v<T> == 0, unique_ptr<T>>
make_unique(allocator<std::remove_extent_t<T>> where, std::size_t n)
{
	return detail::make_unique_array<std::remove_extent_t<T>>(where, n);
}

// As std::make_shared: object and counts are one block of the tier.
template <class T, class... Args>
std::shared_ptr<T> make_shared(allocator<std::remove_extent_t<T>> where,
			       Args &&...args)
{
	return std::allocate_shared<T>(where, std::forward<Args>(args)...);
}

} // namespace cxlm

#endif
