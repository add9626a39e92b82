/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap_work - use the heap from three threads and a child, print "works"
 *
 * For odd environments: little address space, no /proc, refused calls,
 * another runtime's instrumentation. Keeps under 8 MiB; needs libc only.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR	300

static int use(unsigned seed)
{
	unsigned char *p[NR];
	int good = 1;

	for (unsigned i = 0; i < NR; i++) {
		size_t n = i % 100 == 99 ? 300000 : (i * 37 + seed) % 3000 + 1;

		p[i] = i % 3 ? malloc(n) : calloc(1, n);
		if (!p[i])
			return 0;
		good &= i % 3 || !p[i][n - 1];
		memset(p[i], (int)i, n);
	}
	for (unsigned i = 0; i < NR; i++) {
		p[i] = realloc(p[i], i * 20 + 1);
		if (!p[i])
			return 0;
		good &= p[i][0] == (unsigned char)i;
		free(p[i]);
	}
	return good;
}

static void *use_in_a_thread(void *arg)
{
	for (unsigned round = 0; round < 20; round++)
		if (!use((unsigned)(size_t)arg + round))
			return NULL;
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread[3];
	void *block = NULL;
	int status = 1;
	pid_t pid;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	for (size_t i = 0; i < 3; i++) {
		if (pthread_create(&thread[i], &attr, use_in_a_thread,
				   (void *)(i + 1))) {
			puts("no thread");
			return 1;
		}
	}
	if (!use(9)) {
		puts("no heap");
		return 1;
	}
	for (unsigned i = 0; i < 3; i++) {
		void *said;

		pthread_join(thread[i], &said);
		if (!said) {
			puts("no heap in a thread");
			return 1;
		}
	}
	if (posix_memalign(&block, 65536, 100000) || (size_t)block % 65536) {
		puts("no aligned block");
		return 1;
	}
	free(block);
	pid = fork();
	if (pid == 0)
		_exit(!use(4));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		puts("no heap in a child");
		return 1;
	}
	puts("works");
	return 0;
}
