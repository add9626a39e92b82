// SPDX-License-Identifier: BSD-2-Clause
//
// suite - the tests of cxlmalloc.hpp; with an argument those under limits
#include "check.hpp"

int main(int argc, char **)
{
	if (argc > 1) {
		test_limits();
	} else {
		test_containers();
		test_memory();
		test_pools();
		test_places();
	}
	std::printf("1..%d\n", checks);
	return failures != 0;
}
