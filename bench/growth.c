/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth - how cost grows: the programs that bench/growth times
 *
 *	growth threads OPERATIONS THREADS
 *	growth live OPERATIONS OBJECTS...	(rising)
 *	growth vmas small|large MIB...		(rising)
 *
 * A line for each point: the number and what was seen there,
 *	threads, live	N CPU_NS_PER_OP RSS_KIB	(live: but for the program's own)
 *	vmas		MIB MAPPINGS
 * and at the end "from PATH", the file malloc came from. What the program itself
 * needs is mapped, not allocated, and touched before anything is measured.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

/* Without stdio, whose buffers come from the allocator that failed. */
void work_fail(const char *what)
{
	if (write(STDERR_FILENO, "growth: ", 8) < 0 ||
	    write(STDERR_FILENO, what, strlen(what)) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0)
		_exit(4);
	_exit(3);
}

static void *mapped(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		work_fail("no memory for the program itself");
	return p;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* No stdio here either. */
static long rss_kib(void)
{
	int fd = open("/proc/self/statm", O_RDONLY);
	char text[128];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *at = text;

	close(fd);
	if (n <= 0)
		work_fail("/proc/self/statm cannot be read");
	text[n] = '\0';
	strtol(at, &at, 10);
	return strtol(at, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

static long mappings(void)
{
	static char text[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY);
	long lines = 0;
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += text[i] == '\n';
	close(fd);
	return lines;
}

/*
 * threads: each keeps some blocks and replaces one after the other. Every fourth
 * goes to a place all share, and what lay there, most likely another thread's,
 * is freed in its stead. Nobody ever waits.
 */
enum {
	OWN = 1000,
	SHARED = 4096,
	EACH_FOURTH = 4,
	SMALLEST = 16,
	LARGEST = 512,
};

static _Atomic(unsigned char *) shared[SHARED];
static pthread_barrier_t barrier;
static long each;

/* A block's size is in its first bytes, its mark in the first and the last. */
static unsigned char *new_block(uint64_t r)
{
	uint16_t size = (uint16_t)(SMALLEST + r % (LARGEST - SMALLEST));
	unsigned char *p = malloc(size);

	work_mark(p, size, (unsigned char)size);
	memcpy(p + 1, &size, sizeof(size));
	return p;
}

static void free_block(unsigned char *p)
{
	uint16_t size;

	if (!p)
		return;
	memcpy(&size, p + 1, sizeof(size));
	work_check(p, size, (unsigned char)size);
	free(p);
}

static void *worker(void *seed)
{
	unsigned char *own[OWN] = { NULL };
	uint64_t r = (uintptr_t)seed * 88172645463325252u + 1;

	for (int i = 0; i < OWN; i++)
		own[i] = new_block(work_random(&r));
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (long i = 0; i < each; i++) {
		unsigned char **at = &own[work_random(&r) % OWN];
		unsigned char *old = *at;

		*at = new_block(r >> 20);
		if (i % EACH_FOURTH == 0)
			old = atomic_exchange(&shared[r >> 40 & (SHARED - 1)],
					      old);
		free_block(old);
	}
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < OWN; i++)
		free_block(own[i]);
	return NULL;
}

static void threads(long operations, long nr)
{
	pthread_t *thread = mapped((size_t)nr * sizeof(*thread));
	double ns;
	long kib;

	each = operations / nr;
	pthread_barrier_init(&barrier, NULL, (unsigned)nr + 1);
	for (long i = 0; i < nr; i++)
		if (pthread_create(&thread[i], NULL, worker,
				   (void *)(uintptr_t)(2 * i + 1)))
			work_fail("a thread could not be started");
	pthread_barrier_wait(&barrier);	/* all have their blocks */
	ns = -cpu_ns();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);	/* all are done and hold them */
	ns += cpu_ns();
	kib = rss_kib();
	pthread_barrier_wait(&barrier);
	for (long i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < SHARED; i++)
		free_block(shared[i]);
	printf("%ld %.2f %ld\n", nr, ns / (double)(each * nr), kib);
}

/*
 * live: a heap grows to each number of objects, 16 to 127 bytes; there, objects
 * at random are replaced.
 */
static void live(long operations, char **numbers)
{
	long most = 0, have = 0, own;
	uint64_t r = 88172645463325252u;
	unsigned char **object, *size;

	for (char **n = numbers; *n; n++)
		most = atol(*n);
	own = -rss_kib();
	object = mapped((size_t)most * sizeof(*object));
	size = mapped((size_t)most);
	own += rss_kib();
	for (; *numbers; numbers++) {
		long nr = atol(*numbers);
		double ns;

		for (; have < nr; have++) {
			size[have] = (unsigned char)(16 +
						     work_random(&r) % 112);
			object[have] = malloc(size[have]);
			work_mark(object[have], size[have], size[have]);
		}
		ns = -cpu_ns();
		for (long i = 0; i < operations; i++) {
			size_t at = work_random(&r) % (size_t)nr;

			work_check(object[at], size[at], size[at]);
			free(object[at]);
			size[at] = (unsigned char)(16 + (r >> 40) % 112);
			object[at] = malloc(size[at]);
			work_mark(object[at], size[at], size[at]);
		}
		ns += cpu_ns();
		printf("%ld %.2f %ld\n", nr, ns / (double)operations,
		       rss_kib() - own);
	}
}

/*
 * vmas: a heap of so many MiB: "small" is blocks of 16 to 112 KiB, of which
 * every fourth takes an earlier one's place, "large" is blocks of 8 MiB. One page
 * of each is touched, so 8 GiB need no 8 GiB.
 */
static void vmas(int large, char **numbers)
{
	size_t most = (size_t)1 << 20, nr = 0, sum = 0;
	unsigned char **block = mapped(most * sizeof(*block));
	size_t *size = mapped(most * sizeof(*size));
	uint64_t r = 88172645463325252u;

	for (; *numbers; numbers++) {
		size_t mib = strtoul(*numbers, NULL, 10);

		while (sum < mib << 20 && nr < most) {
			size_t n = large ? (size_t)8 << 20 :
					   (16 + work_random(&r) % 97) << 10;
			size_t at = nr;

			if (!large && nr && work_random(&r) % 4 == 0) {
				at = work_random(&r) % nr;
				free(block[at]);
				sum -= size[at];
			} else {
				nr++;
			}
			size[at] = n;
			block[at] = malloc(n);
			if (!block[at])
				work_fail("out of memory");
			block[at][n / 2] = 1;
			sum += n;
		}
		printf("%zu %ld\n", mib, mappings());
	}
}

int main(int argc, char **argv)
{
	static char out[BUFSIZ];
	const char *mode = argc > 3 ? argv[1] : "";
	Dl_info from;

	setvbuf(stdout, out, _IOFBF, sizeof(out));
	if (!strcmp(mode, "threads") && atol(argv[3]) > 0)
		threads(atol(argv[2]), atol(argv[3]));
	else if (!strcmp(mode, "live") && atol(argv[2]) > 0)
		live(atol(argv[2]), argv + 3);
	else if (!strcmp(mode, "vmas"))
		vmas(!strcmp(argv[2], "large"), argv + 3);
	else
		return fprintf(stderr, "usage: growth threads|live|vmas ...\n"),
		       2;
	if (!dladdr(dlsym(RTLD_DEFAULT, "malloc"), &from))
		work_fail("where malloc is from cannot be told");
	printf("from %s\n", from.dli_fname);
	return 0;
}
