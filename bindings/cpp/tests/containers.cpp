// SPDX-License-Identifier: BSD-2-Clause
//
// containers - cxlm::allocator under the standard's containers
#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "check.hpp"

namespace {

template <class T> using on_tier = cxlm::allocator<T>;
template <class T> using vector = std::vector<T, on_tier<T>>;
template <class T> using list = std::list<T, on_tier<T>>;
template <class K, class V>
using map = std::map<K, V, std::less<K>, on_tier<std::pair<const K, V>>>;
template <class K, class V>
using unordered_map =
	std::unordered_map<K, V, std::hash<K>, std::equal_to<K>,
			   on_tier<std::pair<const K, V>>>;
using string = std::basic_string<char, std::char_traits<char>, on_tier<char>>;

const char text[] = "longer than what a string holds without an allocation";

using traits = std::allocator_traits<on_tier<int>>;
static_assert(traits::is_always_equal::value, "");
static_assert(traits::propagate_on_container_move_assignment::value, "");
static_assert(traits::propagate_on_container_swap::value, "");
static_assert(!traits::propagate_on_container_copy_assignment::value, "");
static_assert(std::is_same_v<traits::rebind_alloc<char>, on_tier<char>>, "");
static_assert(std::is_same_v<traits::pointer, int *>, "");
static_assert(std::is_same_v<traits::size_type, std::size_t>, "");
static_assert(std::is_nothrow_copy_constructible_v<on_tier<int>>, "");
static_assert(std::is_nothrow_move_assignable_v<vector<int>>, "");
static_assert(std::is_nothrow_swappable_v<vector<int>>, "");

using fixed = std::allocator_traits<cxlm::cxl_allocator<int>>;
static_assert(std::is_empty_v<cxlm::cxl_allocator<int>>, "");
static_assert(sizeof(std::vector<int, cxlm::cxl_allocator<int>>) ==
		      sizeof(std::vector<int>),
	      "");
static_assert(std::is_same_v<fixed::rebind_alloc<char>,
			     cxlm::cxl_allocator<char>>,
	      "");

bool same(const vector<int> &v, int n)
{
	for (int i = 0; i < n; i++)
		if (v[static_cast<std::size_t>(i)] != i)
			return false;
	return v.size() == static_cast<std::size_t>(n);
}

void test_growth()
{
	vector<int> far(cxl), near(ddr);
	for (int i = 0; i < 100000; i++) {
		far.push_back(i);
		near.push_back(i);
	}
	check(same(far, 100000) && all_on(cxl, far),
	      "a vector on CXL grows there");
	check(same(near, 100000) && all_on(ddr, near),
	      "a vector on DDR grows there");
	far.resize(10);
	far.shrink_to_fit();
	check(same(far, 10) && all_on(cxl, far), "and shrinks there");

	std::vector<int, cxlm::cxl_allocator<int>> fixed_far(1000, 7);
	std::vector<int, cxlm::ddr_allocator<int>> fixed_near(1000, 7);
	check(all_on(cxl, fixed_far) && all_on(ddr, fixed_near),
	      "the tier may be part of the type");

	vector<int> by_policy(1000);
	check(cxlm::tier_of(by_policy.data()).has_value(),
	      "without a tier the policy chooses one");
}

void test_nodes()
{
	map<int, string> ordered(cxl);
	unordered_map<int, string> hashed(cxl);
	list<string> linked(cxl);
	std::deque<int, on_tier<int>> deque(cxl);
	for (int i = 0; i < 1000; i++) {
		string value(text, on_tier<char>(cxl));
		value += std::to_string(i).c_str();
		ordered.emplace(i, value);
		hashed.emplace(i, value);
		linked.push_back(std::move(value));
		deque.push_back(i);
	}
	check(ordered.size() == 1000 && all_on(cxl, ordered), "map");
	check(hashed.size() == 1000 && all_on(cxl, hashed), "unordered_map");
	check(linked.size() == 1000 && all_on(cxl, linked), "list");
	check(deque.size() == 1000 && all_on(cxl, deque), "deque");
	bool strings = true;
	for (auto &[key, value] : ordered)
		strings = strings && is_on(cxl, value.data()) &&
			  value == hashed.at(key) &&
			  value == (text + std::to_string(key)).c_str();
	check(strings, "strings in them, with their contents");

	// The allocator's tier comes with each rebound copy of it.
	hashed.rehash(10000);
	check(all_on(cxl, hashed) && hashed.get_allocator().on() == cxl,
	      "a rehash keeps the tier");
}

// A move carries the blocks and their tier; what is allocated next is on it.
template <class Container, class Grow>
bool moves(Grow grow)
{
	typename Container::allocator_type on_ddr(ddr), on_cxl(cxl);
	Container from(on_cxl), to(on_ddr);
	for (int i = 0; i < 100; i++) {
		grow(from, i);
		grow(to, i);
	}
	const void *first = &*from.begin();
	to = std::move(from);
	bool stolen = &*to.begin() == first && to.size() == 100 &&
		      to.get_allocator().on() == cxl;
	for (int i = 100; i < 5000; i++)
		grow(to, i);
	Container other(on_ddr);
	for (int i = 0; i < 100; i++)
		grow(other, i);
	std::swap(other, to);
	return stolen && other.size() == 5000 && all_on(cxl, other) &&
	       other.get_allocator().on() == cxl && all_on(ddr, to) &&
	       to.get_allocator().on() == ddr;
}

template <class Container, class Grow>
bool copies(Grow grow)
{
	typename Container::allocator_type on_ddr(ddr), on_cxl(cxl);
	Container from(on_cxl), to(on_ddr);
	for (int i = 0; i < 1000; i++)
		grow(from, i);
	to = from;
	Container again(from), elsewhere(from, on_ddr);
	return all_on(ddr, to) && to.get_allocator().on() == ddr &&
	       all_on(cxl, again) && all_on(ddr, elsewhere) &&
	       to.size() == 1000 && again.size() == 1000 &&
	       elsewhere.size() == 1000;
}

void test_moves()
{
	auto back = [](auto &c, int i) { c.push_back(i); };
	auto character = [](auto &c, int i) {
		c.push_back(static_cast<char>('a' + i % 26));
	};
	auto pair = [](auto &c, int i) { c.emplace(i, i); };
	check(moves<vector<int>>(back), "vector: a move takes the tier along");
	check(moves<list<int>>(back), "list: a move takes the tier along");
	check(moves<std::deque<int, on_tier<int>>>(back),
	      "deque: a move takes the tier along");
	check(moves<string>(character), "string: a move takes the tier along");
	check(moves<map<int, int>>(pair), "map: a move takes the tier along");
	check(moves<unordered_map<int, int>>(pair),
	      "unordered_map: a move takes the tier along");
	check(copies<vector<int>>(back), "vector: a copy is on its own tier");
	check(copies<list<int>>(back), "list: a copy is on its own tier");
	check(copies<string>(character), "string: a copy is on its own tier");
	check(copies<map<int, int>>(pair), "map: a copy is on its own tier");
	check(copies<unordered_map<int, int>>(pair),
	      "unordered_map: a copy is on its own tier");

	list<int> far({ 1, 2, 3 }, cxl), near({ 4, 5, 6 }, ddr);
	near.splice(near.end(), far);
	check(far.empty() && near == list<int>({ 4, 5, 6, 1, 2, 3 }) &&
		      is_on(ddr, &near.front()) && is_on(cxl, &near.back()),
	      "list nodes of two tiers are spliced");
	map<int, int> a(cxl), b(ddr);
	a.emplace(1, 1);
	b.emplace(2, 2);
	b.merge(a);
	check(a.empty() && b.size() == 2, "map nodes of two tiers are merged");
	b.clear();
	check(on_tier<int>(ddr) == on_tier<char>(cxl) &&
		      !(on_tier<int>(ddr) != on_tier<int>(cxl)),
	      "allocators of all tiers are equal");
}

struct alignas(4096) page {
	char bytes[4096];
};

struct alignas(64) line {
	int value;
};

void test_alignment()
{
	bool aligned = true;
	for (std::size_t n = 1; n < 50; n++) {
		vector<page> pages(n, cxl);
		vector<line> lines(n, ddr);
		vector<std::max_align_t> usual(n, cxl);
		auto at = [](const void *p) {
			return reinterpret_cast<std::uintptr_t>(p);
		};
		aligned = aligned && at(pages.data()) % alignof(page) == 0 &&
			  at(lines.data()) % alignof(line) == 0 &&
			  at(usual.data()) % alignof(std::max_align_t) == 0 &&
			  all_on(cxl, pages) && all_on(ddr, lines);
	}
	check(aligned, "over-aligned types are where they have to be");
}

void test_errors()
{
	on_tier<int> a(cxl);
	check(throws<std::bad_array_new_length>([&] {
		      (void)a.allocate(SIZE_MAX / sizeof(int) + 1);
	      }),
	      "a product that overflows is bad_array_new_length");
	check(throws<std::bad_alloc>([&] {
		      (void)a.allocate(SIZE_MAX / sizeof(int));
	      }),
	      "a size that nobody has is bad_alloc");
	check(throws<std::bad_alloc>([&] {
		      cxlm::cxl_allocator<page> pages;
		      (void)pages.allocate(SIZE_MAX / sizeof(page));
	      }),
	      "the same over-aligned");
	check(throws<std::length_error>([&] {
		      vector<int>(ddr).reserve(SIZE_MAX / 2 / sizeof(int) + 1);
	      }),
	      "a container says length_error before");
	int *none = a.allocate(0);
	check(none != nullptr, "no element at all is a block");
	a.deallocate(none, 0);
}

void test_threads()
{
	// Each block is freed by a thread that did not allocate it.
	constexpr int workers = 4, rounds = 200;
	std::vector<vector<vector<int>>> built(workers);
	std::vector<std::thread> threads;
	for (int w = 0; w < workers; w++)
		threads.emplace_back([&built, w] {
			vector<vector<int>> mine(w % 2 ? cxl : ddr);
			for (int i = 0; i < rounds; i++)
				mine.emplace_back(
					static_cast<std::size_t>(i + 1), w,
					on_tier<int>(i % 2 ? cxl : ddr));
			built[static_cast<std::size_t>(w)] = std::move(mine);
		});
	for (auto &thread : threads)
		thread.join();
	threads.clear();
	bool right = true;
	for (int w = 0; w < workers; w++)
		for (int i = 0; i < rounds; i++) {
			auto &v = built[static_cast<std::size_t>(w)]
				       [static_cast<std::size_t>(i)];
			right = right && all_on(i % 2 ? cxl : ddr, v) &&
				std::count(v.begin(), v.end(), w) == i + 1;
		}
	for (int w = 0; w < workers; w++)
		threads.emplace_back([&built, w] {
			built[static_cast<std::size_t>((w + 1) % workers)] =
				vector<vector<int>>(ddr);
		});
	for (auto &thread : threads)
		thread.join();
	check(right, "threads: blocks of both tiers, freed by others");
}

} // namespace

void test_containers()
{
	test_growth();
	test_nodes();
	test_moves();
	test_alignment();
	test_errors();
	test_threads();
}
