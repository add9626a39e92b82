/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmap - the program's own maps: the kernel's call as the program made it, and
 * a tier for what it returned
 *
 * Every call is made raw with the caller's arguments, and what it returns is
 * returned, errno too. What is ours comes behind it, before the program sees
 * the address: so nothing of it is touched yet, and the pages come where the
 * tier has them.
 *
 * Before the library is ready, and where it does not place, calls only pass.
 * Nothing here takes a lock: see map/range.h.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "entry/init.h"
#include "entry/mmap.h"
#include "map/map.h"
#include "pool/pool.h"

#ifndef MAP_32BIT
#define MAP_32BIT 0		/* x86 alone has it */
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4	/* Linux 5.7 */
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22	/* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

#define USABLE	(PROT_READ | PROT_WRITE | PROT_EXEC)

/* Maps are placed: set once, at the end of the start. */
static _Atomic bool placing;

/* mlockall(MCL_FUTURE) was asked for: new maps are filled at once. */
static _Atomic bool filling;

/* A sanitizer watches maps: the calls are its. Set once, at the start. */
static struct {
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
	void *(*mremap)(void *, size_t, size_t, int, ...);
	int (*mprotect)(void *, size_t, int);
	int (*madvise)(void *, size_t, int);
	int (*mlockall)(int);
} next;

static bool is_placing(void)
{
	return unlikely(atomic_load_explicit(&placing, memory_order_acquire));
}

static void *raw_mmap(void *at, size_t size, int prot, int flags, int fd,
		      off_t offset)
{
	if (unlikely(next.mmap))
		return next.mmap(at, size, prot, flags, fd, offset);
	return (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset);
}

static int raw_munmap(void *at, size_t size)
{
	if (unlikely(next.munmap))
		return next.munmap(at, size);
	return (int)syscall(SYS_munmap, at, size);
}

static void *raw_mremap(void *at, size_t size, size_t new_size, int flags,
			void *to)
{
	if (unlikely(next.mremap))
		return next.mremap(at, size, new_size, flags, to);
	return (void *)syscall(SYS_mremap, at, size, new_size, flags, to);
}

static int raw_mprotect(void *at, size_t size, int prot)
{
	if (unlikely(next.mprotect))
		return next.mprotect(at, size, prot);
	return (int)syscall(SYS_mprotect, at, size, prot);
}

static int raw_madvise(void *at, size_t size, int advice)
{
	if (unlikely(next.madvise))
		return next.madvise(at, size, advice);
	return (int)syscall(SYS_madvise, at, size, advice);
}

static void find(const char *name, void *function)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
}

void cm_mmap_init(void)
{
	if (!cm_process.passed_through)
		return;
	find("mmap", &next.mmap);
	find("munmap", &next.munmap);
	find("mremap", &next.mremap);
	find("mprotect", &next.mprotect);
	find("madvise", &next.madvise);
	find("mlockall", &next.mlockall);
}

void cm_mmap_begin(void)
{
	const struct cm_settings *settings = &cm_process.settings;

	if (cm_process.state == CM_STATE_TIERED &&
	    settings->mmap_policy != CM_MMAP_OFF && !cm_map_init(settings))
		atomic_store_explicit(&placing, true, memory_order_release);
}

/* A failed call is not undone by all of them: see what is there. */
static void resync(uintptr_t at, size_t size)
{
	int saved = errno;

	cm_map_resync(at, size);
	errno = saved;
}

/* --- mmap -------------------------------------------------------------------- */

static bool may_place(int flags)
{
	return (flags & (MAP_TYPE | MAP_ANONYMOUS)) ==
		       (MAP_PRIVATE | MAP_ANONYMOUS) &&
	       !(flags & (MAP_32BIT | MAP_GROWSDOWN | MAP_STACK));
}

/* The kernel makes it whole huge pages; 2 MiB where none is named. */
static size_t whole_pages(size_t size, int flags)
{
	unsigned lg = (unsigned)flags >> MAP_HUGE_SHIFT & 63;
	size_t page = (size_t)1 << (lg ? lg : 21);

	return flags & MAP_HUGETLB ? (size + page - 1) & ~(page - 1) : size;
}

/* Does the kernel know MADV_POPULATE_WRITE? Asked once, without an effect. */
static bool can_populate(void)
{
	static _Atomic int answer;
	int saved = errno;

	if (!atomic_load_explicit(&answer, memory_order_relaxed)) {
		uintptr_t page = (uintptr_t)&answer & ~(cm_sys_page_size() - 1);

		atomic_store_explicit(
			&answer,
			raw_madvise((void *)page, 0, MADV_POPULATE_WRITE) ? -1 :
									    1,
			memory_order_relaxed);
		errno = saved;
	}
	return atomic_load_explicit(&answer, memory_order_relaxed) > 0;
}

/* As MAP_POPULATE does it: what fails is not said. */
static void populate(void *at, size_t size, int prot)
{
	int saved = errno;

	(void)raw_madvise(at, size,
			  prot & PROT_WRITE ? MADV_POPULATE_WRITE :
					      MADV_POPULATE_READ);
	errno = saved;
}

/*
 * Pages would be there before they are bound: bind, then fill. What may only
 * be executed MADV_POPULATE_READ does not fill.
 */
static bool fills_later(int prot, int flags)
{
	return prot & (PROT_READ | PROT_WRITE) &&
	       (flags & (MAP_POPULATE | MAP_NONBLOCK | MAP_LOCKED)) ==
		       MAP_POPULATE &&
	       !atomic_load_explicit(&filling, memory_order_relaxed) &&
	       can_populate();
}

static void *map_placed(void *at, size_t size, int prot, int flags, int fd,
			off_t offset, enum cm_range_place place)
{
	bool later = fills_later(prot, flags);
	unsigned how = 0;
	size_t pages;
	void *p;

	if (!later && (flags & (MAP_POPULATE | MAP_LOCKED) ||
		       atomic_load_explicit(&filling, memory_order_relaxed)))
		how |= CM_MAP_IS_FILLED;
	/* Huge pages were set aside on any node: a touch must find them. */
	if (flags & MAP_HUGETLB)
		how |= CM_MAP_MAY_SPILL;
	p = raw_mmap(at, size, prot, later ? flags & ~MAP_POPULATE : flags, fd,
		     offset);
	if (p == MAP_FAILED)
		return p;
	if (cm_range_fits((uintptr_t)p, whole_pages(size, flags), &pages))
		(void)cm_map_place((uintptr_t)p, pages, place, prot & USABLE,
				   how);
	if (later)
		populate(p, size, prot);
	return p;
}

/* Over what is known: it keeps its tier, or is no longer ours. */
static void *map_over(void *at, size_t size, int prot, int flags, int fd,
		      off_t offset, size_t pages, enum cm_range_place place)
{
	void *p;

	if (may_place(flags))
		p = map_placed(at, size, prot, flags, fd, offset, place);
	else
		p = raw_mmap(at, size, prot, flags, fd, offset);
	if (p == MAP_FAILED)
		resync((uintptr_t)at, pages);
	else if (!may_place(flags))
		cm_range_forget((uintptr_t)at, pages);
	return p;
}

static void *map(void *at, size_t size, int prot, int flags, int fd,
		 off_t offset)
{
	enum cm_range_place place;
	size_t pages;

	if (flags & MAP_FIXED && cm_range_fits((uintptr_t)at, size, &pages)) {
		pages = whole_pages(pages, flags);
		place = cm_range_first((uintptr_t)at, pages);
		if (place)
			return map_over(at, size, prot, flags, fd, offset,
					pages, place);
	}
	if (size <= cm_map_rules.above || !may_place(flags))
		return raw_mmap(at, size, prot, flags, fd, offset);
	place = cm_map_choose(size, prot & USABLE && !(flags & MAP_NORESERVE));
	return map_placed(at, size, prot, flags, fd, offset, place);
}

CM_EXPORT void *mmap(void *at, size_t size, int prot, int flags, int fd,
		     off_t offset)
{
	if (is_placing() && (flags & MAP_FIXED ||
			     (size > cm_map_rules.above && may_place(flags))))
		return map(at, size, prot, flags, fd, offset);
	return raw_mmap(at, size, prot, flags, fd, offset);
}

/* --- munmap, mprotect, madvise ------------------------------------------------- */

CM_EXPORT int munmap(void *at, size_t size)
{
	size_t pages;
	int r;

	if (!is_placing() || !cm_range_fits((uintptr_t)at, size, &pages) ||
	    !cm_range_first((uintptr_t)at, pages))
		return raw_munmap(at, size);
	cm_range_leave((uintptr_t)at, pages);
	r = raw_munmap(at, size);
	if (r == 0) {
		cm_range_left((uintptr_t)at, pages);
	} else {
		cm_range_stay((uintptr_t)at, pages);
		resync((uintptr_t)at, pages);
	}
	return r;
}

static int protected(void *at, size_t size, int prot, int r)
{
	size_t pages;

	if (!is_placing() || !cm_range_fits((uintptr_t)at, size, &pages))
		return r;
	if (r == 0)
		cm_range_protect((uintptr_t)at, pages, prot & USABLE);
	else if (cm_range_first((uintptr_t)at, pages))
		resync((uintptr_t)at, pages);
	return r;
}

CM_EXPORT int mprotect(void *at, size_t size, int prot)
{
	return protected(at, size, prot, raw_mprotect(at, size, prot));
}

/*
 * Pages that are given back come back to the same nodes, since the range keeps
 * its policy; and `mapped` is what may be touched, which they still may.
 */
CM_EXPORT int madvise(void *at, size_t size, int advice)
{
	return raw_madvise(at, size, advice);
}

CM_EXPORT int mlockall(int flags)
{
	int r = next.mlockall ? next.mlockall(flags) :
				(int)syscall(SYS_mlockall, flags);

	if (r == 0 && (flags & (MCL_FUTURE | MCL_ONFAULT)) == MCL_FUTURE)
		atomic_store_explicit(&filling, true, memory_order_relaxed);
	return r;
}

/* --- mremap -------------------------------------------------------------------- */

struct move {
	uintptr_t from, to;
	size_t size, new_size;
	bool fixed;
	bool stays;			/* MREMAP_DONTUNMAP */
	bool any;			/* of the old pages some are known, */
	struct cm_range_run first;
	bool has_last;			/* and the last of them */
	struct cm_range_run last;
};

static void look_at(struct move *m)
{
	size_t page = cm_sys_page_size();

	m->any = cm_range_next(m->from, m->from + m->size, &m->first);
	m->has_last = m->any && cm_range_next(m->from + m->size - page,
					      m->from + m->size, &m->last);
}

/*
 * Two maps of the program's that the kernel would have made one are two if
 * their tiers differ, and mremap takes one only. So they get one tier. If both
 * were touched before that, they stay two, and the error stands.
 */
static bool made_one(const struct move *m)
{
	bool bound;

	if (m->first.at == m->from && m->first.size >= m->size)
		return false;
	bound = cm_map_bind(m->from, m->size, m->first.place, 0);
	for (unsigned t = 0; !bound && t < CM_NR_TIERS; t++)
		bound = cm_map_bind(m->from, m->size,
				    (enum cm_range_place)(t + 1), 0);
	return bound;
}

static void remapped(const struct move *m)
{
	/* The kernel keeps the policy of what it moves, the program's own too. */
	size_t both = m->size < m->new_size ? m->size : m->new_size;

	if (m->to == m->from) {
		if (m->any && m->size > both)
			cm_range_left(m->from + both, m->size - both);
		if (m->any)
			cm_range_stay(m->from, both);
	} else {
		cm_range_forget(m->to, m->new_size);
		if (m->any)
			(void)cm_range_copy(m->from, m->to, both);
		if (m->any && m->stays)
			cm_range_stay(m->from, m->size);
		else if (m->any)
			cm_range_left(m->from, m->size);
	}
	if (m->has_last && m->new_size > both)
		(void)cm_range_add(m->to + both, m->new_size - both,
				   m->last.place, m->last.usable);
}

static void *remap(struct move *m, void *at, size_t size, size_t new_size,
		   int flags, void *to)
{
	void *p;

	if (m->any)
		cm_range_leave(m->from, m->size);
	p = raw_mremap(at, size, new_size, flags, to);
	if (p == MAP_FAILED && errno == EFAULT && m->any && made_one(m)) {
		p = raw_mremap(at, size, new_size, flags, to);
		if (p != MAP_FAILED)	/* it was one: all is alike */
			(void)cm_range_add(m->from, m->size, m->first.place,
					   m->first.usable);
		if (p != MAP_FAILED)
			cm_range_leave(m->from, m->size);
	}
	if (p == MAP_FAILED) {
		if (m->any) {
			cm_range_stay(m->from, m->size);
			resync(m->from, m->size);
		}
		if (m->fixed)
			resync((uintptr_t)to, m->new_size);
		return p;
	}
	m->to = (uintptr_t)p;
	remapped(m);
	return p;
}

CM_EXPORT void *mremap(void *at, size_t size, size_t new_size, int flags, ...)
{
	struct move m = { .from = (uintptr_t)at,
			  .fixed = flags & MREMAP_FIXED,
			  .stays = flags & MREMAP_DONTUNMAP };
	void *to = NULL;
	va_list args;

	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		va_start(args, flags);
		to = va_arg(args, void *);
		va_end(args);
	}
	if (!is_placing() || !cm_range_fits(m.from, size, &m.size) ||
	    !cm_range_fits(m.fixed ? (uintptr_t)to : 0, new_size, &m.new_size))
		return raw_mremap(at, size, new_size, flags, to);
	look_at(&m);
	m.fixed = m.fixed && cm_range_first((uintptr_t)to, m.new_size);
	if (!m.any && !m.fixed)
		return raw_mremap(at, size, new_size, flags, to);
	return remap(&m, at, size, new_size, flags, to);
}

/* --- other names ----------------------------------------------------------------- */

#define ALIAS(name, of) \
	extern __typeof__(of) name __attribute__((alias(#of), nothrow, leaf, \
						  visibility("default")))

ALIAS(mmap64, mmap);
ALIAS(__mmap, mmap);
ALIAS(__munmap, munmap);
ALIAS(__mprotect, mprotect);
ALIAS(__madvise, madvise);

CM_EXPORT int pkey_mprotect(void *at, size_t size, int prot, int pkey)
{
	int r = pkey == -1 ?
			raw_mprotect(at, size, prot) :
			(int)syscall(SYS_pkey_mprotect, at, size, prot, pkey);

	return protected(at, size, prot, r);
}
