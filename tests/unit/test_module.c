/* SPDX-License-Identifier: BSD-2-Clause */
/* module: addresses in libraries the loader brought, and in none */
#include "support/test.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>

#include "sys/module.h"

static uintptr_t address_of(const char *name)
{
	void *f = dlsym(RTLD_DEFAULT, name);

	assert_non_null(f);
	return (uintptr_t)f + 1;
}

static bool is_name(const char *name, void *wanted)
{
	return !strcmp(name, wanted);
}

static void a_library_has_its_base_name(void **state)
{
	struct cm_module m;

	(void)state;
	assert_true(cm_module_find(address_of("lfind"), &m));
	assert_string_equal(m.name, "libc.so.6");
	assert_false(m.is_program);
	assert_true(cm_module_find(address_of("_cmocka_run_group_tests"), &m));
	assert_int_equal(strncmp(m.name, "libcmocka.so", 12), 0);
}

static void the_program_is_the_program(void **state)
{
	struct cm_module m;

	assert_true(cm_module_find((uintptr_t)the_program_is_the_program, &m));
	assert_true(m.is_program);
	assert_string_equal(m.name, cm_program_name());
	assert_non_null(strstr(m.name, "test_module"));
	(void)state;
}

static void nobodys_code_is_in_none(void **state)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct cm_module m;

	(void)state;
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_false(cm_module_find((uintptr_t)page, &m));
	assert_string_equal(m.name, "");
	assert_false(cm_module_find_in_maps((uintptr_t)page, &m));
	assert_string_equal(m.name, "");
	assert_false(cm_module_symbols(&m, (uintptr_t)page, is_name, "lfind"));
	munmap(page, 4096);
}

/* What loaders without an index would get. */
static void maps_say_the_same(void **state)
{
	const uintptr_t at[] = {
		address_of("lfind"),
		address_of("_cmocka_run_group_tests"),
		(uintptr_t)maps_say_the_same,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct cm_module a, b;

		assert_true(cm_module_find(at[i], &a));
		assert_true(cm_module_find_in_maps(at[i], &b));
		/* the loader has the name it was asked for, a link perhaps */
		assert_int_equal(strncmp(a.name, b.name, strlen(a.name)), 0);
		assert_int_equal(a.is_program, b.is_program);
		assert_true(a.start == b.start);
		assert_true(a.bias == b.bias);
		assert_ptr_equal(a.dynamic, b.dynamic);
	}
}

static void symbols_by_range(void **state)
{
	struct cm_module m;
	uintptr_t at = address_of("lfind");

	(void)state;
	assert_true(cm_module_find(at, &m));
	assert_true(cm_module_symbols(&m, at, is_name, "lfind"));
	assert_false(cm_module_symbols(&m, at, is_name, "lsearch"));
	/* aliases of one range; what no sanitizer interposes */
	at = address_of("labs");
	assert_true(cm_module_symbols(&m, at, is_name, "labs"));
	assert_true(cm_module_symbols(&m, at, is_name, "imaxabs"));
	/* not the one before it */
	assert_false(cm_module_symbols(&m, m.start, is_name, "labs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_library_has_its_base_name),
		cmocka_unit_test(the_program_is_the_program),
		cmocka_unit_test(nobodys_code_is_in_none),
		cmocka_unit_test(maps_say_the_same),
		cmocka_unit_test(symbols_by_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
