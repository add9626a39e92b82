/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seccomp_docker - run a program under the rules of Docker's default container
 *
 * seccomp_docker [-n] PROGRAM...: -n is --cap-add SYS_NICE.
 *
 * The facts are those of moby/profiles, seccomp/default.json (190fa92) and of
 * runc: what the profile does not name gives EPERM, but ENOSYS above its
 * highest number; clone3 gives ENOSYS; clone may make no namespace, socket no
 * VSOCK, personality only known values. seccomp_refused lists what remains of
 * the kernel's table (seccomp.tap makes the header from it). The bounding set
 * is Docker's, where the caller may drop capabilities. Another word size is
 * refused altogether, which Docker does not do.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH		AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH		AUDIT_ARCH_AARCH64
#else
#error "no rules for this machine"
#endif

#define LAST_NAMED	466		/* removexattrat */
#define NAMESPACES	0x7e020000	/* CLONE_NEW* but time */

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARG(n)	LOAD(args[n])	/* the low half: little endian */
#define RETURN(what)	BPF_STMT(BPF_RET | BPF_K, (what))
#define FAIL(err)	RETURN(SECCOMP_RET_ERRNO | (err))
#define ALLOW		RETURN(SECCOMP_RET_ALLOW)
#define UNLESS_EQ(k, n)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), 0, (n))
#define IF_EQ(k, n)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (n), 0)

static const int refused[] = {
#include "seccomp_refused.h"
};

static const int with_sys_nice[] = {
	SYS_get_mempolicy, SYS_mbind, SYS_set_mempolicy,
	450, /* set_mempolicy_home_node */
};

static const int capability[] = {
	CAP_CHOWN,	CAP_DAC_OVERRIDE,     CAP_FSETID,     CAP_FOWNER,
	CAP_MKNOD,	CAP_NET_RAW,	      CAP_SETGID,     CAP_SETUID,
	CAP_SETFCAP,	CAP_SETPCAP,	      CAP_SYS_CHROOT, CAP_KILL,
	CAP_AUDIT_WRITE, CAP_NET_BIND_SERVICE,
};

static const struct sock_filter fixed[] = {
	LOAD(arch),
	IF_EQ(ARCH, 1),
	FAIL(ENOSYS),
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_NAMED, 0, 1),
	FAIL(ENOSYS),
	UNLESS_EQ(SYS_clone3, 1),
	FAIL(ENOSYS),
	UNLESS_EQ(SYS_clone, 4),
	LOAD_ARG(0),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1),
	FAIL(EPERM),
	ALLOW,
	UNLESS_EQ(SYS_socket, 4),
	LOAD_ARG(0),
	UNLESS_EQ(AF_VSOCK, 1),
	FAIL(EPERM),
	ALLOW,
	UNLESS_EQ(SYS_personality, 8),
	LOAD_ARG(0),
	IF_EQ(0, 5),
	IF_EQ(0x8, 4),
	IF_EQ(0x20000, 3),
	IF_EQ(0x20008, 2),
	IF_EQ(0xffffffff, 1),
	FAIL(EPERM),
	ALLOW,
};

static struct sock_filter filter[256];
static unsigned short length;

static void add(struct sock_filter step)
{
	filter[length++] = step;
}

static int is_one_of(int nr, const int *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == nr)
			return 1;
	return 0;
}

static void write_filter(int sys_nice)
{
	memcpy(filter, fixed, sizeof(fixed));
	length = sizeof(fixed) / sizeof(fixed[0]);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (sys_nice && is_one_of(refused[i], with_sys_nice,
					  sizeof(with_sys_nice) / sizeof(int)))
			continue;
		add((struct sock_filter)UNLESS_EQ((unsigned)refused[i], 1));
		add((struct sock_filter)FAIL(EPERM));
	}
	add((struct sock_filter)ALLOW);
}

/* Docker's set; not an error where the caller has no right to. */
static void drop_capabilities(int sys_nice)
{
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!is_one_of(cap, capability,
			       sizeof(capability) / sizeof(int)) &&
		    !(sys_nice && cap == CAP_SYS_NICE))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int main(int argc, char **argv)
{
	int sys_nice = argc > 1 && !strcmp(argv[1], "-n");
	struct sock_fprog program = { .filter = filter };

	argv += 1 + sys_nice;
	if (!*argv)
		return 2;
	write_filter(sys_nice);
	program.len = length;
	drop_capabilities(sys_nice);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("seccomp_docker");
		return 77;
	}
	execvp(argv[0], argv);
	perror(argv[0]);
	return 127;
}
