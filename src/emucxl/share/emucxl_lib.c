/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emucxl_lib.c - in the place of EmuCXL's file of that name, for its Makefile
 *
 * EmuCXL compiles its library into each program: cc app.c emucxl_lib.c. This file
 * makes that line give a program that uses libemucxl.so.0, which it loads before
 * main. Programs whose build can be changed link with -lemucxl instead.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "emucxl_lib.h"

#define CALLS                                                                  \
	CALL(void, init, (void), ())                                           \
	CALL(void, exit, (void), ())                                           \
	CALL(void *, alloc, (size_t size, int node), (size, node))             \
	CALL(void, free, (void *p, size_t size), (p, size))                    \
	CALL(void *, resize, (void *p, int node, size_t old, size_t size),     \
	     (p, node, old, size))                                             \
	CALL(void *, migrate, (void *p, int node, size_t size),                \
	     (p, node, size))                                                  \
	CALL(bool, read, (void *p, int start, void *buffer, size_t size),      \
	     (p, start, buffer, size))                                         \
	CALL(bool, write, (void *p, int start, void *buffer, size_t size),     \
	     (p, start, buffer, size))                                         \
	CALL(void *, memset, (void *p, int start, int value, size_t size),     \
	     (p, start, value, size))                                          \
	CALL(void *, memcpy, (void *to, const void *from, size_t size),        \
	     (to, from, size))                                                 \
	CALL(void *, memmove, (void *to, const void *from, size_t size),       \
	     (to, from, size))                                                 \
	CALL(bool, is_local, (void *p), (p))                                   \
	CALL(int, get_numa_node, (void *p), (p))                               \
	CALL(size_t, get_size, (void *p), (p))                                 \
	CALL(size_t, stats, (int node), (node))

const char *dev_file = "/dev/emucxl";

#define CALL(type, name, parameters, arguments)                                \
	static type(*call_##name) parameters;                                  \
	type emucxl_##name parameters                                          \
	{                                                                      \
		return call_##name arguments;                                  \
	}
CALLS
#undef CALL

static void *symbol(void *library, const char *name)
{
	void *p = library ? dlsym(library, name) : NULL;

	if (!p) {
		fprintf(stderr, "emucxl_lib.c: %s\n", dlerror());
		exit(EXIT_FAILURE);
	}
	return p;
}

__attribute__((constructor)) static void load(void)
{
	void *library = dlopen("libemucxl.so.0", RTLD_NOW | RTLD_LOCAL);

#define CALL(type, name, parameters, arguments)                                \
	*(void **)&call_##name = symbol(library, "emucxl_" #name);
	CALLS
#undef CALL
}
