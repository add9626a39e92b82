/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "sys/sys.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1			/* Linux 4.4 */
#endif
#ifndef MADV_COLD
#define MADV_COLD 20			/* Linux 5.4 */
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4		/* Linux 5.7 */
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24		/* Linux 5.18 */
#endif

static int result(long r, int saved_errno)
{
	int err = errno;

	errno = saved_errno;
	return r == -1 ? -err : 0;
}

static int real_unmap(void *at, size_t size)
{
	int saved = errno;

	return result(syscall(SYS_munmap, at, size), saved);
}

static int map_with(void *at, size_t size, int prot)
{
	int saved = errno;
	long r = syscall(SYS_mmap, at, size, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				 MAP_FIXED_NOREPLACE,
			 -1, 0L);

	if (r == -1)
		return result(r, saved);
	if ((void *)r == at)
		return 0;
	(void)real_unmap((void *)r, size);
	return -EEXIST;
}

/* The kernel lets go of pages by MADV_DONTNEED unless they are locked. */
static bool is_locked(void *at)
{
	int saved = errno;

	return result(syscall(SYS_madvise, at, cm_sys_page_size(),
			      MADV_DONTNEED),
		      saved) == -EINVAL;
}

/*
 * After mlockall(MCL_FUTURE) the kernel fills whatever is mapped readable, at
 * once: before it is bound to nodes, and though nothing of it is committed. So
 * there it is mapped without access first, and locked page by page as it is
 * touched. That a program locks its memory is seen on the first map that it
 * fills, which is then made again.
 */
static _Atomic bool maps_are_locked;

static int map_locked(void *at, size_t size)
{
	int saved = errno, err = map_with(at, size, PROT_NONE);

	if (err)
		return err;
	if (is_locked(at))
		(void)result(syscall(SYS_mlock2, at, size, MLOCK_ONFAULT),
			     saved);
	else	/* munlockall */
		atomic_store_explicit(&maps_are_locked, false,
				      memory_order_relaxed);
	err = result(syscall(SYS_mprotect, at, size, PROT_READ | PROT_WRITE),
		     saved);
	if (err)
		(void)real_unmap(at, size);
	return err;
}

static int real_map_at(void *at, size_t size)
{
	int err;

	if (atomic_load_explicit(&maps_are_locked, memory_order_relaxed))
		return map_locked(at, size);
	err = map_with(at, size, PROT_READ | PROT_WRITE);
	if (err || likely(!is_locked(at)))
		return err;
	atomic_store_explicit(&maps_are_locked, true, memory_order_relaxed);
	(void)real_unmap(at, size);
	return map_locked(at, size);
}

static int real_purge(void *at, size_t size)
{
	int saved = errno;
	int err = result(syscall(SYS_madvise, at, size, MADV_DONTNEED), saved);

	if (err == -EINVAL)	/* locked pages: mlockall */
		err = result(
			syscall(SYS_madvise, at, size, MADV_DONTNEED_LOCKED),
			saved);
	return err;
}

static int bind_with(void *at, size_t size, int mode,
		     const struct cm_nodeset *nodes, long flags)
{
	int saved = errno;

	/* maxnode counts one past the last bit the kernel reads. */
	return result(syscall(SYS_mbind, at, size, (long)mode, nodes->bits,
			      (long)CM_MAX_NODES + 1, flags),
		      saved);
}

static int real_bind(void *at, size_t size, int mode,
		     const struct cm_nodeset *nodes)
{
	return bind_with(at, size, mode, nodes, 0);
}

int cm_sys_bind_moving(void *at, size_t size, int mode,
		       const struct cm_nodeset *nodes)
{
	return bind_with(at, size, mode, nodes, CM_MPOL_MF_MOVE);
}

static int real_no_huge_pages(void *at, size_t size)
{
	int saved = errno;

	return result(syscall(SYS_madvise, at, size, MADV_NOHUGEPAGE), saved);
}

const struct cm_sys_ops cm_sys_real = {
	.map_at = real_map_at,
	.unmap = real_unmap,
	.purge = real_purge,
	.no_huge_pages = real_no_huge_pages,
	.can_map = cm_sys_can_map,
	.bind = real_bind,
};

int cm_sys_mems_allowed(struct cm_nodeset *nodes)
{
	int saved = errno;

	memset(nodes, 0, sizeof(*nodes));
	return result(syscall(SYS_get_mempolicy, NULL, nodes->bits,
			      (long)CM_MAX_NODES, NULL,
			      (long)CM_MPOL_F_MEMS_ALLOWED),
		      saved);
}

int cm_sys_nodes_of(void *const *pages, size_t nr, int *node)
{
	int saved = errno;

	return result(syscall(SYS_move_pages, 0, nr, pages, NULL, node, 0L),
		      saved);
}

int cm_sys_move_pages(void *const *pages, size_t nr, const int *node,
		      int *status)
{
	int saved = errno;
	long r = syscall(SYS_move_pages, 0, nr, pages, node, status,
			 (long)CM_MPOL_MF_MOVE);
	int err = r < 0 ? -errno : 0;

	/* Since 4.17 it may say how many did not move: status tells which. */
	errno = saved;
	return err;
}

int cm_sys_advise(void *at, size_t size, int advice)
{
	int saved = errno;

	return result(syscall(SYS_madvise, at, size, (long)advice), saved);
}

int cm_sys_move_range(void *from, void *to, size_t size)
{
	int saved = errno;

	return result(syscall(SYS_mremap, from, size, size,
			      (long)(MREMAP_MAYMOVE | MREMAP_FIXED |
				     MREMAP_DONTUNMAP),
			      to),
		      saved);
}

bool cm_sys_can_move_range(void)
{
	size_t page = cm_sys_page_size();
	char *from = cm_sys_map_own(page), *to = cm_sys_map_own(page);
	bool can = false;

	if (from && to) {
		*from = 1;
		can = cm_sys_move_range(from, to, page) == 0 && *to == 1 &&
		      *from == 0;
	}
	if (from)
		(void)real_unmap(from, page);
	if (to)
		(void)real_unmap(to, page);
	return can;
}

/* Advice that changes nothing but when it is swapped; refused where locked. */
bool cm_sys_is_page_locked(void *at)
{
	return cm_sys_advise(at, cm_sys_page_size(), MADV_COLD) != 0;
}

bool cm_sys_is_mapped(void *at, size_t size)
{
	int saved = errno;

	return result(syscall(SYS_msync, at, size, (long)MS_ASYNC), saved) !=
	       -ENOMEM;
}

void *cm_sys_map_own(size_t size)
{
	int saved = errno;
	long r = syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);

	errno = saved;
	return r == -1 ? NULL : (void *)r;
}

bool cm_sys_is_bound_otherwise(void *at)
{
	int saved = errno, mode = CM_MPOL_DEFAULT;

	return result(syscall(SYS_get_mempolicy, &mode, NULL, 0L, at,
			      (long)CM_MPOL_F_ADDR),
		      saved) == 0 &&
	       mode != CM_MPOL_DEFAULT && !(mode & CM_MPOL_F_STATIC_NODES);
}

bool cm_sys_can_map(size_t size)
{
	int saved = errno;
	long r = syscall(SYS_mmap, NULL, size, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);

	errno = saved;
	return r != -1 && real_unmap((void *)r, size) == 0;
}

size_t cm_sys_page_size(void)
{
	return getauxval(AT_PAGESZ);
}

unsigned cm_sys_nr_cpus(void)
{
	unsigned long mask[128] = { 0 };
	unsigned nr = 0;
	int saved = errno;
	/* Raw: returns the bytes the kernel wrote. */
	long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

	errno = saved;
	for (size_t i = 0;
	     i < CM_ARRAY_SIZE(mask) && (long)(i * sizeof(long)) < bytes; i++)
		nr += (unsigned)__builtin_popcountl(mask[i]);
	return nr ? nr : 1;
}

uint64_t cm_sys_random(void)
{
	static uint64_t calls;
	const void *seed = (const void *)getauxval(AT_RANDOM);
	uint64_t x = (uint64_t)(uintptr_t)&x;

	/* AT_RANDOM guards the stack too: mixed, never shown as it is. */
	if (seed) {
		uint64_t s[2];

		memcpy(s, seed, sizeof(s));
		x ^= s[0] ^ (s[1] << 7 | s[1] >> 57);
	}
	x += ++calls * 0x9e3779b97f4a7c15u;	/* splitmix64 */
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}
