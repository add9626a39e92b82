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

#include "entry/site.h"
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

static bool find_in_library(const char *library, const char *name, void *slot)
{
	void *handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
	void *f = handle ? find_in(handle, name, slot) : NULL;

	if (handle)
		dlclose(handle);
	return f;
}

/*
 * A function of the C++ runtime, looked up each time: a runtime may come and
 * go with a plugin. First in whoever called new: a plugin may bring a static
 * runtime, which nobody else can see.
 */
static bool find(const void *caller, const char *name, void *slot)
{
	static const char *const libs[] = {
		"libstdc++.so.6",
		"libc++.so.1",
		"libc++abi.so.1",
	};

	Dl_info info;

	if (dladdr(caller, &info) && info.dli_fname &&
	    find_in_library(info.dli_fname, name, slot))
		return true;
	/* The program itself comes ahead of us: a static runtime. */
	if (find_in(RTLD_NEXT, name, slot) || find_in(RTLD_DEFAULT, name, slot))
		return true;
	for (size_t i = 0; i < CM_ARRAY_SIZE(libs); i++)
		if (find_in_library(libs[i], name, slot))
			return true;
	return false;
}

static new_handler current_handler(const void *caller)
{
	new_handler (*get)(void);

	return find(caller, "_ZSt15get_new_handlerv", &get) ? get() : NULL;
}

/*
 * A static libc++ over a shared libc++abi hides the function that throws. Its
 * operator new is there: it asks our malloc, which fails again, and throws.
 */
static void *fail_like_theirs(size_t size, size_t alignment, const void *caller)
{
	void *(*plain)(size_t);
	void *(*aligned)(size_t, size_t);

	if (alignment)
		return find(caller, "_ZnwmSt11align_val_t", &aligned) &&
				       aligned != _ZnwmSt11align_val_t ?
			       aligned(size, alignment) :
			       NULL;
	return find(caller, "_Znwm", &plain) && plain != _Znwm ? plain(size) :
								 NULL;
}

/*
 * [new.delete.single]: while there is a handler call it and try again, else
 * throw. Without any C++ runtime to throw with, NULL is all we have.
 */
CM_COLD static void *failed(size_t size, size_t alignment, const void *caller)
{
	void (*throw_bad_alloc)(void);
	new_handler handler;

	while ((handler = current_handler(caller))) {
		void *p;

		handler();
		p = cm_aligned_alloc(size, alignment, caller);
		if (p)
			return p;
	}
	if (find(caller, "_ZSt17__throw_bad_allocv", &throw_bad_alloc))
		throw_bad_alloc();
	return fail_like_theirs(size, alignment, caller);
}

/*
 * The handler may throw, and nothrow new must catch that, which C cannot: the
 * runtime's own nothrow new does, around a call of our throwing new.
 */
CM_COLD static void *failed_nothrow(size_t size, const void *tag,
				    const void *caller)
{
	void *(*theirs)(size_t, const void *);

	return current_handler(caller) &&
			       find(caller, "_ZnwmRKSt9nothrow_t", &theirs) &&
			       theirs != _ZnwmRKSt9nothrow_t ?
		       theirs(size, tag) :
		       NULL;
}

CM_COLD static void *failed_nothrow_aligned(size_t size, size_t alignment,
					    const void *tag, const void *caller)
{
	void *(*theirs)(size_t, size_t, const void *);

	return current_handler(caller) &&
			       find(caller,
				    "_ZnwmSt11align_val_tRKSt9nothrow_t",
				    &theirs) &&
			       theirs != _ZnwmSt11align_val_tRKSt9nothrow_t ?
		       theirs(size, alignment, tag) :
		       NULL;
}

#define NEW_PLAIN(size)							\
	void *p = cm_site_malloc_for(size, CM_CALLER);			\
	return likely(p) ? p : failed(size, 0, CM_CALLER)

#define NEW_NOTHROW(size, tag)						\
	void *p = cm_site_malloc_for(size, CM_CALLER);			\
	return likely(p) ? p : failed_nothrow(size, tag, CM_CALLER)

#define NEW_ALIGNED(size, align)					\
	void *p = cm_aligned_alloc(size, align, CM_CALLER);		\
	return likely(p) ? p : failed(size, align, CM_CALLER)

#define NEW_ALIGNED_NOTHROW(size, align, tag)				\
	void *p = cm_aligned_alloc(size, align, CM_CALLER);		\
	return likely(p) ? p : \
			   failed_nothrow_aligned(size, align, tag, CM_CALLER)

#define NEW(name, params, call)						\
	void *name params						\
	{								\
		call;							\
	}

#define DELETE(name, ...)						\
	CM_EXPORT void name(void *p, ##__VA_ARGS__);			\
	void name(void *p, ##__VA_ARGS__)				\
	{								\
		free(p);						\
	}

#pragma GCC diagnostic ignored "-Wunused-parameter"

NEW(_Znwm, (size_t size), NEW_PLAIN(size))
NEW(_Znam, (size_t size), NEW_PLAIN(size))
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), NEW_NOTHROW(size, tag))
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), NEW_NOTHROW(size, tag))
NEW(_ZnwmSt11align_val_t, (size_t size, size_t align), NEW_ALIGNED(size, align))
NEW(_ZnamSt11align_val_t, (size_t size, size_t align), NEW_ALIGNED(size, align))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t,
    (size_t size, size_t align, const void *tag),
    NEW_ALIGNED_NOTHROW(size, align, tag))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t,
    (size_t size, size_t align, const void *tag),
    NEW_ALIGNED_NOTHROW(size, align, tag))

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
