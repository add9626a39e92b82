/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch - three calls of libc's that are seen and passed on
 *
 * dlclose: an address may mean another library from then on, and nothing that
 * malloc may ask would tell: dl_iterate_phdr counts libraries that went, under a
 * lock of the loader's, whose holder may wait for the program's, whose holder
 * may be in malloc. What libc closes by itself (iconv, NSS) is not seen.
 *
 * pthread_create: a new thread knows nothing of who made it. The kernel hands
 * the name down, so rules by name need no help; cxlm_thread_tier and
 * thread.inherit do. Without them it is one test. And tiers are started for
 * threads whose own stack is too small for that.
 *
 * pthread_atfork (its part in libc.so): who registers first is prepared last, and
 * our handlers hold all of malloc's locks from then on. A library that allocates
 * under a lock it takes around fork must be prepared ahead of us; its constructor
 * may run before ours.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "entry/init.h"
#include "entry/site.h"
#include "policy/policy.h"
#include "pool/arena.h"

typedef int dlclose_fn(void *);
typedef int atfork_fn(void (*)(void), void (*)(void), void (*)(void), void *);
typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		      void *);

/* Two threads may both look: they find the same. */
static void *find(const char *name, void *_Atomic *known)
{
	void *f = atomic_load_explicit(known, memory_order_relaxed);

	if (!f) {
		f = dlsym(RTLD_NEXT, name);
		atomic_store_explicit(known, f, memory_order_relaxed);
	}
	return f;
}

CM_EXPORT int dlclose(void *handle)
{
	static void *_Atomic known;
	void *f = find("dlclose", &known);
	dlclose_fn *theirs;
	int ret;

	if (unlikely(!f))
		return -1;
	memcpy(&theirs, &f, sizeof(f));
	if (likely(!cm_site_matters()))
		return theirs(handle);
	cm_site_closing();
	ret = theirs(handle);
	cm_site_closed();
	return ret;
}

int __register_atfork(void (*prepare)(void), void (*parent)(void),
		      void (*child)(void), void *dso);

CM_EXPORT int __register_atfork(void (*prepare)(void), void (*parent)(void),
				void (*child)(void), void *dso)
{
	static void *_Atomic known;
	atfork_fn *theirs;
	void *f;

	(void)cm_init();
	f = find("__register_atfork", &known);
	if (unlikely(!f))
		return ENOMEM;
	memcpy(&theirs, &f, sizeof(f));
	return theirs(prepare, parent, child, dso);
}

struct birth {
	void *(*start)(void *);
	void *arg;
	struct cm_heritage heritage;
};

static void *begin(void *arg)
{
	struct birth birth = *(struct birth *)arg;

	free(arg);
	cm_site_inherit(birth.heritage);
	return birth.start(birth.arg);
}

/*
 * A tier that a thread is the first to use starts on that thread's stack, which
 * may be too small for it. So it starts here, on the maker's.
 */
#define SMALL_STACK	(64 * KIB)

static void start_tiers(const pthread_attr_t *attr)
{
	static _Atomic bool done[CM_NR_TIERS];
	size_t size;

	if (likely(!attr) || pthread_attr_getstacksize(attr, &size) ||
	    size > SMALL_STACK || cm_process.state != CM_STATE_TIERED ||
	    atomic_load_explicit(&cm_process.life, memory_order_acquire) !=
		    CM_LIFE_READY)
		return;
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		if (cm_policy_says(CM_WORD_USED(t)) &&
		    !atomic_exchange_explicit(&done[t], true,
					      memory_order_relaxed))
			cm_arena_start(&cm_pool[t]);
}

CM_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			     void *(*start)(void *), void *arg)
{
	static void *_Atomic known;
	void *f = find("pthread_create", &known);
	struct cm_heritage heritage = cm_site_bequeath();
	struct birth *birth;
	create_fn *theirs;
	int err, saved = errno;

	if (unlikely(!f))
		return EAGAIN;
	memcpy(&theirs, &f, sizeof(f));
	start_tiers(attr);
	errno = saved;
	if (likely(!heritage.own && !heritage.inherited))
		return theirs(thread, attr, start, arg);
	birth = malloc(sizeof(*birth));
	errno = saved;
	if (!birth)
		return EAGAIN;
	*birth = (struct birth){ start, arg, heritage };
	err = theirs(thread, attr, begin, birth);
	if (err)
		free(birth);
	return err;
}
