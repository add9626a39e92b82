/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aspace_exhaust - threads use up RLIMIT_AS, are told ENOMEM, and go on
 *
 * The limit is set while running, above what is mapped by then. Threads that
 * have no pool of their own yet must be served or refused, not killed.
 * How large a block can be had afterwards depends on how the threads took turns
 * at the addresses.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "check.h"

#define MIB	((size_t)1 << 20)

static int cap_address_space(size_t more)
{
	struct rlimit limit;
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	int n = f ? fscanf(f, "%zu", &pages) : 0;

	if (f)
		fclose(f);
	limit.rlim_cur = pages * (size_t)sysconf(_SC_PAGESIZE) + more;
	limit.rlim_max = RLIM_INFINITY;
	return n == 1 && setrlimit(RLIMIT_AS, &limit) == 0;
}

struct chain {
	struct chain *next;
	size_t n;
};

/* Take blocks of n bytes to the end; NULL if it went wrong. */
static void *to_the_end(void *arg)
{
	size_t n = (size_t)arg, total = 0;
	struct chain *head = NULL, *link;
	int good = 1;

	for (;;) {
		errno = 0;
		link = malloc(n);
		if (!link)
			break;
		memset(link, 1, n);
		link->next = head;
		link->n = n;
		head = link;
		total += n;
		if (total > 1024 * MIB)
			break;
	}
	good &= !link && errno == ENOMEM;
	while (head) {
		good &= head->n == n;
		link = head->next;
		free(head);
		head = link;
	}
	return good ? "refused" : NULL;
}

static void in_threads(size_t n, int round)
{
	pthread_t thread[4];
	int good = 1, made = 0;
	pthread_attr_t attr;
	char *p;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	for (unsigned i = 0; i < 4; i++)
		made += !pthread_create(&thread[i], &attr, to_the_end,
					(void *)(n + i * 16));
	for (int i = 0; i < made; i++) {
		void *said;

		pthread_join(thread[i], &said);
		good &= said != NULL;
	}
	check(made > 0 && good,
	      "round %d: %d threads run out of %zu byte blocks", round, made,
	      n);
	p = malloc(8 * MIB);
	if (p)
		memset(p, 1, 8 * MIB);
	check(p != NULL, "round %d: then 8 MiB can be had", round);
	free(p);
}

int main(void)
{
	void *stacks;

	check(cap_address_space(160 * MIB), "the address space is limited");
	/* What malloc took it keeps mapped: none of it is for stacks. */
	stacks = mmap(NULL, 4 * MIB, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	check(to_the_end((void *)MIB) != NULL, "one thread runs out");
	munmap(stacks, 4 * MIB);
	in_threads(100000, 1);
	in_threads(2000, 2);
	in_threads(3 * MIB, 3);
	return check_done();
}
