// SPDX-License-Identifier: BSD-2-Clause
//
// cxx_plugin - C++ inside a C program, as a Python extension is
//
// Its runtime is loaded with RTLD_LOCAL, or is a static one inside it.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <vector>

static int handler_calls;

static void twice()
{
	if (++handler_calls == 2)
		std::set_new_handler(nullptr);
}

static std::vector<std::string> made_when_loaded(100, std::string(50, 'p'));

// What happened: 1 bad_alloc was caught here, 2 something else was, 0 nothing.
extern "C" int plugin_new(std::size_t n)
{
	try {
		char *p = static_cast<char *>(operator new(n));

		p[0] = p[n - 1] = 1;
		operator delete(p);
	} catch (const std::bad_alloc &) {
		return 1;
	} catch (...) {
		return 2;
	}
	return 0;
}

extern "C" int plugin_aligned_new(std::size_t n)
{
	try {
		void *p = operator new(n, std::align_val_t(128));

		operator delete(p, std::align_val_t(128));
	} catch (const std::exception &) {
		return 1;
	} catch (...) {
		return 2;
	}
	return 0;
}

extern "C" int plugin_nothrow_new(std::size_t n)
{
	void *p = operator new(n, std::nothrow);

	operator delete(p, std::nothrow);
	return p == nullptr;
}

// How often the new_handler ran before bad_alloc came; -1 if it did not come.
extern "C" int plugin_handler(std::size_t n)
{
	handler_calls = 0;
	std::set_new_handler(twice);
	return plugin_new(n) == 1 ? handler_calls : -1;
}

extern "C" int plugin_containers()
{
	made_when_loaded.resize(5000, std::string(100, 'q'));
	return made_when_loaded[0].size() == 50 &&
	       made_when_loaded[4999].size() == 100;
}
