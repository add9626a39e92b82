/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seccomp_probe - the filter does what Docker's does, asked call by call
 *
 * seccomp_probe [-n]: -n with CAP_SYS_NICE. The calls have arguments that the
 * kernel would refuse with another errno.
 */
#include <sched.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "check.h"

#define BAD	((void *)1)

static int fails_with(int err, long result)
{
	return result == -1 && errno == err;
}

int main(int argc, char **argv)
{
	int sys_nice = argc > 1 && !strcmp(argv[1], "-n");
	int refused = 0;

	(void)argv;
	refused += fails_with(EPERM,
			      syscall(SYS_mbind, BAD, 4096, 99, NULL, 0, 0));
	refused += fails_with(EPERM, syscall(SYS_set_mempolicy, 99, NULL, 0));
	refused += fails_with(
		EPERM, syscall(SYS_get_mempolicy, NULL, NULL, 0, BAD, 99));
	refused += fails_with(EPERM, syscall(450, BAD, 4096, 0, 99));
	check(refused == (sys_nice ? 0 : 4),
	      "memory policy calls are %s (%d of 4 refused)",
	      sys_nice ? "allowed" : "refused", refused);
	check(fails_with(EPERM,
			 syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 99)) &&
		      fails_with(EPERM,
				 syscall(SYS_migrate_pages, 0, 0, NULL, NULL)),
	      "move_pages and migrate_pages are refused");
	check(fails_with(EPERM,
			 syscall(SYS_process_madvise, -1, NULL, 0, 0, 99)) &&
		      fails_with(EPERM, syscall(SYS_userfaultfd, 1 << 20)) &&
		      fails_with(EPERM, unshare(CLONE_NEWUTS)) &&
		      fails_with(EPERM, syscall(SYS_clone, CLONE_NEWUTS, NULL,
						NULL, NULL, NULL)),
	      "so are others that a container must not have");
	check(fails_with(ENOSYS, syscall(SYS_clone3, NULL, 0)) &&
		      fails_with(ENOSYS, syscall(467, -1, NULL, 0, NULL, 0)),
	      "clone3 and calls newer than the profile are unknown");
	check(fails_with(EPERM, socket(AF_VSOCK, SOCK_STREAM, 0)) &&
		      socket(AF_UNIX, SOCK_STREAM, 0) >= 0 &&
		      personality(0xffffffff) >= 0 &&
		      fails_with(EPERM, personality(0x0400000)),
	      "socket and personality are judged by their arguments");
	return check_done();
}
