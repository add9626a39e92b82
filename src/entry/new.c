/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new - C++ operator new and delete, by their mangled names, without C++
 *
 * A C program must not load libstdc++ because of us, so the functions a
 * failing new needs are looked up when it fails, wherever the C++ runtime is:
 * linked, brought by a plugin that was opened with RTLD_LOCAL (then only
 * dlopen with RTLD_NOLOAD finds it), libstdc++ or libc++. Both mangle these
 * names alike. The exception passes through our frames, so this file is
 * compiled with -fexceptions.
 *
 * Names: Itanium C++ ABI, 5.1.4; on LP64 size_t is m.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "entry/slow.h"

CM_EXPORT void *_Znwm(size_t size);
CM_EXPORT void *_Znam(size_t size);
CM_EXPORT void *_ZnwmRKSt9nothrow_t(size_t size, const void *tag);
CM_EXPORT void *_ZnamRKSt9nothrow_t(size_t size, const void *tag);
CM_EXPORT void *_ZnwmSt11align_val_t(size_t size, size_t align);
CM_EXPORT void *_ZnamSt11align_val_t(size_t size, size_t align);
CM_EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,
						   const void *tag);
CM_EXPORT void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,
						   const void *tag);

typedef void (*new_handler)(void);

static void *find_in(void *handle, const char *name, void *slot)
{
	void *f = dlsym(handle, name);

	memcpy(slot, &f, sizeof(f));
	return f;
}

/*
 * A function of the C++ runtime, looked up each time: a runtime may come and
 * go with a plugin. RTLD_NEXT, so that what we define ourselves is passed by.
 */
static bool find(const char *name, void *slot)
{
	static const char *const libs[] = {
		"libstdc++.so.6", "libc++.so.1", "libc++abi.so.1",
	};

	/* The program itself comes ahead of us: a static runtime. */
	if (find_in(RTLD_NEXT, name, slot) ||
	    find_in(RTLD_DEFAULT, name, slot))
		return true;
	for (size_t i = 0; i < CM_ARRAY_SIZE(libs); i++) {
		void *handle = dlopen(libs[i], RTLD_LAZY | RTLD_NOLOAD);
		void *f = handle ? find_in(handle, name, slot) : NULL;

		if (handle)
			dlclose(handle);
		if (f)
			return true;
	}
	return false;
}

static new_handler current_handler(void)
{
	new_handler (*get)(void);

	return find("_ZSt15get_new_handlerv", &get) ? get() : NULL;
}

/*
 * [new.delete.single]: while there is a handler call it and try again, else
 * throw. Without any C++ runtime to throw with, NULL is all we have.
 */
CM_COLD static void *failed(size_t size, size_t alignment)
{
	void (*throw_bad_alloc)(void);
	new_handler handler;

	while ((handler = current_handler())) {
		void *p;

		handler();
		p = cm_slow_alloc(size, alignment, false);
		if (p)
			return p;
	}
	if (find("_ZSt17__throw_bad_allocv", &throw_bad_alloc))
		throw_bad_alloc();
	return NULL;
}

/*
 * The handler may throw, and nothrow new must catch that, which C cannot: the
 * runtime's own nothrow new does, around a call of our throwing new.
 */
CM_COLD static void *failed_nothrow(size_t size, const void *tag)
{
	void *(*theirs)(size_t, const void *);

	return current_handler() && find("_ZnwmRKSt9nothrow_t", &theirs) &&
	       theirs != _ZnwmRKSt9nothrow_t ? theirs(size, tag) : NULL;
}

CM_COLD static void *failed_nothrow_aligned(size_t size, size_t alignment,
					    const void *tag)
{
	void *(*theirs)(size_t, size_t, const void *);

	return current_handler() &&
	       find("_ZnwmSt11align_val_tRKSt9nothrow_t", &theirs) &&
	       theirs != _ZnwmSt11align_val_tRKSt9nothrow_t ?
		theirs(size, alignment, tag) : NULL;
}

static inline void *new_plain(size_t size)
{
	void *p = malloc(size);

	return likely(p) ? p : failed(size, 0);
}

static inline void *new_aligned(size_t size, size_t alignment)
{
	void *p = cm_slow_alloc(size, alignment, false);

	return likely(p) ? p : failed(size, alignment);
}

static inline void *new_nothrow(size_t size, const void *tag)
{
	void *p = malloc(size);

	return likely(p) ? p : failed_nothrow(size, tag);
}

static inline void *new_nothrow_aligned(size_t size, size_t alignment,
					const void *tag)
{
	void *p = cm_slow_alloc(size, alignment, false);

	return likely(p) ? p : failed_nothrow_aligned(size, alignment, tag);
}

#define NEW(name, params, call)						\
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
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), new_nothrow(size, tag))
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), new_nothrow(size, tag))
NEW(_ZnwmSt11align_val_t, (size_t size, size_t align),
    new_aligned(size, align))
NEW(_ZnamSt11align_val_t, (size_t size, size_t align),
    new_aligned(size, align))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t,
    (size_t size, size_t align, const void *tag),
    new_nothrow_aligned(size, align, tag))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t,
    (size_t size, size_t align, const void *tag),
    new_nothrow_aligned(size, align, tag))

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
