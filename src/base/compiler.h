/* SPDX-License-Identifier: BSD-2-Clause */
/* compiler - what we ask of gcc and clang beyond C11 */
#ifndef CM_BASE_COMPILER_H
#define CM_BASE_COMPILER_H

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* A symbol of the product's interface; src/libcxlmalloc.map must name it too. */
#define CM_EXPORT	__attribute__((visibility("default")))

/* One of ours: reached without the loader's indirection. */
#define CM_HIDDEN	__attribute__((visibility("hidden")))

/* Keep slow paths out of the fast path's cache lines and registers. */
#define CM_COLD		__attribute__((noinline, cold))
#define CM_NOINLINE	__attribute__((noinline))

/*
 * Thread-local state lives in static TLS: a general-dynamic access may call
 * malloc inside the loader, which is us.
 */
#define CM_TLS		__thread __attribute__((tls_model("initial-exec")))

/* The first instruction of what an indirect jump may reach. */
#if defined(__CET__) && __CET__ & 1
#define CM_ENDBR	"	endbr64\n"
#else
#define CM_ENDBR	""
#endif

#define cm_container_of(ptr, type, member) \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define CM_ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif
