/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * je_os - what jemalloc gets instead of libc
 *
 * The recipe renames these in the archives (jemalloc/os-symbols), so that
 * - jemalloc's own maps (metadata, tables) never meet an interposed mmap;
 * - it reads neither environment nor /etc: the product has one place for
 *   options, and none at all in secure execution;
 * - its fork handlers run where entry/fork.c wants them, after stdio's lock;
 * - its thread-specific keys are low ones, also when an instance starts late:
 *   for keys from 32 up pthread_setspecific allocates, inside jemalloc's
 *   set-up of the thread.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "pool/je.h"

void *cm_je_mmap(void *at, size_t size, int prot, int flags, int fd,
		 off_t offset);
int cm_je_munmap(void *at, size_t size);
int cm_je_madvise(void *at, size_t size, int advice);
ssize_t cm_je_readlink(const char *path, char *buf, size_t size);
char *cm_je_getenv(const char *name);
int cm_je_atfork(void (*prepare)(void), void (*parent)(void),
		 void (*child)(void));
int cm_je_key_create(pthread_key_t *key, void (*destructor)(void *));

/*
 * When an instance starts it maps one page to try MADV_DONTNEED on, and
 * writes to it whether or not that worked (pages.c). It gets this one then,
 * and only then: `starting` is true on a thread inside cm_je_start, and
 * instances start one at a time (pool/arena.c, entry/init.c).
 */
#define HUGE_PAGE	((size_t)2 << 20)

#ifdef __x86_64__
#define SPARE_SIZE	4096		/* more would align the whole library */
#else
#define SPARE_SIZE	65536
#endif
static _Alignas(SPARE_SIZE) CM_SPARSE char spare_page[SPARE_SIZE];
static bool spare_is_out;
static CM_TLS bool starting;

bool cm_je_start(const struct cm_je *je)
{
	unsigned nr;
	size_t size = sizeof(nr);
	int err;

	starting = true;
	err = je->mallctl("arenas.narenas", &nr, &size, NULL, 0);
	starting = false;
	return err == 0;
}

void *cm_je_mmap(void *at, size_t size, int prot, int flags, int fd,
		 off_t offset)
{
	long r = syscall(SYS_mmap, at, size, prot, flags, fd, offset);

	if (r == -1 && starting && !spare_is_out && !at &&
	    size <= sizeof(spare_page) &&
	    flags == (MAP_PRIVATE | MAP_ANONYMOUS)) {
		spare_is_out = true;
		return spare_page;
	}
	/*
	 * Tables are touched here and there: with THP=always a page of each 2
	 * MiB would make all of them resident, in no limit. Kernels without huge
	 * pages refuse.
	 */
	if (r != -1 && size >= HUGE_PAGE) {
		int saved = errno;

		(void)syscall(SYS_madvise, r, size, MADV_NOHUGEPAGE);
		errno = saved;
	}
	return (void *)r;
}

int cm_je_munmap(void *at, size_t size)
{
	if (at == spare_page) {
		spare_is_out = false;
		return 0;
	}
	return (int)syscall(SYS_munmap, at, size);
}

/* jemalloc looks at the result only, and free() must keep errno. */
int cm_je_madvise(void *at, size_t size, int advice)
{
	int saved = errno;
	int r = (int)syscall(SYS_madvise, at, size, advice);

	errno = saved;
	return r;
}

ssize_t cm_je_readlink(const char *path, char *buf, size_t size)
{
	(void)path, (void)buf, (void)size;
	errno = ENOENT;
	return -1;
}

char *cm_je_getenv(const char *name)
{
	(void)name;
	return NULL;
}

/*
 * Each instance registers once, under its own init lock, the DDR one always
 * first (entry/init.c starts it); the count is published after the entry.
 */
static struct {
	void (*prepare)(void);
	void (*parent)(void);
	void (*child)(void);
} atfork[CM_NR_TIERS];
static unsigned nr_atfork;

int cm_je_atfork(void (*prepare)(void), void (*parent)(void),
		 void (*child)(void))
{
	unsigned i = __atomic_load_n(&nr_atfork, __ATOMIC_RELAXED);

	if (i == CM_NR_TIERS)
		return ENOMEM;
	atfork[i].prepare = prepare;
	atfork[i].parent = parent;
	atfork[i].child = child;
	__atomic_store_n(&nr_atfork, i + 1, __ATOMIC_RELEASE);
	return 0;
}

/* One for each instance. */
static struct {
	pthread_key_t key;
	bool made;
} keys[CM_NR_TIERS];

static bool make(unsigned i)
{
	if (!keys[i].made)
		keys[i].made = !pthread_key_create(&keys[i].key,
						   cm_je[i].thread_cleanup);
	return keys[i].made;
}

void cm_je_take_keys(void)
{
	for (unsigned i = 0; i < CM_NR_TIERS; i++)
		(void)make(i);
}

int cm_je_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	for (unsigned i = 0; i < CM_NR_TIERS; i++) {
		if (cm_je[i].thread_cleanup != destructor)
			continue;
		if (!make(i))
			return EAGAIN;
		*key = keys[i].key;
		return 0;
	}
	return pthread_key_create(key, destructor);
}

/*
 * An instance sets its key when it begins in a thread. A key is empty again after
 * its destructor, and what that has ended may be ended once more.
 */
void cm_je_leave(void)
{
	for (unsigned i = 0; i < CM_NR_TIERS; i++)
		if (keys[i].made && !pthread_getspecific(keys[i].key))
			cm_je[i].thread_end();
}

/* How many prepare handlers ran: an instance may start meanwhile. */
static unsigned nr_prepared;

void cm_je_fork_prepare(void)
{
	nr_prepared = __atomic_load_n(&nr_atfork, __ATOMIC_ACQUIRE);
	for (unsigned i = 0; i < nr_prepared; i++)
		atfork[i].prepare();
}

void cm_je_fork_parent(void)
{
	for (unsigned i = nr_prepared; i-- > 0;)
		atfork[i].parent();
}

void cm_je_fork_child(void)
{
	for (unsigned i = nr_prepared; i-- > 0;)
		atfork[i].child();
}
