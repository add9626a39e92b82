/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new - C++ operator new and delete, by their mangled names, without C++
 *
 * A C program must not load libstdc++ because of us, so the three functions a
 * failing new needs are looked up when it fails, wherever the C++ runtime is:
 * linked, brought by a plugin that was opened with RTLD_LOCAL (then only
 * dlopen with RTLD_NOLOAD finds it), libstdc++ or libc++. Both mangle these
 * names alike. The exception passes through our frames, so this file is
 * compiled with -fexceptions.
 *
 * Names: Itanium C++ ABI, 5.1.4; on LP64 size_t is m.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "entry/slow.h"

typedef void (*new_handler)(void);

struct runtime {
	new_handler (*get_new_handler)(void);
	void (*throw_bad_alloc)(void);
};

static void *find_in(void *handle, const char *name, void *slot)
{
	void *f = dlsym(handle, name);

	memcpy(slot, &f, sizeof(f));
	return f;
}

static bool find_runtime(void *handle, struct runtime *rt)
{
	return find_in(handle, "_ZSt15get_new_handlerv",
		       &rt->get_new_handler) &&
	       find_in(handle, "_ZSt17__throw_bad_allocv",
		       &rt->throw_bad_alloc);
}

/* Looked up each time: a runtime may come and go with a plugin. */
static bool runtime(struct runtime *rt)
{
	static const char *const libs[] = {
		"libstdc++.so.6", "libc++.so.1", "libc++abi.so.1",
	};

	if (find_runtime(RTLD_DEFAULT, rt))
		return true;
	for (size_t i = 0; i < CM_ARRAY_SIZE(libs); i++) {
		void *handle = dlopen(libs[i], RTLD_LAZY | RTLD_NOLOAD);
		bool found = handle && find_runtime(handle, rt);

		if (handle)
			dlclose(handle);
		if (found)
			return true;
	}
	return false;
}

/*
 * [new.delete.single]: while there is a handler call it and try again, else
 * throw. Without any C++ runtime to throw with, NULL is all we have.
 */
CM_COLD static void *failed(size_t size, size_t alignment, bool nothrow)
{
	struct runtime rt;
	new_handler handler;
	void *p;

	while (runtime(&rt)) {
		handler = rt.get_new_handler();
		if (!handler) {
			if (!nothrow)
				rt.throw_bad_alloc();
			break;
		}
		handler();
		p = cm_slow_alloc(size, alignment, false);
		if (p)
			return p;
	}
	return NULL;
}

static inline void *new_plain(size_t size)
{
	void *p = malloc(size);

	return likely(p) ? p : failed(size, 0, false);
}

static inline void *new_nothrow(size_t size)
{
	void *p = malloc(size);

	return likely(p) ? p : failed(size, 0, true);
}

static inline void *new_aligned(size_t size, size_t alignment, bool nothrow)
{
	void *p = cm_slow_alloc(size, alignment, false);

	return likely(p) ? p : failed(size, alignment, nothrow);
}

#define NEW(name, params, call)						\
	CM_EXPORT void *name params;					\
	void *name params						\
	{								\
		return call;						\
	}

#define DELETE(name, ...)						\
	CM_EXPORT void name(void *p, ##__VA_ARGS__);			\
	void name(void *p, ##__VA_ARGS__)				\
	{								\
		free(p);						\
	}

#pragma GCC diagnostic ignored "-Wunused-parameter"

NEW(_Znwm, (size_t size), new_plain(size))
NEW(_Znam, (size_t size), new_plain(size))
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), new_nothrow(size))
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), new_nothrow(size))
NEW(_ZnwmSt11align_val_t, (size_t size, size_t align),
    new_aligned(size, align, false))
NEW(_ZnamSt11align_val_t, (size_t size, size_t align),
    new_aligned(size, align, false))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t,
    (size_t size, size_t align, const void *tag),
    new_aligned(size, align, true))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t,
    (size_t size, size_t align, const void *tag),
    new_aligned(size, align, true))

DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE(_ZdlPvm, size_t size)
DELETE(_ZdaPvm, size_t size)
DELETE(_ZdlPvRKSt9nothrow_t, const void *tag)
DELETE(_ZdaPvRKSt9nothrow_t, const void *tag)
DELETE(_ZdlPvSt11align_val_t, size_t align)
DELETE(_ZdaPvSt11align_val_t, size_t align)
DELETE(_ZdlPvmSt11align_val_t, size_t size, size_t align)
DELETE(_ZdaPvmSt11align_val_t, size_t size, size_t align)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, size_t align, const void *tag)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, size_t align, const void *tag)
