/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cxx_host - a C program with a C++ plugin it loads with RTLD_LOCAL
 *
 * argv[1]: the plugin. operator new of the preload must find that plugin's
 * runtime to throw with; an exception that escapes ends in terminate().
 */
#include <dlfcn.h>
#include <stdint.h>

#include "check.h"

static int call(void *plugin, const char *name, size_t n)
{
	int (*function)(size_t);

	*(void **)&function = dlsym(plugin, name);
	return function ? function(n) : -2;
}

int main(int argc, char **argv)
{
	size_t huge = hide((size_t)PTRDIFF_MAX - 4096);
	void *plugin;

	if (argc != 2)
		return 2;
	check(!dlsym(RTLD_DEFAULT, "__cxa_throw"),
	      "no C++ runtime is loaded for a C program");
	plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!plugin) {
		note("%s", dlerror());
		check(0, "the plugin is loaded");
		return check_done();
	}
	check(call(plugin, "plugin_containers", 0) == 1, "containers");
	check(call(plugin, "plugin_new", 1000) == 0, "new");
	check(call(plugin, "plugin_aligned_new", 1000) == 0, "aligned new");
	check(call(plugin, "plugin_nothrow_new", 1000) == 0, "nothrow new");
	check(call(plugin, "plugin_nothrow_new", huge) == 1,
	      "nothrow new of a huge size gives null");
	check(call(plugin, "plugin_new", huge) == 1,
	      "new of a huge size throws inside the plugin");
	check(call(plugin, "plugin_aligned_new", huge) == 1,
	      "aligned new of a huge size throws inside the plugin");
	check(call(plugin, "plugin_handler", huge) == 2,
	      "the plugin's new_handler is called, then bad_alloc thrown");
	check(call(plugin, "plugin_new", huge) == 1, "and it throws again");
	check(dlclose(plugin) == 0, "the plugin is unloaded");
	return check_done();
}
