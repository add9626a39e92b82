/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refuse_calls - run a program with NUMA's system calls refused
 *
 * refuse_calls PROGRAM...: mbind, set_mempolicy, get_mempolicy, move_pages,
 * migrate_pages and set_mempolicy_home_node give EPERM, as a container's
 * default seccomp profile has it. Refused calls that would be tried again and
 * again cost time; nothing else may happen.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <errno.h>
#include <unistd.h>

#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node	450
#endif

#define REFUSE(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

int main(int argc, char **argv)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		REFUSE(SYS_mbind),
		REFUSE(SYS_set_mempolicy),
		REFUSE(SYS_get_mempolicy),
		REFUSE(SYS_move_pages),
		REFUSE(SYS_migrate_pages),
		REFUSE(SYS_set_mempolicy_home_node),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (argc < 2)
		return 2;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("refuse_calls");
		return 77;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
