/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/event.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OUT_OF_THE_WAY	1000	/* programs count on low numbers */
#define BUSY		1
#define MESSAGES_MAX	4096	/* at one read: more is a flood */

_Atomic unsigned cm_event_nr_open;

static struct slot {
	_Atomic uint64_t fds;
	_Atomic int pid;
	_Atomic unsigned bits;
} slots[CM_EVENT_MAX];

/* Raw: libc's may be cancellation points, and set errno. */
static long call(long number, long a, long b, long c, long d)
{
	int saved = errno;
	long r = syscall(number, a, b, c, d);

	if (r == -1)
		r = -errno;
	errno = saved;
	return r;
}

static void close_fd(int fd)
{
	(void)call(SYS_close, fd, 0, 0, 0);
}

static int self(void)
{
	return (int)call(SYS_getpid, 0, 0, 0, 0);
}

static uint64_t pack(int poll, int source)
{
	return (uint64_t)(unsigned)source << 32 | ((unsigned)poll + 2U);
}

static int poll_of(uint64_t fds)
{
	return (int)((uint32_t)fds - 2U);
}

static int source_of(uint64_t fds)
{
	return (int)(fds >> 32);
}

/* 0, or -errno: these are not the two files they were. */
static int wait_for(uint64_t fds, uint32_t events)
{
	struct epoll_event event = { .events = events };

	return (int)call(SYS_epoll_ctl, poll_of(fds), EPOLL_CTL_MOD,
			 source_of(fds), (long)&event);
}

void cm_event_tell_open(unsigned what)
{
	int pid = self();

	for (unsigned i = 0; what && i < CM_EVENT_MAX; i++) {
		struct slot *slot = &slots[i];
		uint64_t fds = atomic_load(&slot->fds);

		if (fds > BUSY && atomic_load(&slot->pid) == pid &&
		    !atomic_fetch_or(&slot->bits, what))
			(void)wait_for(fds, EPOLLIN | EPOLLOUT);
	}
}

/* --- the kernel's messages ------------------------------------------------- */

#define DEVICES "/devices/system/"

bool cm_event_is_memory(const char *message, size_t len)
{
	const char *path = memchr(message, '@', len);
	size_t left = path ? len - (size_t)(path - message) : 0;

	return left > 25 && (!memcmp(path + 1, DEVICES "memory/m", 24) ||
			     !memcmp(path + 1, DEVICES "node/nod", 24));
}

/*
 * The '@' behind "add", "remove" and "online", or "offline"; then the words of
 * the path, as the network orders bytes. What is shorter is dropped.
 */
bool cm_event_set_filter(int fd)
{
#define BYTE(at)	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at)
#define START(at)	BPF_STMT(BPF_LDX | BPF_IMM, at)
#define WORD(at)	BPF_STMT(BPF_LD | BPF_W | BPF_IND, at)
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define GOTO(n)		BPF_STMT(BPF_JMP | BPF_JA, n)
#define TAKE(bytes)	BPF_STMT(BPF_RET | BPF_K, bytes)
	static const struct sock_filter code[] = {
		BYTE(3),
		IS('@', 0, 2),
		START(4),
		GOTO(7),
		BYTE(6),
		IS('@', 0, 2),
		START(7),
		GOTO(3),
		BYTE(7),
		IS('@', 0, 17),
		START(8),
		WORD(0),
		IS(0x2f646576, 0, 14), /* "/dev" */
		WORD(4),
		IS(0x69636573, 0, 12), /* "ices" */
		WORD(8),
		IS(0x2f737973, 0, 10), /* "/sys" */
		WORD(12),
		IS(0x74656d2f, 0, 8), /* "tem/" */
		WORD(16),
		IS(0x6d656d6f, 0, 2), /* "memo" */
		WORD(20),
		IS(0x72792f6d, 3, 4), /* "ry/m" */
		IS(0x6e6f6465, 0, 3), /* "node" */
		WORD(20),
		IS(0x2f6e6f64, 0, 1), /* "/nod" */
		TAKE(UINT32_MAX),
		TAKE(0),
	};
	const struct sock_fprog program = {
		.len = CM_ARRAY_SIZE(code),
		.filter = (struct sock_filter *)code,
	};
	int saved = errno;
	bool set = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			      sizeof(program)) == 0;

	errno = saved;
	return set;
}

/* A descriptor; -errno: none is to be had, of any kind. */
static int open_source(void)
{
	const struct sockaddr_nl group = { .nl_family = AF_NETLINK,
					   .nl_groups = 1 };
	long type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, fd, up;

	fd = call(SYS_socket, AF_NETLINK, type, NETLINK_KOBJECT_UEVENT, 0);
	if (fd >= 0 && (!cm_event_set_filter((int)fd) ||
			call(SYS_bind, fd, (long)&group, sizeof(group), 0))) {
		close_fd((int)fd);
		fd = -EPERM;
	}
	if (fd < 0 && fd != -EMFILE && fd != -ENFILE && fd != -ENOMEM)
		fd = call(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK, 0, 0);
	if (fd < 0)
		return (int)fd;
	up = call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY, 0);
	if (up < 0)
		return (int)fd;
	close_fd((int)fd);
	return (int)up;
}

/* Did the kernel say that nodes changed? Takes what it said. */
static bool kernel_told(int source)
{
	char text[256];		/* the path comes first */
	struct sockaddr_nl from;
	struct iovec part = { text, sizeof(text) };
	bool told = false;

	for (unsigned i = 0; i < MESSAGES_MAX; i++) {
		struct msghdr message = { .msg_name = &from,
					  .msg_namelen = sizeof(from),
					  .msg_iov = &part,
					  .msg_iovlen = 1 };
		long len = call(SYS_recvmsg, source, (long)&message,
				MSG_DONTWAIT, 0);

		if (len == -ENOBUFS) {
			told = true;	/* more than there was room for */
			continue;
		}
		if (len == -EINTR)
			continue;
		if (len < 0)
			break;
		told |= message.msg_namelen == sizeof(from) &&
			from.nl_pid == 0 &&
			cm_event_is_memory(text, (size_t)len < sizeof(text) ?
							 (size_t)len :
							 sizeof(text));
	}
	return told;
}

/* --- the descriptors ------------------------------------------------------- */

static void set_free(struct slot *slot, uint64_t fds)
{
	if (atomic_compare_exchange_strong(&slot->fds, &fds, 0))
		atomic_fetch_sub(&cm_event_nr_open, 1);
}

/* Looked at without a change, whatever is told meanwhile. */
static bool is_alive(struct slot *slot, uint64_t fds)
{
	bool told = atomic_load(&slot->bits) != 0;

	if (wait_for(fds, told ? EPOLLIN | EPOLLOUT : EPOLLIN))
		return false;
	if (!told && atomic_load(&slot->bits))
		(void)wait_for(fds, EPOLLIN | EPOLLOUT);
	return true;
}

/*
 * Closed by the program in its own way; one of the two may be open still. The
 * parent's, too, where the child has no other place.
 */
static void sweep(int pid, bool parents)
{
	for (unsigned i = 0; i < CM_EVENT_MAX; i++) {
		uint64_t fds = atomic_load(&slots[i].fds);

		if (fds <= BUSY)
			continue;
		if (atomic_load(&slots[i].pid) == pid ?
			    !is_alive(&slots[i], fds) :
			    parents)
			set_free(&slots[i], fds);
	}
}

static struct slot *take_slot(void)
{
	for (unsigned i = 0; i < CM_EVENT_MAX; i++) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong(&slots[i].fds, &none, BUSY))
			return &slots[i];
	}
	return NULL;
}

static int open_in(struct slot *slot, int pid)
{
	struct epoll_event event = { .events = EPOLLIN };
	int source = open_source(), poll, err;

	if (source < 0)
		return source;
	poll = (int)call(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0);
	err = poll < 0 ? poll :
			 (int)call(SYS_epoll_ctl, poll, EPOLL_CTL_ADD, source,
				   (long)&event);
	if (err < 0) {
		close_fd(source);
		if (poll >= 0)
			close_fd(poll);
		return err;
	}
	atomic_store(&slot->pid, pid);
	atomic_store(&slot->bits, 0);
	atomic_fetch_add(&cm_event_nr_open, 1);
	atomic_store(&slot->fds, pack(poll, source));
	return poll;
}

int cm_event_open(void)
{
	int pid = self(), fd;
	struct slot *slot;

	sweep(pid, false);
	slot = take_slot();
	if (!slot) {
		sweep(pid, true);
		slot = take_slot();
	}
	if (!slot)
		return -ENOSPC;
	fd = open_in(slot, pid);
	if (fd < 0)
		atomic_store(&slot->fds, 0);
	return fd;
}

/* One's own first: a child may have closed its parent's and got that number. */
static struct slot *find(int fd, uint64_t *fds)
{
	struct slot *found = NULL;
	int pid = self();

	for (unsigned i = 0; i < CM_EVENT_MAX; i++) {
		uint64_t one = atomic_load(&slots[i].fds);

		if (one <= BUSY || poll_of(one) != fd)
			continue;
		*fds = one;
		found = &slots[i];
		if (atomic_load(&found->pid) == pid)
			break;
	}
	return found;
}

int cm_event_read(int fd)
{
	uint64_t fds;
	struct slot *slot = find(fd, &fds);
	unsigned bits;

	if (!slot || atomic_load(&slot->pid) != self())
		return -EBADF;
	/* First: what is told from here on wakes again. */
	if (wait_for(fds, EPOLLIN)) {
		set_free(slot, fds);
		return -EBADF;
	}
	bits = atomic_exchange(&slot->bits, 0);
	if (kernel_told(source_of(fds)))
		bits |= CM_EVENT_NODES;
	return (int)bits;
}

int cm_event_close(int fd)
{
	uint64_t fds;
	struct slot *slot = find(fd, &fds);
	bool alive;

	if (!slot)
		return -EBADF;
	/* A child closes its copies; the parent's are as they were. */
	alive = is_alive(slot, fds);
	set_free(slot, fds);
	if (!alive)
		return -EBADF;
	close_fd(poll_of(fds));
	close_fd(source_of(fds));
	return 0;
}
