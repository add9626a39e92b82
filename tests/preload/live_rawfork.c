/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live_rawfork - a child that no handler of pthread_atfork has seen
 *
 * usage: live_rawfork CXLCTL
 *
 * It must neither show its figures as its parent's nor take its requests.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tiers.h"

pid_t _Fork(void) __attribute__((weak));

static const char *cxlctl;

static long ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Beyond the thread's cache, so that the library comes by. */
static void allocate(void)
{
	for (int i = 0; i < 50; i++) {
		void *p = malloc(100000);

		memset(p, 1, 100);
		free(p);
	}
}

static void child(int told)
{
	long start = ms();
	char *held = malloc(50 * MIB);

	memset(held, 1, 50 * MIB);
	while (ms() - start < 1000)	/* several looks */
		allocate();
	if (write(told, "x", 1) != 1)
		_exit(1);
	for (;;)
		allocate();
}

/* What `cxlctl ARGUMENTS | FILTER` says, a number. */
static long long said(const char *arguments, const char *filter)
{
	char command[512], text[64] = "";
	FILE *f;

	snprintf(command, sizeof(command),
		 "env -u LD_PRELOAD '%s' %s 2>&1 | %s", cxlctl, arguments,
		 filter);
	f = popen(command, "r");
	if (!f || !fgets(text, sizeof(text), f))
		return -1;
	pclose(f);
	return atoll(text);
}

int main(int argc, char **argv)
{
	char arguments[128], byte;
	int pipes[2];
	long long used;
	pid_t pid;

	cxlctl = argc > 1 ? argv[1] : "cxlctl";
	if (!tiers_found() || !_Fork || pipe(pipes))
		return check_done();
	allocate();
	pid = _Fork();
	if (!pid)
		child(pipes[1]);
	check(read(pipes[0], &byte, 1) == 1, "a child of _Fork allocates");
	snprintf(arguments, sizeof(arguments), "stat -j %d", getpid());
	used = said(arguments, "jq .tiers[0].used");
	check(used >= 0 && used < (long long)(20 * MIB),
	      "what it holds is not its parent's (%lld)", used);
	snprintf(arguments, sizeof(arguments),
		 "policy set -w 200 %d order=cxl:ddr", getpid());
	check(said(arguments, "grep -c pending") == 1,
	      "it does not answer what its parent is asked");
	allocate();
	check(tier_of(malloc(100000)) == CXL, "its parent does");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return check_done();
}
