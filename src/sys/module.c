/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "sys/file.h"

#ifdef DLFO_STRUCT_HAS_EH_DBASE
extern int _dl_find_object(void *at, struct dl_find_object *result)
	__attribute__((weak));
#endif

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void set_name(char name[CM_MODULE_NAME_MAX], const char *path)
{
	const char *base = base_name(path);
	size_t len = strnlen(base, CM_MODULE_NAME_MAX - 1);

	memcpy(name, base, len);
	name[len] = '\0';
}

const char *cm_program_name(void)
{
	static char name[CM_MODULE_NAME_MAX];
	static _Atomic bool known;
	static const char deleted[] = " (deleted)";
	char path[1024];
	int saved = errno;
	size_t len;
	long n;

	if (atomic_load_explicit(&known, memory_order_acquire))
		return name;
	n = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path,
		    sizeof(path) - 1);
	errno = saved;
	if (n <= 0) {
		const char *file = (const char *)getauxval(AT_EXECFN);

		if (file)
			set_name(name, file);
	} else {
		path[n] = '\0';
		len = strlen(path);
		if (len > sizeof(deleted) &&
		    !strcmp(path + len - sizeof(deleted) + 1, deleted))
			path[len - sizeof(deleted) + 1] = '\0';
		set_name(name, path);
	}
	atomic_store_explicit(&known, true, memory_order_release);
	return name;
}

static bool has_program(const struct cm_module *module)
{
	uintptr_t phdr = (uintptr_t)getauxval(AT_PHDR);

	return phdr >= module->start && phdr < module->end;
}

/* The part of /proc/self/maps that has been read. */
struct search {
	uintptr_t at;
	struct cm_module *module;
	uintptr_t header;	/* where the file's beginning is mapped */
	char file[CM_MODULE_NAME_MAX];
	bool found;
};

static const char *hex(const char *p, uintptr_t *value)
{
	for (*value = 0;; p++) {
		unsigned char c = (unsigned char)*p | 0x20;

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value << 4 | (unsigned)(c - 'a' + 10);
		else
			return p;
	}
}

/* "start-end perms offset device inode   path" */
static int look_at(char *line, void *arg)
{
	struct search *s = arg;
	uintptr_t start, end, offset;
	const char *p = hex(line, &start);
	char name[CM_MODULE_NAME_MAX];

	if (*p++ != '-')
		return 0;
	p = hex(p, &end);
	if (strlen(p) < 7)
		return 0;
	(void)hex(p + 6, &offset);
	p = strchr(p, '/');
	/* A file's bss, and what lies in its holes, has no name. */
	if (!p)
		return s->found && start != s->module->end;
	set_name(name, p);
	if (!offset || strcmp(name, s->file)) {
		if (s->found)
			return 1;
		memcpy(s->file, name, sizeof(name));
		s->header = offset ? 0 : start;
	}
	if (s->header)
		s->module->end = end;
	s->found |= s->at >= start && s->at < end && s->header;
	return s->at < start && !s->found;
}

/* What the loader would have told us, from the file's own headers. */
static void read_headers(struct cm_module *module)
{
	const ElfW(Ehdr) *ehdr = (const void *)module->start;
	const ElfW(Phdr) * phdr;
	bool biased = false;

	module->bias = module->start;
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG) ||
	    ehdr->e_phentsize != sizeof(*phdr) ||
	    ehdr->e_phoff + ehdr->e_phnum * sizeof(*phdr) > 4096)
		return;
	phdr = (const void *)(module->start + ehdr->e_phoff);
	for (unsigned i = 0; i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type == PT_LOAD && !biased) {
			module->bias = module->start -
				       (phdr[i].p_vaddr & ~(uintptr_t)4095);
			biased = true;
		}
		if (phdr[i].p_type == PT_DYNAMIC &&
		    phdr[i].p_vaddr < module->end - module->bias)
			module->dynamic = (const void *)(module->bias +
							 phdr[i].p_vaddr);
	}
}

bool cm_module_find_in_maps(uintptr_t at, struct cm_module *module)
{
	struct search search = { .at = at, .module = module };
	char buf[1024];

	memset(module, 0, sizeof(*module));
	(void)cm_file_lines("/proc/self/maps", buf, sizeof(buf), look_at,
			    &search);
	if (!search.found) {
		memset(module, 0, sizeof(*module));
		return false;
	}
	set_name(module->name, search.file);
	module->start = search.header;
	module->is_program = has_program(module);
	read_headers(module);
	return true;
}

bool cm_module_find(uintptr_t at, struct cm_module *module)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
	struct dl_find_object found;
	const struct link_map *map;

	if (unlikely(!_dl_find_object))
		return cm_module_find_in_maps(at, module);
	memset(module, 0, sizeof(*module));
	if (_dl_find_object((void *)at, &found))
		return false;
	map = found.dlfo_link_map;
	module->start = (uintptr_t)found.dlfo_map_start;
	module->end = (uintptr_t)found.dlfo_map_end;
	module->bias = map->l_addr;
	module->dynamic = map->l_ld;
	module->is_program = has_program(module);
	set_name(module->name,
		 module->is_program ? cm_program_name() : map->l_name);
	return true;
#else
	return cm_module_find_in_maps(at, module);
#endif
}

/* Tables as a module's own dynamic section has them. */
struct tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	size_t strings_size;
	const uint32_t *gnu_hash;
	const uint32_t *hash;
};

static bool inside(const struct cm_module *module, const void *p, size_t size)
{
	uintptr_t at = (uintptr_t)p;

	return at >= module->start && at < module->end &&
	       size <= module->end - at;
}

/* glibc adds the bias where the section can be written; others do not. */
static const void *address(const struct cm_module *module, uintptr_t value)
{
	if (value < module->start || value >= module->end)
		value += module->bias;
	return value >= module->start && value < module->end ?
		       (const void *)value :
		       NULL;
}

static void read_tables(const struct cm_module *module, struct tables *tables)
{
	const ElfW(Dyn) *d = module->dynamic;

	memset(tables, 0, sizeof(*tables));
	for (; inside(module, d, sizeof(*d)) && d->d_tag != DT_NULL; d++) {
		switch (d->d_tag) {
		case DT_SYMTAB:
			tables->symbols = address(module, d->d_un.d_ptr);
			break;
		case DT_STRTAB:
			tables->strings = address(module, d->d_un.d_ptr);
			break;
		case DT_STRSZ:
			tables->strings_size = d->d_un.d_val;
			break;
		case DT_GNU_HASH:
			tables->gnu_hash = address(module, d->d_un.d_ptr);
			break;
		case DT_HASH:
			tables->hash = address(module, d->d_un.d_ptr);
			break;
		}
	}
}

/*
 * Nothing says how many symbols there are. DT_HASH has a chain for each;
 * DT_GNU_HASH has the hashed ones last, and the last chain ends with them.
 */
static size_t count_symbols(const struct cm_module *module,
			    const struct tables *tables)
{
	const uint32_t *h = tables->gnu_hash, *buckets, *chain;
	uint32_t nr_buckets, first, last = 0;

	if (tables->hash && inside(module, tables->hash, 8))
		return tables->hash[1];
	if (!h || !inside(module, h, 16))
		return 0;
	nr_buckets = h[0];
	first = h[1];
	buckets = h + 4 + (size_t)h[2] * (sizeof(ElfW(Addr)) / 4);
	if (!inside(module, buckets, nr_buckets * sizeof(*buckets)))
		return 0;
	for (uint32_t i = 0; i < nr_buckets; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < first)
		return first;
	chain = buckets + nr_buckets;
	while (inside(module, &chain[last - first], sizeof(*chain)) &&
	       !(chain[last - first] & 1))
		last++;
	return (size_t)last + 1;
}

static bool is_function(const ElfW(Sym) * symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC ||
		type == STT_NOTYPE);
}

bool cm_module_symbols(const struct cm_module *module, uintptr_t at,
		       bool (*fn)(const char *name, void *arg), void *arg)
{
	struct tables tables;
	uintptr_t offset = at - module->bias;
	size_t nr;

	if (!module->dynamic)
		return false;
	read_tables(module, &tables);
	if (!tables.symbols || !tables.strings ||
	    !inside(module, tables.strings, tables.strings_size))
		return false;
	nr = count_symbols(module, &tables);
	for (size_t i = 0; i < nr; i++) {
		const ElfW(Sym) *s = &tables.symbols[i];

		if (!inside(module, s, sizeof(*s)))
			break;
		if (offset - s->st_value < s->st_size && is_function(s) &&
		    s->st_name < tables.strings_size &&
		    fn(tables.strings + s->st_name, arg))
			return true;
	}
	return false;
}
