// SPDX-License-Identifier: BSD-2-Clause
//
// info - tiers and nodes, events when they change, every value by its name
#ifndef CXLMALLOC_INFO_HPP
#define CXLMALLOC_INFO_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tier.hpp"

namespace cxlm {

using tier_usage = struct ::cxlm_tier_stat;
using tier_details = struct ::cxlm_tier_info;
using node_details = struct ::cxlm_node_info;

inline const char *version() noexcept
{
	return cxlm_version();
}

// What a tier holds now: a few counters, cheap to read.
inline tier_usage usage(tier of)
{
	tier_usage now = {};
	now.size = sizeof(now);
	detail::checked(cxlm_tier_stat(detail::native(of), &now),
			"cxlm::usage");
	return now;
}

// All that is known of a tier, the kernel asked.
inline tier_details info(tier of)
{
	tier_details now = {};
	now.size = sizeof(now);
	detail::checked(cxlm_tier_info(detail::native(of), &now),
			"cxlm::info");
	return now;
}

inline node_details node_info(int node)
{
	node_details now = {};
	now.size = sizeof(now);
	detail::checked(cxlm_node_info(node, &now), "cxlm::node_info");
	return now;
}

// One more than the highest node with memory.
inline int nr_nodes() noexcept
{
	return cxlm_nr_nodes();
}

// A file descriptor that is readable when something changed.
class events {
    public:
	events() : fd_(detail::checked(cxlm_events_open(), "cxlm::events")) {}

	events(events &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

	events &operator=(events &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}

	~events()
	{
		if (fd_ >= 0)
			(void)cxlm_events_close(fd_);
	}

	int fd() const noexcept
	{
		return fd_;
	}

	// Bits CXLM_EVENT_* of what happened since the last time; never waits.
	int read()
	{
		return detail::checked(cxlm_events_read(fd_),
				       "cxlm::events::read");
	}

    private:
	int fd_;
};

// Values by name, as cxlmalloc/ctl.h lists them: ctl_u64("tier.cxl.used").
inline std::uint64_t ctl_u64(const char *name)
{
	std::uint64_t value = 0;
	std::size_t len = sizeof(value);
	detail::checked(cxlm_ctl(name, &value, &len, nullptr, 0),
			"cxlm::ctl_u64");
	return value;
}

inline std::string ctl_string(const char *name)
{
	std::string value(64, '\0');
	std::size_t len = value.size();
	while (cxlm_ctl(name, value.data(), &len, nullptr, 0) < 0) {
		// It may have grown between two calls.
		if (errno != ERANGE || len <= value.size())
			detail::fail_errno("cxlm::ctl_string");
		value.resize(len);
	}
	value.resize(len ? len - 1 : 0);
	return value;
}

inline void ctl_set(const char *name, std::uint64_t value)
{
	detail::checked(cxlm_ctl(name, nullptr, nullptr, &value, sizeof(value)),
			"cxlm::ctl_set");
}

inline void ctl_set(const char *name, std::string_view value)
{
	detail::checked(cxlm_ctl(name, nullptr, nullptr, value.data(),
				 value.size()),
			"cxlm::ctl_set");
}

} // namespace cxlm

#endif
