/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch - two calls of libc's that are seen and passed on
 *
 * dlclose: an address may mean another library from then on, and nothing that
 * malloc may ask would tell: dl_iterate_phdr counts libraries that went, under a
 * lock of the loader's, whose holder may wait for the program's, whose holder
 * may be in malloc. What libc closes by itself (iconv, NSS) is not seen.
 *
 * pthread_create: a new thread knows nothing of who made it. The kernel hands
 * the name down, so rules by name need no help; cxlm_thread_tier and
 * thread.inherit do. Without them it is one test.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "entry/site.h"

typedef int dlclose_fn(void *);
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
