// SPDX-License-Identifier: BSD-2-Clause
//
// pools - cxlm::pool, its allocator and its resource
#include <cerrno>
#include <cstring>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"

namespace {

template <class T> using in_pool = cxlm::pool_allocator<T>;
template <class T> using vector = std::vector<T, in_pool<T>>;

cxlm::pool_options options(cxlm::tier on, std::uint64_t limit = CXLM_NO_LIMIT,
			   const char *name = nullptr)
{
	cxlm::pool_options o;
	o.on = on;
	o.limit = limit;
	o.name = name;
	return o;
}

template <class Container>
bool all_in(const cxlm::pool &pool, const Container &container)
{
	for (auto &element : container)
		if (!pool.owns(&element))
			return false;
	return true;
}

void test_blocks()
{
	cxlm::pool pool(options(cxl, 64 << 20, "suite"));
	auto usage = pool.usage();
	check(usage.limit == 64 << 20 && !std::strcmp(usage.name, "suite") &&
		      usage.in_use == 0,
	      "a pool as it was asked for");
	bool right = true;
	for (std::size_t alignment = 1; alignment <= 8192; alignment *= 2) {
		void *p = pool.allocate(100, alignment);
		right = right && pool.owns(p) && is_on(cxl, p) &&
			reinterpret_cast<std::uintptr_t>(p) % alignment == 0;
		pool.deallocate(p);
	}
	check(right, "blocks of any alignment, on its tier");
	check(left_in(pool) == 0, "and none is left");
	int here;
	check(!pool.owns(&here) && !pool.owns(nullptr),
	      "it does not own what is not its own");

	pool.set_limit(1 << 20);
	check(pool.usage().limit == 1 << 20 &&
		      throws<std::bad_alloc>([&] {
			      (void)pool.allocate(2 << 20);
		      }),
	      "its limit is bad_alloc");
	(void)pool.allocate(100000);
	check(pool.usage().in_use >= 100000, "what it holds is counted");
	pool.reset();
	check(pool.usage().in_use == 0, "a reset ends all blocks");
	void *p = pool.allocate(100);
	check(pool.owns(p), "and the pool goes on");
}

void test_life()
{
	cxlm::pool a(options(cxl)), b(options(ddr));
	auto *native = a.get();
	void *p = a.allocate(100);
	b = std::move(a);
	check(b.get() == native && b.owns(p) && !a.get() && !a.owns(p),
	      "a pool is moved with its blocks");
	cxlm::pool c(b.release());
	check(c.get() == native && !b.get(), "released, and taken again");

	// 255 there may be at once, so these go.
	for (int i = 0; i < 1000; i++) {
		cxlm::pool passing(options(i % 2 ? cxl : ddr));
		(void)passing.allocate(1000);
	}
	check(true, "a thousand pools come and go");
	check(throws_errno(EINVAL, [] {
		      cxlm::pool unknown(options(cxlm::tier{ 7 }));
	      }),
	      "not a tier: system_error with EINVAL");
	check(throws_errno(EINVAL, [] {
		      cxlm::pool_options o;
		      o.nodes = { 1000 };
		      cxlm::pool nowhere(o);
	      }),
	      "no such node: EINVAL");
	check(throws_errno(EINVAL, [] {
		      cxlm::node_set{ cxlm::node_set::max };
	      }),
	      "what no kernel has as a node");
	cxlm::node_set set = { 0, 3, 200 };
	check(set.contains(0) && !set.contains(1) && set.contains(200) &&
		      set.data()[0] == 9 && cxlm::node_set().empty(),
	      "a set of nodes is mbind's");
#if __cplusplus >= 202002L
	cxlm::pool designated({ .on = cxl, .limit = 1 << 20, .name = "d" });
	check(designated.usage().limit == 1 << 20, "designated initializers");
#endif
}

void test_on_node()
{
	cxlm::pool_options o;
	for (int node = 0; node < cxlm::nr_nodes(); node++)
		if (o.nodes.empty())
			try {
				(void)cxlm::node_info(node);
				o.nodes.insert(node);
			} catch (const std::system_error &) {
			}
	o.policy = cxlm::pool_policy::preferred;
	cxlm::pool pool(o);
	vector<char> v(100000, 'x', pool);
	auto node = cxlm::node_of(v.data() + 50000);
	check(all_in(pool, v) && node && o.nodes.contains(*node),
	      "a pool on a node, and its pages there");
}

struct counted {
	static inline int until;

	explicit counted(int) { tick(); }
	counted(const counted &) { tick(); }

	static void tick()
	{
		if (--until == 0)
			throw std::runtime_error("enough");
	}

	char bytes[1000];
};

void test_containers_in()
{
	cxlm::pool pool(options(cxl)), other(options(ddr));
	{
		vector<int> v(in_pool<int>{ pool });
		for (int i = 0; i < 100000; i++)
			v.push_back(i);
		std::map<int, int, std::less<int>,
			 in_pool<std::pair<const int, int>>>
			m(pool);
		std::list<int, in_pool<int>> l(pool);
		for (int i = 0; i < 1000; i++) {
			m.emplace(i, i);
			l.push_back(i);
		}
		check(all_in(pool, v) && all_in(pool, m) && all_in(pool, l) &&
			      v[99999] == 99999,
		      "vector, map and list in a pool");

		vector<int> w(10, 1, other);
		w = v;
		check(all_in(other, w) && w == v,
		      "a copy is in its target's pool");
		w = std::move(v);
		check(all_in(pool, w) && w.get_allocator().get() == pool.get(),
		      "a move goes to the source's pool");
		vector<int> moved(std::move(w), other);
		check(all_in(other, moved) && moved.size() == 100000,
		      "to another pool elements are moved one by one");
		auto p = cxlm::make_unique<std::string>(pool, 100, 'x');
		auto s = cxlm::make_shared<std::string>(pool, 100, 'x');
		auto a = cxlm::make_unique<int[]>(pool, 100);
		check(pool.owns(p.get()) && pool.owns(s.get()) &&
			      pool.owns(a.get()),
		      "smart pointers in a pool");
		check(in_pool<int>(pool) == in_pool<char>(pool) &&
			      in_pool<int>(pool) != in_pool<int>(other),
		      "allocators of one pool are equal");
	}
	check(left_in(pool) == 0 && left_in(other) == 0,
	      "all of them gave everything back");

	for (int when : { 1, 50, 100, 150, 199 }) {
		counted::until = when;
		try {
			vector<counted> v(in_pool<counted>{ pool });
			for (int i = 0; i < 100; i++)
				v.emplace_back(i);
		} catch (const std::runtime_error &) {
		}
		counted::until = when > 100 ? 0 : 1;
		try {
			(void)cxlm::make_unique<counted>(pool, 1);
			(void)cxlm::make_shared<counted>(pool, 1);
		} catch (const std::runtime_error &) {
		}
	}
	check(left_in(pool) == 0, "nothing leaks when constructors throw");
}

void test_resource()
{
#if CXLM_HAS_MEMORY_RESOURCE
	cxlm::pool pool(options(cxl)), other(options(cxl));
	cxlm::pool_resource in(pool), again(pool), elsewhere(other);
	{
		std::pmr::vector<std::pmr::string> v(&in);
		for (int i = 0; i < 1000; i++)
			v.emplace_back(std::size_t(100), 'x');
		bool inner = true;
		for (auto &e : v)
			inner = inner && pool.owns(e.data());
		check(all_in(pool, v) && inner, "pmr containers in a pool");
		std::pmr::vector<std::pmr::string> w(&elsewhere);
		w = std::move(v);
		check(all_in(other, w) && w.size() == 1000,
		      "a move to another pool copies");
	}
	check(in == again && in != elsewhere && in != *cxlm::resource(cxl),
	      "resources of one pool are equal");
	check(left_in(pool) == 0 && left_in(other) == 0,
	      "they gave everything back");
#else
	skip("std::pmr in a pool",
	     "this library of C++ has no <memory_resource>");
#endif
}

void test_threads()
{
	cxlm::pool pool(options(cxl));
	std::vector<std::thread> threads;
	bool right[4] = {};
	for (int t = 0; t < 4; t++)
		threads.emplace_back([&pool, &right, t] {
			bool good = true;
			for (int i = 0; i < 200; i++) {
				vector<int> v(static_cast<std::size_t>(i + 1),
					      t, pool);
				good = good && all_in(pool, v) &&
				       v.back() == t;
			}
			right[t] = good;
		});
	for (auto &thread : threads)
		thread.join();
	check(right[0] && right[1] && right[2] && right[3] &&
		      left_in(pool) == 0,
	      "four threads share a pool");
}

} // namespace

void test_pools()
{
	test_blocks();
	test_life();
	test_on_node();
	test_containers_in();
	test_resource();
	test_threads();
}
