// SPDX-License-Identifier: BSD-2-Clause
//
// memory - smart pointers, std::pmr and scopes
#include <cerrno>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"

namespace {

int alive;

struct counted {
	explicit counted(int v = 0) : value(v)
	{
		if (v == 13)
			throw std::runtime_error("unlucky");
		alive++;
	}

	counted(const counted &) = delete;
	counted &operator=(const counted &) = delete;

	virtual ~counted()
	{
		alive--;
	}

	int value;
};

struct other_base {
	virtual ~other_base() = default;
	long padding = 0;
};

struct derived : other_base, counted {
	using counted::counted;
};

struct plain {
	int a = 1, b = 2;
};

struct not_virtual : plain {
};

struct alignas(256) wide {
	char c = 'w';
};

// What cannot be freed through its base must not convert to it.
static_assert(!std::is_convertible_v<cxlm::unique_ptr<not_virtual>,
				     cxlm::unique_ptr<plain>>,
	      "");
static_assert(std::is_convertible_v<cxlm::unique_ptr<derived>,
				    cxlm::unique_ptr<counted>>,
	      "");
static_assert(std::is_convertible_v<cxlm::unique_ptr<plain>,
				    cxlm::unique_ptr<const plain>>,
	      "");
static_assert(sizeof(cxlm::unique_ptr<plain>) == sizeof(plain *), "");

void test_unique()
{
	auto p = cxlm::make_unique<counted>(cxl, 5);
	check(p->value == 5 && alive == 1 && is_on(cxl, p.get()),
	      "make_unique on CXL");
	auto strict = cxlm::make_unique<counted>(
		{ ddr, cxlm::placement::strict }, 6);
	check(strict->value == 6 && is_on(ddr, strict.get()),
	      "make_unique strictly on DDR");
	p.reset();
	strict.reset();
	check(alive == 0, "they are destroyed");

	cxlm::unique_ptr<counted> base = cxlm::make_unique<derived>(cxl, 7);
	check(base->value == 7 && alive == 1,
	      "a second base class is not where its block begins");
	base.reset();
	check(alive == 0, "and its block is freed through it");

	auto array = cxlm::make_unique<counted[]>(cxl, 100);
	check(alive == 100 && is_on(cxl, &array[0]) && is_on(cxl, &array[99]),
	      "make_unique of an array");
	array.reset();
	check(alive == 0, "all of it is destroyed");
	auto zeros = cxlm::make_unique<int[]>(ddr, 1000);
	bool zero = true;
	for (std::size_t i = 0; i < 1000; i++)
		zero = zero && zeros[i] == 0;
	check(zero, "elements are value-initialized");

	auto aligned = cxlm::make_unique<wide>(cxl);
	check(reinterpret_cast<std::uintptr_t>(aligned.get()) % 256 == 0 &&
		      aligned->c == 'w',
	      "an over-aligned object");
	check(throws<std::runtime_error>([] {
		      (void)cxlm::make_unique<counted>(cxl, 13);
	      }) && alive == 0,
	      "what a constructor throws comes through");
	check(throws<std::bad_array_new_length>([] {
		      (void)cxlm::make_unique<int[]>(cxl, SIZE_MAX / 2);
	      }),
	      "an array that is too long");
}

void test_shared()
{
	auto p = cxlm::make_shared<counted>(cxl, 9);
	std::weak_ptr<counted> weak = p;
	auto again = p;
	check(p->value == 9 && is_on(cxl, p.get()) && p.use_count() == 2,
	      "make_shared on CXL");
	std::thread([moved = std::move(again)]() mutable { moved.reset(); })
		.join();
	p.reset();
	check(alive == 0 && weak.expired(), "it is destroyed, and expired");
	std::shared_ptr<plain> from_unique = cxlm::make_unique<plain>(cxl);
	check(is_on(cxl, from_unique.get()),
	      "a shared_ptr takes a unique_ptr and its deleter");
}

#if CXLM_HAS_MEMORY_RESOURCE

const char text[] = "longer than what a string holds without an allocation";

void test_pmr()
{
	auto *far = cxlm::resource(cxl), *near = cxlm::resource(ddr);
	std::pmr::string s(text, far);
	std::pmr::vector<std::pmr::string> v(far);
	for (int i = 0; i < 1000; i++)
		v.emplace_back(text);
	bool inner = true;
	for (auto &e : v)
		inner = inner && is_on(cxl, e.data());
	check(is_on(cxl, s.data()) && all_on(cxl, v) && inner,
	      "pmr::string, pmr::vector and the strings in it");

	std::pmr::vector<std::pmr::string> w(near);
	w = std::move(v);
	inner = true;
	for (auto &e : w)
		inner = inner && is_on(ddr, e.data()) && e == text;
	check(w.size() == 1000 && all_on(ddr, w) && inner,
	      "a pmr container keeps its tier: a move to another copies");
	std::pmr::vector<std::pmr::string> x(near);
	const void *where = w.data();
	x = std::move(w);
	check(x.data() == where, "a move within the tier does not");

	cxlm::memory_resource mine(cxl);
	check(mine == *far && mine != *near && *far == *cxlm::resource(cxl) &&
		      mine != *std::pmr::new_delete_resource() &&
		      mine != *cxlm::resource(cxl, cxlm::placement::strict),
	      "resources of one tier and placement are equal");
	check(cxlm::resource(cxl)->on() == cxl &&
		      cxlm::resource(ddr)->on() == ddr &&
		      cxlm::resource(cxlm::tier::policy)->on() ==
			      cxlm::tier::policy,
	      "there is one for each tier");

	bool aligned = true;
	for (std::size_t alignment = 1; alignment <= 8192; alignment *= 2)
		for (std::size_t size : { 1, 8, 24, 5000 }) {
			void *p = far->allocate(size, alignment);
			aligned = aligned && is_on(cxl, p) &&
				  reinterpret_cast<std::uintptr_t>(p) %
						  alignment ==
					  0;
			far->deallocate(p, size, alignment);
		}
	check(aligned, "any alignment, also above the size");

	std::pmr::monotonic_buffer_resource over(1 << 16, far);
	std::pmr::unsynchronized_pool_resource pooled(far);
	std::pmr::map<int, std::pmr::string> m(&over), n(&pooled);
	for (int i = 0; i < 1000; i++) {
		m.emplace(i, text);
		n.emplace(i, text);
	}
	check(all_on(cxl, m) && all_on(cxl, n),
	      "it is upstream of the standard's resources");
	check(throws<std::bad_alloc>([&] {
		      volatile std::size_t size = SIZE_MAX / 2 + 1;
		      (void)far->allocate(size, 8);
	      }),
	      "a size that nobody has is bad_alloc");
}

#else

void test_pmr()
{
	skip("std::pmr", "this library of C++ has no <memory_resource>");
}

#endif

bool policy_is(cxlm::tier wanted)
{
	std::vector<int, cxlm::allocator<int>> v(1000);
	return is_on(wanted, v.data());
}

void test_scopes()
{
	bool was_ddr = policy_is(ddr);
	{
		cxlm::scope outer(cxl);
		bool first = policy_is(cxl);
		{
			cxlm::scope inner(ddr);
			first = first && policy_is(ddr);
		}
		bool thread = false;
		std::thread([&] { thread = policy_is(ddr) == was_ddr; }).join();
		check(first && policy_is(cxl), "a scope, and one in it");
		check(thread, "it is the thread's own");
		cxlm::allocator<int> a(ddr);
		int *p = a.allocate(1000);
		check(is_on(ddr, p), "a tier that is named goes before it");
		a.deallocate(p, 1000);
	}
	check(policy_is(ddr) == was_ddr, "its end");
	try {
		cxlm::scope s(was_ddr ? cxl : ddr);
		throw 1;
	} catch (int) {
	}
	check(policy_is(ddr) == was_ddr, "its end by an exception");

	check(throws_errno(EINVAL, [] { cxlm::scope s(cxlm::tier{ 7 }); }),
	      "not a tier: system_error with EINVAL");
	cxlm::scope failed(cxlm::tier{ 7 }, std::nothrow);
	check(!failed && failed.error().value() == EINVAL,
	      "or without an exception");
	int deep = 0;
	auto nest = [&deep](auto &again) -> void {
		cxlm::scope s(cxl, std::nothrow);
		if (s && ++deep < 1000)
			again(again);
	};
	nest(nest);
	check(deep == CXLM_SCOPES_MAX && policy_is(ddr) == was_ddr,
	      "as deep as they nest, and back");
	check(cxlm::hint("no such name", cxl) == cxl &&
		      cxlm::hint("no such name") == cxlm::tier::policy,
	      "a hint nobody gave");
}

} // namespace

void test_memory()
{
	test_unique();
	test_shared();
	test_pmr();
	test_scopes();
}
