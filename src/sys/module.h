/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module - which library or program an address is in, and which symbol
 *
 * For call sites inside malloc: no lock of the loader is taken, nothing is
 * allocated, errno is kept. The address has to be one that is being executed,
 * a return address on this thread's stack: its module then cannot go away
 * while it is looked at.
 *
 * The loader's own lock-free index is asked (_dl_find_object, glibc 2.35);
 * where there is none /proc/self/maps, and the ELF header it points to.
 */
#ifndef CM_SYS_MODULE_H
#define CM_SYS_MODULE_H

#include "base/types.h"

#define CM_MODULE_NAME_MAX	256

struct cm_module {
	char name[CM_MODULE_NAME_MAX];	/* base name; "": in no module */
	bool is_program;
	uintptr_t start, end;		/* what it maps */
	uintptr_t bias;			/* address less the file's (l_addr) */
	const void *dynamic;		/* its dynamic section, or NULL */
};

/* False: in no module (generated code), *module is empty then. */
bool cm_module_find(uintptr_t at, struct cm_module *module);

/* By /proc/self/maps alone. */
bool cm_module_find_in_maps(uintptr_t at, struct cm_module *module);

/*
 * Call fn for each exported function whose range has the address, aliases
 * too, until it returns true; then true.
 */
bool cm_module_symbols(const struct cm_module *module, uintptr_t at,
		       bool (*fn)(const char *name, void *arg), void *arg);

/*
 * The base name of the program's file, for a script its interpreter's, cut to
 * size; found once. "" where the kernel does not tell.
 */
const char *cm_program_name(void);

#endif
