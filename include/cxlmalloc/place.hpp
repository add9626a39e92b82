// SPDX-License-Identifier: BSD-2-Clause
//
// place - where pages are, as the kernel says, and putting them elsewhere
//
// Ranges are an address and a length, or anything that has data() and size():
// a vector, a string, a span.
#ifndef CXLMALLOC_PLACE_HPP
#define CXLMALLOC_PLACE_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "tier.hpp"

namespace cxlm {

namespace detail {

template <class Range>
using elements_of =
	std::remove_pointer_t<decltype(std::data(std::declval<Range &>()))>;

template <class Range>
using enable_if_range = std::enable_if_t<
	std::is_object_v<elements_of<Range>> &&
	std::is_convertible_v<decltype(std::size(std::declval<Range &>())),
			      std::size_t>>;

template <class Range> std::size_t bytes_of(Range &range)
{
	return std::size(range) * sizeof(elements_of<Range>);
}

template <class Range> void *begin_of(Range &range)
{
	return const_cast<void *>(static_cast<const void *>(std::data(range)));
}

inline std::optional<int> node_or_none(int node) noexcept
{
	return node < 0 ? std::nullopt : std::optional(node);
}

} // namespace detail

// The node that has the page at an address; none where no page is yet.
inline std::optional<int> node_of(const void *p)
{
	int node = cxlm_node_of(p);
	if (node < 0 && errno != ENOENT)
		detail::fail_errno("cxlm::node_of");
	return detail::node_or_none(node);
}

inline std::optional<int> node_of(const void *p,
				  std::error_code &error) noexcept
{
	int node = cxlm_node_of(p);
	if (node < 0 && errno != ENOENT)
		error = detail::last_error();
	else
		error.clear();
	return detail::node_or_none(node);
}

struct residency {
	std::uint64_t total = 0;		// bytes that have pages
	std::vector<std::uint64_t> nodes;	// of these, on each node

	std::uint64_t on(int node) const noexcept
	{
		auto n = static_cast<std::size_t>(node);
		return node >= 0 && n < nodes.size() ? nodes[n] : 0;
	}
};

// How much of a range is on which node.
inline residency resident(const void *p, std::size_t len)
{
	residency found;
	found.nodes.resize(static_cast<std::size_t>(cxlm_nr_nodes()));
	found.total = static_cast<std::uint64_t>(detail::checked(
		cxlm_resident(p, len, found.nodes.data(),
			      static_cast<unsigned>(found.nodes.size())),
		"cxlm::resident"));
	return found;
}

template <class Range, class = detail::enable_if_range<Range>>
residency resident(const Range &range)
{
	return resident(detail::begin_of(range), detail::bytes_of(range));
}

// Moves the pages that lie whole in a range; addresses stay. Returns the bytes
// that are on the tier's nodes now.
inline std::uint64_t migrate(void *p, std::size_t len, tier to,
			     placement how = placement::preferred)
{
	return static_cast<std::uint64_t>(
		detail::checked(cxlm_migrate(p, len, detail::native(to),
					     detail::native(how)),
				"cxlm::migrate"));
}

// The same; 0 and an error where the other throws.
inline std::uint64_t migrate(void *p, std::size_t len, tier to, placement how,
			     std::error_code &error) noexcept
{
	std::int64_t moved = detail::checked(
		cxlm_migrate(p, len, detail::native(to), detail::native(how)),
		error);
	return moved < 0 ? 0 : static_cast<std::uint64_t>(moved);
}

template <class Range, class = detail::enable_if_range<Range>>
std::uint64_t migrate(Range &range, tier to,
		      placement how = placement::preferred)
{
	return migrate(detail::begin_of(range), detail::bytes_of(range), to,
		       how);
}

inline std::uint64_t migrate_node(void *p, std::size_t len, int node,
				  placement how = placement::preferred)
{
	return static_cast<std::uint64_t>(detail::checked(
		cxlm_migrate_node(p, len, node, detail::native(how)),
		"cxlm::migrate_node"));
}

template <class Range, class = detail::enable_if_range<Range>>
std::uint64_t migrate_node(Range &range, int node,
			   placement how = placement::preferred)
{
	return migrate_node(detail::begin_of(range), detail::bytes_of(range),
			    node, how);
}

// All pages of a range now rather than at first touch.
inline void populate(void *p, std::size_t len)
{
	detail::checked(cxlm_populate(p, len), "cxlm::populate");
}

enum class advice : int {
	hot = CXLM_HOT,			// used often from now on
	cold = CXLM_COLD,		// seldom
	willneed = CXLM_WILLNEED	// soon: back from swap
};

inline void advise(void *p, std::size_t len, advice use)
{
	detail::checked(cxlm_advise(p, len, static_cast<int>(use)),
			"cxlm::advise");
}

template <class Range, class = detail::enable_if_range<Range>>
void advise(Range &range, advice use)
{
	advise(detail::begin_of(range), detail::bytes_of(range), use);
}

} // namespace cxlm

#endif
