/* SPDX-License-Identifier: BSD-2-Clause */
/* rules_fork_lib - a library that takes its time to close */
void wait_in_destructor(void);

__attribute__((destructor)) static void end(void)
{
	wait_in_destructor();
}
