/* SPDX-License-Identifier: BSD-2-Clause */
/* on_full_rows - src/control/on_full.def as lines: order on_full state tier how */
#include <stdio.h>

int main(void)
{
#define ON_FULL_CASE(order, on_full, state, tier, how) \
	puts(order " " on_full " " state " " tier " " how);
#include "control/on_full.def"
	return 0;
}
