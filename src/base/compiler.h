/* SPDX-License-Identifier: BSD-2-Clause */
/* compiler - what we ask of gcc and clang beyond C11 */
#ifndef CM_BASE_COMPILER_H
#define CM_BASE_COMPILER_H

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* One of ours: reached without the loader's indirection. */
#define CM_HIDDEN	__attribute__((visibility("hidden")))

/*
 * A symbol of the product's interface; src/libcxlmalloc.map must name it too.
 * CM_MEM is libcxlmem, which shows nothing but the jumps of mem/table.c.
 */
#ifdef CM_MEM
#define CM_EXPORT	CM_HIDDEN
#else
#define CM_EXPORT	__attribute__((visibility("default")))
#endif

/* Keep slow paths out of the fast path's cache lines and registers. */
#define CM_COLD		__attribute__((noinline, cold))
#define CM_NOINLINE	__attribute__((noinline))

/*
 * Thread-local state lives in static TLS: a general-dynamic access may call
 * malloc inside the loader, which is us. In libcxlmem it is not, and dlopen has
 * no static TLS for as much as this. Not by descriptors (-mtls-dialect=gnu2):
 * before glibc 2.40 on x86-64 the first access lost vector registers (BZ 31372).
 */
#ifdef CM_MEM
#define CM_TLS		__thread
#else
#define CM_TLS		__thread __attribute__((tls_model("initial-exec")))
#endif

/* The first instruction of what an indirect jump may reach. */
#if defined(__CET__) && __CET__ & 1
#define CM_ENDBR	"	endbr64\n"
#else
#define CM_ENDBR	""
#endif

/*
 * Zero at start and mostly never touched: away from the small variables, which
 * then share few pages. Where there is such a section; clang may fill the file.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CM_SPARSE	__attribute__((section(".lbss.cm")))
#else
#define CM_SPARSE
#endif

#define cm_container_of(ptr, type, member) \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define CM_ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif
