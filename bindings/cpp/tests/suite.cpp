// SPDX-License-Identifier: BSD-2-Clause
//
// suite [limits|untiered] - the tests of cxlmalloc.hpp, or those of such a process
#include <cstring>

#include "check.hpp"

int main(int argc, char **argv)
{
	if (argc > 1 && !std::strcmp(argv[1], "limits")) {
		test_limits();
	} else if (argc > 1) {
		test_untiered();
	} else {
		test_containers();
		test_memory();
		test_pools();
		test_places();
	}
	std::printf("1..%d\n", checks);
	return failures != 0;
}
