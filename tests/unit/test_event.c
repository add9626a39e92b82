/* SPDX-License-Identifier: BSD-2-Clause */
/* event: which messages pass, who is woken, and what a descriptor may become */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"
#include "sys/event.h"

static const struct {
	const char *text;
	bool passes;
} messages[] = {
	{ "online@/devices/system/memory/memory32", true },
	{ "offline@/devices/system/memory/memory32", true },
	{ "add@/devices/system/memory/memory40", true },
	{ "remove@/devices/system/memory/memory40", true },
	{ "add@/devices/system/node/node1", true },
	{ "remove@/devices/system/node/node1023", true },
	{ "add@/devices/system/cpu/cpu1", false },
	{ "online@/devices/system/cpu/cpu1", false },
	{ "add@/devices/virtual/block/loop0", false },
	{ "add@/devices/system/memory", false },
	{ "remove@/devices/systen/node/node1", false },
	{ "change@/devices/pci0000:00/0000:00:05.0/system/memory/memory1",
	  false },
	{ "bind@/devices/system/memory/memory1", false },
	{ "ad@/devices/system/memory/memory1", false },
	{ "libudev", false },
	{ "add@", false },
	{ "", false },
};

static void messages_of_memory_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < CM_ARRAY_SIZE(messages); i++) {
		const char *text = messages[i].text;

		/* Other actions than the kernel has: the filter's to drop. */
		if (!strncmp(text, "bind@", 5) || !strncmp(text, "ad@", 3))
			continue;
		if (cm_event_is_memory(text, strlen(text) + 1) !=
		    messages[i].passes)
			fail_msg("\"%s\"", text);
	}
	assert_false(cm_event_is_memory("@", 1));
	assert_false(cm_event_is_memory("online@/devices/system/memory/m", 30));
}

static void the_filter_passes_these_alone(void **state)
{
	char got[128];
	int pair[2];

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_true(cm_event_set_filter(pair[1]));
	for (size_t i = 0; i < CM_ARRAY_SIZE(messages); i++) {
		const char *text = messages[i].text;
		size_t len = strlen(text) + 1;
		ssize_t r;

		(void)send(pair[0], text, len, 0);
		r = recv(pair[1], got, sizeof(got), 0);
		if (messages[i].passes ? r != (ssize_t)len : r != -1)
			fail_msg("\"%s\": %zd bytes", text, r);
	}
	close(pair[0]);
	close(pair[1]);
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void told_once_to_each(void **state)
{
	int a = cm_event_open(), b;

	(void)state;
	assert_true(a >= 0);
	assert_true(fcntl(a, F_GETFD) & FD_CLOEXEC);
	assert_false(is_readable(a));
	errno = 77;
	cm_event_tell(CM_EVENT_LIMIT);
	cm_event_tell(CM_EVENT_FULL);
	assert_int_equal(errno, 77);
	assert_true(is_readable(a));
	/* One more does not take a's, nor has it what was before. */
	b = cm_event_open();
	assert_true(b >= 0 && b != a);
	assert_true(is_readable(a));
	assert_false(is_readable(b));
	assert_int_equal(cm_event_read(b), 0);
	assert_int_equal(cm_event_read(a), CM_EVENT_LIMIT | CM_EVENT_FULL);
	assert_false(is_readable(a));
	assert_int_equal(cm_event_read(a), 0);
	cm_event_tell(CM_EVENT_POLICY);
	assert_int_equal(cm_event_close(a), 0);
	assert_int_equal(cm_event_read(a), -EBADF);
	assert_int_equal(cm_event_close(a), -EBADF);
	assert_true(is_readable(b));
	assert_int_equal(cm_event_read(b), CM_EVENT_POLICY);
	assert_int_equal(cm_event_close(b), 0);
	assert_int_equal(atomic_load(&cm_event_nr_open), 0);
	assert_int_equal(fcntl(a, F_GETFD), -1);
}

static int descriptors(void)
{
	int nr = 0;

	for (int fd = 0; fd < 2048; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void sixteen_and_no_more(void **state)
{
	int fd[CM_EVENT_MAX], before = descriptors();

	(void)state;
	for (int i = 0; i < CM_EVENT_MAX; i++) {
		fd[i] = cm_event_open();
		assert_true(fd[i] >= 0);
	}
	assert_int_equal(cm_event_open(), -ENOSPC);
	cm_event_tell(CM_EVENT_NODES);
	for (int i = 0; i < CM_EVENT_MAX; i++)
		assert_true(is_readable(fd[i]));
	assert_int_equal(cm_event_close(fd[7]), 0);
	fd[7] = cm_event_open();
	assert_true(fd[7] >= 0);
	for (int i = 0; i < CM_EVENT_MAX; i++)
		assert_int_equal(cm_event_close(fd[i]), 0);
	assert_int_equal(descriptors(), before);
}

/* Whatever the program makes of a number it closed: it is not written to. */
static void a_closed_number_is_left_alone(void **state)
{
	char text[8];
	int fd = cm_event_open(), pair[2], other;
	struct epoll_event event;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pipe2(pair, O_NONBLOCK), 0);
	assert_int_equal(dup2(pair[1], fd), fd);
	cm_event_tell(CM_EVENT_FULL);
	assert_int_equal(read(pair[0], text, sizeof(text)), -1);
	assert_int_equal(cm_event_read(fd), -EBADF);
	assert_int_equal(cm_event_close(fd), -EBADF);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
	/* An epoll instance of the program's own. */
	fd = cm_event_open();
	close(fd);
	assert_int_equal(epoll_create1(0), fd);
	other = eventfd(0, 0);
	event = (struct epoll_event){ .events = EPOLLIN };
	assert_int_equal(epoll_ctl(fd, EPOLL_CTL_ADD, other, &event), 0);
	cm_event_tell(CM_EVENT_FULL);
	assert_int_equal(epoll_wait(fd, &event, 1, 0), 0);
	assert_int_equal(cm_event_close(fd), -EBADF);
	close(other);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	/* Neither of them has a place any more. */
	for (int i = 0; i < 3 * CM_EVENT_MAX; i++) {
		fd = cm_event_open();
		assert_true(fd >= 0);
		close(fd);
	}
	fd = cm_event_open();
	assert_int_equal(atomic_load(&cm_event_nr_open), 1);
	assert_int_equal(cm_event_close(fd), 0);
}

static void a_child_has_its_own(void **state)
{
	int fd = cm_event_open(), status;
	pid_t pid;

	(void)state;
	cm_event_tell(CM_EVENT_POLICY);
	pid = fork();
	if (pid == 0) {
		int bad = 0, own;

		bad |= cm_event_read(fd) == -EBADF ? 0 : 1;
		own = cm_event_open();
		bad |= own >= 0 ? 0 : 2;
		cm_event_tell(CM_EVENT_FULL);
		bad |= is_readable(own) ? 0 : 4;
		bad |= cm_event_read(own) == CM_EVENT_FULL ? 0 : 8;
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The parent has what it was told, and nothing of the child's. */
	assert_true(is_readable(fd));
	assert_int_equal(cm_event_read(fd), CM_EVENT_POLICY);
	pid = fork();
	if (pid == 0)
		_exit(cm_event_close(fd) == 0 && fcntl(fd, F_GETFD) == -1 ? 0 :
									    1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(is_readable(fd));
	cm_event_tell(CM_EVENT_LIMIT);
	assert_int_equal(cm_event_read(fd), CM_EVENT_LIMIT);
	assert_int_equal(cm_event_close(fd), 0);
}

/* As a sandbox has it: no sockets, so nothing of the kernel's is heard. */
static void refuse_sockets(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { CM_ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(100);
}

static void without_sockets_the_rest_is_told(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		int bad = 0, fd;

		refuse_sockets();
		bad |= socket(AF_UNIX, SOCK_DGRAM, 0) == -1 ? 0 : 1;
		fd = cm_event_open();
		bad |= fd >= 0 && !is_readable(fd) ? 0 : 2;
		bad |= cm_event_read(fd) == 0 ? 0 : 4;
		cm_event_tell(CM_EVENT_LIMIT);
		bad |= is_readable(fd) ? 0 : 8;
		bad |= cm_event_read(fd) == CM_EVENT_LIMIT ? 0 : 16;
		bad |= !is_readable(fd) && !cm_event_close(fd) ? 0 : 32;
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The second is not had: nothing is left of the first. */
static void no_descriptor_is_left_behind(void **state)
{
	struct rlimit before, few;
	int top = dup(0), nr, fd;

	(void)state;
	assert_true(top >= 0);
	close(top);
	nr = descriptors();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)top + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(cm_event_open(), -EMFILE);
	few.rlim_cur = (rlim_t)top + 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	/* Two are enough, though there are no high numbers. */
	fd = cm_event_open();
	assert_true(fd >= 0);
	cm_event_tell(CM_EVENT_FULL);
	assert_int_equal(cm_event_read(fd), CM_EVENT_FULL);
	assert_int_equal(cm_event_close(fd), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(descriptors(), nr);
	assert_int_equal(atomic_load(&cm_event_nr_open), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_memory_are_known),
		cmocka_unit_test(the_filter_passes_these_alone),
		cmocka_unit_test(told_once_to_each),
		cmocka_unit_test(sixteen_and_no_more),
		cmocka_unit_test(a_closed_number_is_left_alone),
		cmocka_unit_test(a_child_has_its_own),
		cmocka_unit_test(without_sockets_the_rest_is_told),
		cmocka_unit_test(no_descriptor_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
