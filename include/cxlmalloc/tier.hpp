// SPDX-License-Identifier: BSD-2-Clause
//
// tier - tiers, and a scope for what a thread allocates
#ifndef CXLMALLOC_TIER_HPP
#define CXLMALLOC_TIER_HPP

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <optional>
#include <system_error>

#include "../cxlmalloc.h"

namespace cxlm {

enum class tier : int {
	policy = CXLM_TIER_POLICY,	// as the operator's policy has it
	ddr = CXLM_TIER_DDR,
	cxl = CXLM_TIER_CXL
};

enum class placement : int {
	preferred = 0,			// elsewhere when the tier has no room
	strict = CXLM_STRICT		// there or nowhere
};

namespace detail {

constexpr int native(tier on) noexcept
{
	return static_cast<int>(on);
}

constexpr int native(placement how) noexcept
{
	return static_cast<int>(how);
}

template <class Error, class... Args>
[[noreturn]] void fail(Args &&...args)
{
#if defined(__cpp_exceptions)
	throw Error(static_cast<Args &&>(args)...);
#else
	((void)args, ...);
	std::abort();
#endif
}

inline std::error_code last_error() noexcept
{
	return std::error_code(errno, std::generic_category());
}

[[noreturn]] inline void fail_errno(const char *what)
{
	fail<std::system_error>(last_error(), what);
}

// What a C function returned, -1 being a failure.
template <class Result> Result checked(Result result, const char *what)
{
	if (result == -1)
		fail_errno(what);
	return result;
}

template <class Result>
Result checked(Result result, std::error_code &error) noexcept
{
	if (result == -1)
		error = last_error();
	else
		error.clear();
	return result;
}

// The result of one of the C functions, which is NULL without memory.
template <class Pointer> Pointer checked_block(Pointer block)
{
	if (!block)
		fail<std::bad_alloc>();
	return block;
}

// malloc's alignment is enough for blocks whose size reaches it.
constexpr bool is_ordinary(std::size_t size, std::size_t alignment) noexcept
{
	return alignment <= alignof(std::max_align_t) && alignment <= size;
}

inline void *allocate(tier on, placement how, std::size_t size,
		      std::size_t alignment)
{
	return checked_block(
		is_ordinary(size, alignment) ?
			cxlm_malloc(native(on), size, native(how)) :
			cxlm_aligned_alloc(native(on), alignment, size,
					   native(how)));
}

} // namespace detail

// The tier whose memory an address is; none when it is neither's.
inline std::optional<tier> tier_of(const void *p) noexcept
{
	int t = cxlm_tier_of(p);
	return t < 0 ? std::nullopt : std::optional(static_cast<tier>(t));
}

// The operator's tier for data of that name, else the one given. Ask once.
inline tier hint(const char *name, tier otherwise = tier::policy) noexcept
{
	return static_cast<tier>(cxlm_hint(name, detail::native(otherwise)));
}

// While it lives, what this thread allocates tries that tier first: under
// libcxlmalloc.so all of it, without it what is allocated on tier::policy.
// Scopes of a thread end in the reverse order of their beginning.
class scope {
    public:
	explicit scope(tier on)
	{
		detail::checked(cxlm_push(detail::native(on)), "cxlm::scope");
	}

	scope(tier on, const std::nothrow_t &) noexcept
	{
		(void)detail::checked(cxlm_push(detail::native(on)), error_);
	}

	~scope()
	{
		if (*this)
			(void)cxlm_pop();
	}

	scope(const scope &) = delete;
	scope &operator=(const scope &) = delete;

	explicit operator bool() const noexcept
	{
		return !error_;
	}

	// Why a nothrow scope has no effect.
	const std::error_code &error() const noexcept
	{
		return error_;
	}

    private:
	std::error_code error_;
};

} // namespace cxlm

#endif
