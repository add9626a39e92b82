// SPDX-License-Identifier: BSD-2-Clause
//
// check - TAP, and where things are
#ifndef CHECK_HPP
#define CHECK_HPP

#include <cstdio>

#include <cxlmalloc.hpp>

inline int checks, failures;

inline void check(bool holds, const char *what)
{
	checks++;
	failures += !holds;
	std::printf("%sok %d - %s\n", holds ? "" : "not ", checks, what);
	std::fflush(stdout);
}

// skip WHAT: only for what this library of C++ or this machine does not have
inline void skip(const char *what, const char *why)
{
	std::printf("ok %d - %s # SKIP %s\n", ++checks, what, why);
}

template <class Error, class Function> bool throws(Function call)
{
	try {
		call();
	} catch (const Error &) {
		return true;
	}
	return false;
}

template <class Function> bool throws_errno(int wanted, Function call)
{
	try {
		call();
	} catch (const std::system_error &error) {
		return error.code() == std::error_code(wanted,
						       std::generic_category());
	}
	return false;
}

inline bool is_on(cxlm::tier wanted, const void *p)
{
	return cxlm::tier_of(p) == wanted;
}

template <class Container>
bool all_on(cxlm::tier wanted, const Container &container)
{
	for (auto &element : container)
		if (!is_on(wanted, &element))
			return false;
	return true;
}

// Bytes in blocks of a pool. Freed ones that it keeps for the next come out when it
// has to refuse one.
inline std::uint64_t left_in(cxlm::pool &pool)
{
	auto limit = pool.usage().limit;
	pool.set_limit(1 << 20);
	cxlm_free(cxlm_pool_malloc(pool.get(), 64 << 20));
	pool.set_limit(limit);
	return pool.usage().in_use;
}

constexpr auto ddr = cxlm::tier::ddr;
constexpr auto cxl = cxlm::tier::cxl;

void test_containers();
void test_memory();
void test_pools();
void test_places();
void test_limits();
void test_untiered();

#endif
