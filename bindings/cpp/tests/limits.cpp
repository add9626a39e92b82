// SPDX-License-Identifier: BSD-2-Clause
//
// limits - strict allocators when a tier is full; run with a limit on CXL
#include <algorithm>
#include <array>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"

namespace {

template <class T> using on_tier = cxlm::allocator<T>;
constexpr auto strict = cxlm::placement::strict;
constexpr std::size_t block = 100000;

// Elements that are not copied one char at a time.
struct chunk {
	explicit chunk(char c) { std::fill(bytes, bytes + sizeof(bytes), c); }
	char bytes[1000];
};

std::uint64_t limit;

// More of them than this the limit cannot hold.
std::size_t too_many()
{
	return 2 * limit / block;
}

// How many blocks there are until there are no more.
template <class Vector> std::size_t exhaust(const Vector &one)
{
	std::list<Vector> all;
	try {
		while (all.size() < too_many())
			all.push_back(one);
	} catch (const std::bad_alloc &) {
	}
	return all.size();
}

bool within_limit()
{
	auto now = cxlm::usage(cxl);
	return now.limit == limit && now.peak <= limit;
}

void test_strict()
{
	using vector = std::vector<chunk, on_tier<chunk>>;
	vector one(block / sizeof(chunk), chunk('x'), { cxl, strict });
	std::size_t first = exhaust(one);
	check(first > 0 && first * block < limit && within_limit(),
	      "a strict allocator throws bad_alloc when its tier is full");
	std::size_t least = first;
	for (int i = 0; i < 20; i++)
		least = std::min(least, exhaust(one));
	check(least * 10 >= first * 9,
	      "twenty times over there is as much: nothing leaks");

	vector grows(on_tier<chunk>(cxl, strict));
	check(throws<std::bad_alloc>([&grows] {
		      while (grows.size() < 2 * limit / sizeof(chunk))
			      grows.push_back(chunk('x'));
	      }) && !grows.empty() &&
		      all_on(cxl, grows) && grows.back().bytes[999] == 'x',
	      "what a vector had is there after its bad_alloc");
	vector().swap(grows);

	vector gentle(block / sizeof(chunk), chunk('x'), cxl);
	std::list<vector> all;
	while (all.size() * block < 2 * limit)
		all.push_back(gentle);
	bool both = is_on(cxl, all.front().data()) &&
		    is_on(ddr, all.back().data());
	check(both && within_limit(),
	      "one that is not strict goes on elsewhere");
}

void test_other_forms()
{
	using fixed = cxlm::tier_allocator<chunk, cxl, strict>;
	std::vector<chunk, fixed> one(block / sizeof(chunk), chunk('x'));
	std::size_t first = exhaust(one);
	check(first > 0 && first * block < limit, "with the tier in its type");

	std::list<cxlm::unique_ptr<char[]>> unique;
	check(throws<std::bad_alloc>([&unique] {
		      while (unique.size() < too_many())
			      unique.push_back(cxlm::make_unique<char[]>(
				      { cxl, strict }, block));
	      }) && unique.size() * 10 > first * 9,
	      "make_unique");
	unique.clear();
	std::list<std::shared_ptr<std::array<char, block>>> shared;
	check(throws<std::bad_alloc>([&shared] {
		      while (shared.size() < too_many())
			      shared.push_back(
				      cxlm::make_shared<std::array<char, block>>(
					      { cxl, strict }));
	      }) && shared.size() * 10 > first * 9,
	      "make_shared");
	shared.clear();
#if CXLM_HAS_MEMORY_RESOURCE
	auto *resource = cxlm::resource(cxl, strict);
	std::pmr::vector<chunk> pmr(block / sizeof(chunk), chunk('x'), resource);
	std::list<std::pmr::vector<chunk>> pmrs;
	check(throws<std::bad_alloc>([&] {
		      while (pmrs.size() < too_many())
			      pmrs.emplace_back(pmr, resource);
	      }) && pmrs.size() * 10 > first * 9,
	      "a memory resource");
#else
	skip("a memory resource",
	     "this library of C++ has no <memory_resource>");
#endif
	check(within_limit(), "the limit was never passed");
}

void test_pool_limit()
{
	cxlm::pool_options options;
	options.on = cxl;
	options.limit = limit / 4;
	cxlm::pool pool(options);
	std::vector<chunk, cxlm::pool_allocator<chunk>> one(
		block / sizeof(chunk), chunk('x'), pool);
	auto in_use = pool.usage().in_use;
	std::size_t first = exhaust(one), least = first;
	for (int i = 0; i < 20; i++)
		least = std::min(least, exhaust(one));
	auto usage = pool.usage();
	check(first > 0 && first * block < limit / 4 && least * 10 >= first * 9,
	      "a pool's limit is bad_alloc, and nothing leaks");
	check(usage.in_use == in_use && usage.peak <= limit / 4,
	      "what it holds is what it held before");
}

void test_threads()
{
	std::size_t counts[4] = {};
	bool enough = true;
	for (int round = 0; round < 5; round++) {
		std::vector<std::thread> threads;
		for (auto &count : counts)
			threads.emplace_back([&count] {
				using vector = std::vector<chunk, on_tier<chunk>>;
				try {
					count = exhaust(
						vector(block / sizeof(chunk),
						       chunk('x'),
						       { cxl, strict }));
				} catch (const std::bad_alloc &) {
					count = 0; // others had it all
				}
			});
		for (auto &thread : threads)
			thread.join();
		enough = enough && within_limit();
		for (auto count : counts)
			enough = enough && count * block < limit;
	}
	check(enough, "threads exhaust it together, within the limit");
}

} // namespace

void test_limits()
{
	limit = cxlm::usage(cxl).limit;
	check(limit != CXLM_NO_LIMIT, "CXL has a limit");
	if (limit == CXLM_NO_LIMIT)
		return;
	test_strict();
	test_other_forms();
	test_pool_limit();
	test_threads();
}
