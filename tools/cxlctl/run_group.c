/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command in a control group that goes away with it: so cxlctl stays, and
 * is to whoever started it what the command would be.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolate.h"
#include "run.h"

/* env(1)'s and nohup(1)'s, POSIX */
#define EXIT_CANNOT_RUN	126
#define EXIT_NOT_FOUND	127

int run_exec(char **argv)
{
	int err;

	execvp(argv[0], argv);
	err = errno;
	fprintf(stderr, "cxlctl run: %s: %s\n", argv[0], strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* All that can be handed on; faults are cxlctl's own. */
static void hold_signals(sigset_t *before)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	sigset_t held;

	sigfillset(&held);
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&held, own[i]);
	sigprocmask(SIG_BLOCK, &held, before);
}

/* The terminal's signals reach the whole process group by themselves. */
static void hand_on(pid_t child, const siginfo_t *info)
{
	if (info->si_code == SI_KERNEL)
		return;
	if (info->si_code == SI_QUEUE)
		(void)sigqueue(child, info->si_signo, info->si_value);
	else
		(void)kill(child, info->si_signo);
}

/* Its wait status when it has ended. */
static int wait_for(pid_t child, const sigset_t *held)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (sigwaitinfo(held, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD) {
			hand_on(child, &info);
			continue;
		}
		/* one SIGCHLD may stand for several */
		while (waitpid(child, &status, WNOHANG | WUNTRACED) == child) {
			if (!WIFSTOPPED(status))
				return status;
			/* as the job the shell knows */
			raise(SIGSTOP);
			(void)kill(child, SIGCONT);
		}
	}
}

/* End as the command did. */
static int end_as(int status)
{
	sigset_t set;
	int sig;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	sig = WTERMSIG(status);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	/* a core would be cxlctl's */
	prctl(PR_SET_DUMPABLE, 0);
	(void)kill(getpid(), sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + sig;
}

/* Processes that the command left behind keep the group as long as they are. */
static void leave_to_a_child(struct isolate *iso)
{
	sigset_t none;

	if (fork())
		return;
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* nobody shall wait for a pipe that it holds open */
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	if (chdir("/") == 0)
		(void)isolate_end(iso, true);
	_exit(EXIT_SUCCESS);
}

int run_in_group(struct isolate *iso, char **argv)
{
	struct sigaction was, standard = { .sa_handler = SIG_DFL };
	sigset_t before, held;
	pid_t child;
	int status;

	/* ignored, the kernel would keep no status for us */
	sigaction(SIGCHLD, &standard, &was);
	hold_signals(&before);
	child = fork();
	if (child < 0) {
		fprintf(stderr, "cxlctl run: fork: %s\n", strerror(errno));
		(void)isolate_end(iso, false);
		return EXIT_FAILURE;
	}
	if (child == 0) {
		if (isolate_join(iso) < 0)
			_exit(EXIT_FAILURE);
		sigaction(SIGCHLD, &was, NULL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		_exit(run_exec(argv));
	}
	sigprocmask(SIG_BLOCK, NULL, &held);
	status = wait_for(child, &held);
	if (isolate_end(iso, false) == -EBUSY)
		leave_to_a_child(iso);
	return end_as(status);
}
