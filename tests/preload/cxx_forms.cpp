// SPDX-License-Identifier: BSD-2-Clause
//
// cxx_forms - every form of operator new and delete, and how they fail
//
// Built with each C++ runtime: the exception must be caught as that runtime's
// std::bad_alloc, whoever threw it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "check.h"

static const std::size_t impossible = PTRDIFF_MAX - 4096;
static const std::align_val_t page{4096};
static int handler_calls;
static bool own_runtime;	// operator new is in the program itself

static void three_times_then_none()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

static void throws_bad_alloc()
{
	++handler_calls;
	throw std::bad_alloc();
}

struct handler_error {};

static void throws_its_own()
{
	throw handler_error();
}

static char *reserve;

static void gives_up_a_reserve()
{
	++handler_calls;
	std::free(reserve);
	reserve = nullptr;
	std::set_new_handler(throws_bad_alloc);
}

static bool usable(void *p, std::size_t n, std::size_t align)
{
	if (!p || !aligned(p, align))
		return false;
	fill(p, n, 6);
	return filled(p, n, 6);
}

static void every_form_makes_and_frees()
{
	bool plain = true, nothrow = true, over = true, over_nothrow = true;

	for (std::size_t n = 0; n < 4 << 20; n = n * 3 + 1) {
		std::size_t a = n >= 16 ? 16 : 1;
		void *p;

		plain &= usable(p = operator new(n), n, a);
		operator delete(p);
		plain &= usable(p = operator new[](n), n, a);
		operator delete[](p);
		plain &= usable(p = operator new(n), n, a);
		operator delete(p, n);
		plain &= usable(p = operator new[](n), n, a);
		operator delete[](p, n);
		nothrow &= usable(p = operator new(n, std::nothrow), n, a);
		operator delete(p, std::nothrow);
		nothrow &= usable(p = operator new[](n, std::nothrow), n, a);
		operator delete[](p, std::nothrow);
		for (std::size_t to = 8; to <= 65536; to *= 8) {
			std::align_val_t al{to};

			over &= usable(p = operator new(n, al), n, to);
			operator delete(p, al);
			over &= usable(p = operator new[](n, al), n, to);
			operator delete[](p, al);
			over &= usable(p = operator new(n, al), n, to);
			operator delete(p, n, al);
			over &= usable(p = operator new[](n, al), n, to);
			operator delete[](p, n, al);
			over_nothrow &= usable(
				p = operator new(n, al, std::nothrow), n, to);
			operator delete(p, al, std::nothrow);
			over_nothrow &= usable(
				p = operator new[](n, al, std::nothrow), n, to);
			operator delete[](p, al, std::nothrow);
		}
	}
	operator delete(nullptr);
	operator delete[](nullptr);
	operator delete(nullptr, std::size_t(8));
	operator delete(nullptr, page);
	operator delete(nullptr, std::nothrow);
	check(plain, "plain and sized forms");
	check(nothrow, "nothrow forms");
	check(over, "aligned and sized aligned forms");
	check(over_nothrow, "aligned nothrow forms");
}

template <class F> static bool throws(F make)
{
	try {
		make();
	} catch (const std::bad_alloc &e) {
		return std::string(e.what()).find("bad_alloc") !=
		       std::string::npos;
	} catch (...) {
		return false;
	}
	return false;
}

template <class F> static bool gives_null(F make)
{
	try {
		return make() == nullptr;
	} catch (...) {
		return false;
	}
}

static void failure_throws_or_gives_null()
{
	std::size_t n = hide(impossible);

	check(throws([=] { return operator new(n); }), "new throws bad_alloc");
	check(throws([=] { return operator new[](n); }), "new[] throws");
	check(throws([=] { return operator new(n, page); }),
	      "aligned new throws");
	check(throws([=] { return operator new[](n, page); }),
	      "aligned new[] throws");
	check(throws([] { return operator new(hide(SIZE_MAX)); }),
	      "new of SIZE_MAX throws");
	// libstdc++ rounds this up to 0 and succeeds (new_opa.cc of gcc 12).
	if (!own_runtime)
		check(throws([] { return operator new(hide(SIZE_MAX - 15),
						      page); }),
		      "aligned new of nearly SIZE_MAX throws");
	check(gives_null([=] { return operator new(n, std::nothrow); }) &&
	      gives_null([=] { return operator new[](n, std::nothrow); }),
	      "nothrow forms give null");
	check(gives_null([=] { return operator new(n, page, std::nothrow); }) &&
	      gives_null([=] { return operator new[](n, page, std::nothrow); }),
	      "aligned nothrow forms give null");
}

static bool calls_handler(void *(*make)(), bool null)
{
	bool failed;

	handler_calls = 0;
	std::set_new_handler(three_times_then_none);
	failed = null ? gives_null(make) : throws(make);
	std::set_new_handler(nullptr);
	return failed && handler_calls == 3;
}

static void the_new_handler_is_called()
{
	check(calls_handler([] { return operator new(hide(impossible)); },
			    false) &&
	      calls_handler([] { return operator new[](hide(impossible)); },
			    false),
	      "new calls the new_handler until it is gone, then throws");
	check(calls_handler([] { return operator new(hide(impossible), page); },
			    false),
	      "aligned new does");
	check(calls_handler([] { return operator new(hide(impossible),
						     std::nothrow); }, true) &&
	      calls_handler([] { return operator new[](hide(impossible), page,
						       std::nothrow); }, true),
	      "nothrow new does, then gives null");
	handler_calls = 0;
	std::set_new_handler(throws_bad_alloc);
	check(throws([] { return operator new(hide(impossible)); }) &&
	      gives_null([] { return operator new(hide(impossible),
						  std::nothrow); }) &&
	      gives_null([] { return operator new(hide(impossible), page,
						  std::nothrow); }) &&
	      handler_calls == 3,
	      "a handler that throws bad_alloc: new passes it on, nothrow "
	      "gives null");
	std::set_new_handler(throws_its_own);
	bool own = false;
	try {
		operator delete(operator new(hide(impossible)));
	} catch (const handler_error &) {
		own = true;
	}
	check(own, "a handler's own exception passes through new");
	handler_calls = 0;
	reserve = static_cast<char *>(std::malloc(1 << 20));
	std::set_new_handler(gives_up_a_reserve);
	check(throws([] { return operator new(hide(impossible)); }) &&
	      !reserve && handler_calls == 2,
	      "a handler may free and install another");
	std::set_new_handler(nullptr);
}

struct alignas(256) wide {
	unsigned char bytes[700];
	wide() { fill(bytes, sizeof(bytes), 4); }
	~wide() { good &= filled(bytes, sizeof(bytes), 4); }
	static bool good;
};
bool wide::good = true;

static void the_language_uses_them()
{
	std::vector<std::unique_ptr<wide[]>> arrays;
	std::map<std::string, std::vector<int>> map;
	bool aligned_all = true, thrown = false;
	std::size_t sum = 0;

	for (int i = 1; i < 50; i++) {
		arrays.emplace_back(new wide[i]);
		aligned_all &= aligned(arrays.back().get(), 256);
	}
	arrays.clear();
	check(aligned_all && wide::good, "arrays of an over-aligned class");
	for (int i = 0; i < 5000; i++)
		map["key number " + std::to_string(i)].resize(i % 100, i);
	for (auto &entry : map)
		sum += entry.second.size();
	check(sum == 247500, "containers");
	try {
		std::vector<char> v;
		v.reserve(hide(impossible));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	check(thrown, "a vector that cannot grow throws bad_alloc");
	thrown = false;
	try {
		volatile std::size_t n = SIZE_MAX / 4;
		delete[] new double[n];
	} catch (const std::bad_alloc &) {	// or bad_array_new_length
		thrown = true;
	}
	check(thrown, "an array of impossible length throws");
}

struct per_thread {
	std::string text = std::string(1000, 'x');
	std::vector<int> *v = new std::vector<int>(1000, 7);
	~per_thread()
	{
		std::string other(2000, 'y');
		if (text.size() + other.size() != 3000 || (*v)[999] != 7)
			std::abort();
		delete v;
	}
};
static thread_local per_thread data;

static void threads_fail_and_destroy()
{
	std::vector<std::thread> threads;
	bool good[8] = {};

	for (int i = 0; i < 8; i++)
		threads.emplace_back([&good, i] {
			good[i] = data.text.size() == 1000 && throws([] {
				return operator new(hide(impossible));
			});
		});
	for (auto &thread : threads)
		thread.join();
	bool all = true;
	for (bool one : good)
		all &= one;
	check(all, "threads throw and destroy thread_local objects");
}

int main(int argc, char **)
{
	own_runtime = argc > 1;
	every_form_makes_and_frees();
	failure_throws_or_gives_null();
	the_new_handler_is_called();
	the_language_uses_them();
	threads_fail_and_destroy();
	return check_done();
}
