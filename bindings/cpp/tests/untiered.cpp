// SPDX-License-Identifier: BSD-2-Clause
//
// untiered - with CXLMALLOC_DISABLE=1: what works all the same, and what says why not
#include <cerrno>
#include <string>
#include <vector>

#include "check.hpp"

void test_untiered()
{
	using vector = std::vector<char, cxlm::allocator<char>>;
	vector far(100000, 'x', cxl), near(100000, 'x', ddr);
	far = near;
	far.resize(200000, 'y');
	check(far[0] == 'x' && far[199999] == 'y' &&
		      !cxlm::tier_of(far.data()),
	      "allocators work, their blocks are on no tier");
	auto unique = cxlm::make_unique<std::string>(cxl, "text");
	auto shared = cxlm::make_shared<std::string>(cxl, "text");
	check(*unique == *shared, "smart pointers work");
	check(throws<std::bad_alloc>([] {
		      vector v(100, 'x', { cxl, cxlm::placement::strict });
	      }),
	      "strict allocators throw bad_alloc");
	check(throws_errno(ENOTSUP, [] { cxlm::scope s(cxl); }),
	      "a scope: ENOTSUP");
	cxlm::scope scope(cxl, std::nothrow);
	check(!scope && scope.error().value() == ENOTSUP,
	      "or without an exception");
	check(throws_errno(ENOTSUP, [] { cxlm::pool p; }), "a pool: ENOTSUP");
	check(cxlm::resident(far).total > 0 && cxlm::node_of(far.data()),
	      "pages are somewhere");
}
