/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * small_stack - a thread on the smallest stack there is allocates and maps,
 * while arguments ("CXLCTL SETTING...") change the policy
 *
 * What a tier needs once (its allocator starts) and what a look needs must fit
 * there too, behind what libc has on it: TLS, and its guard's word.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "check.h"

#define STACK	((size_t)16384)		/* PTHREAD_STACK_MIN */

static atomic_bool stop;
static atomic_int rounds;

static void *work(void *arg)
{
	(void)arg;
	do {
		for (size_t size = 16; size < (size_t)8 << 20; size *= 2) {
			char *p = malloc(size);

			p = realloc(p, size + (size_t)3 * 1000 * 1000);
			if (p)
				p[size] = 1;
			free(p);
		}
		char *m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		m = mremap(m, 1 << 20, 3 << 20, MREMAP_MAYMOVE);
		munmap(m, 3 << 20);
		atomic_fetch_add(&rounds, 1);
	} while (!atomic_load(&stop));
	return NULL;
}

static int change(const char *cxlctl, const char *setting)
{
	char pid[16];
	pid_t child;
	int status;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	child = fork();
	if (child == 0) {
		unsetenv("LD_PRELOAD");
		execl(cxlctl, cxlctl, "policy", "set", pid, setting, NULL);
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

int main(int argc, char **argv)
{
	pthread_attr_t attr;
	pthread_t thread;
	size_t used = 0;
	char *stack;

	stack = mmap(NULL, STACK + 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED || mprotect(stack, 4096, PROT_NONE))
		return 98;
	stack += 4096;
	memset(stack, 0xa5, STACK);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, STACK);
	if (pthread_create(&thread, &attr, work, NULL))
		return 97;
	for (int i = 2; i < argc; i++)
		check(change(argv[1], argv[i]) == 0, "%s while it runs",
		      argv[i]);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	while (used < STACK && stack[used] == (char)0xa5)
		used++;
	note("%zu of %zu bytes used", STACK - used, STACK);
	check(atomic_load(&rounds) > 0, "a thread of 16 KiB allocates");
	return check_done();
}
