// SPDX-License-Identifier: BSD-2-Clause
//
// plain - compiled without exceptions and without RTTI: what would throw ends the
// program
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <cxlmalloc.hpp>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "to be compiled with -fno-exceptions -fno-rtti"
#endif

struct base {
	virtual ~base() = default;
	int value = 1;
};

struct other {
	virtual ~other() = default;
};

struct derived : other, base {
};

static int nr, bad;

static void check(bool holds, const char *what)
{
	bad += !holds;
	std::printf("%sok %d - %s\n", holds ? "" : "not ", ++nr, what);
}

int main()
{
	std::vector<int, cxlm::cxl_allocator<int>> v(1000, 7);
	check(cxlm::tier_of(v.data()) == cxlm::tier::cxl, "a vector on CXL");
	cxlm::unique_ptr<base> p = cxlm::make_unique<derived>(cxlm::tier::ddr);
	check(p->value == 1, "an object freed through its second base");
	auto s = cxlm::make_shared<std::string>(cxlm::tier::cxl, "text");
	check(*s == "text", "a shared one");
	{
		cxlm::pool pool;
		std::vector<int, cxlm::pool_allocator<int>> w(100, 1, pool);
		check(pool.owns(w.data()), "a vector in a pool");
#if CXLM_HAS_MEMORY_RESOURCE
		std::pmr::string t(100, 'x', cxlm::resource(cxlm::tier::cxl));
		cxlm::pool_resource in(pool);
		std::pmr::string u(100, 'x', &in);
		check(cxlm::tier_of(t.data()) == cxlm::tier::cxl &&
			      pool.owns(u.data()),
		      "std::pmr");
#endif
	}
	cxlm::scope scope(cxlm::tier::cxl, std::nothrow);
	std::error_code error;
	check(scope && cxlm::node_of(v.data(), error) && !error,
	      "scopes and places");
	std::fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		cxlm::allocator<int> a(cxlm::tier::cxl);
		(void)a.allocate(SIZE_MAX / 2);
		_exit(0);
	}
	int status = 0;
	waitpid(child, &status, 0);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
	      "what would throw calls abort");
	std::printf("1..%d\n", nr);
	return bad != 0;
}
