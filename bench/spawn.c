/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn - run a program and say what it used
 *
 *	spawn [NAME=VALUE]... -- COMMAND [ARGUMENT]...
 *
 * The last line of its output is "spawn WALL_NS CPU_NS RSS_KIB": user and system
 * time together, and the peak of resident memory. Status: the command's, or
 * 128 and the signal. The variables are set for the command only.
 *
 * A program of its own because the kernel counts the pages of the process that
 * calls exec to the peak of the program it becomes: a shell or a Perl would be
 * the floor of every figure.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long ns(struct timeval t)
{
	return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct rusage used;
	long long start;
	int command = 1, status;
	pid_t child;

	while (command < argc && strcmp(argv[command], "--"))
		command++;
	if (command + 1 >= argc) {
		fprintf(stderr, "usage: spawn [NAME=VALUE]... -- COMMAND\n");
		return 2;
	}
	start = now();
	child = fork();
	if (child < 0) {
		perror("spawn: fork");
		return 2;
	}
	if (child == 0) {
		/* A server is not left behind when the bench is stopped. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 1; i < command; i++)
			putenv(argv[i]);
		execvp(argv[command + 1], argv + command + 1);
		perror(argv[command + 1]);
		_exit(127);
	}
	if (wait4(child, &status, 0, &used) != child) {
		perror("spawn: wait4");
		return 2;
	}
	printf("spawn %lld %lld %ld\n", now() - start,
	       ns(used.ru_utime) + ns(used.ru_stime), used.ru_maxrss);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}
