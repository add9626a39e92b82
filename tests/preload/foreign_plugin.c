/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign_plugin - plugins come, allocate, and go
 *
 * argv[1]: a plugin; argv[2]: one linked with libjemalloc; argv[3], argv[4]:
 * the same for RTLD_DEEPBIND; argv[5]: a folder with copies tls0.so, tls1.so,
 * ... of the first.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#include "check.h"

#define NR_TLS	40

struct plugin {
	void *handle;
	void *(*malloc)(size_t);
	void (*free)(void *);
	int (*work)(int);
};

static int load(struct plugin *plugin, const char *path, int flags)
{
	plugin->handle = dlopen(path, RTLD_NOW | flags);
	if (!plugin->handle) {
		note("%s", dlerror());
		return 0;
	}
	*(void **)&plugin->malloc = dlsym(plugin->handle, "plugin_malloc");
	*(void **)&plugin->free = dlsym(plugin->handle, "plugin_free");
	*(void **)&plugin->work = dlsym(plugin->handle, "plugin_work");
	return plugin->malloc && plugin->free && plugin->work;
}

static void load_and_unload(const char *path)
{
	unsigned char *kept[20];
	struct plugin plugin;
	int good = 1, own = 1;

	for (unsigned i = 0; i < 20; i++) {
		good &= load(&plugin, path, RTLD_LOCAL);
		if (!good)
			break;
		own &= plugin.work((int)i) == 0;
		kept[i] = plugin.malloc(i * 100 + 1);
		fill(kept[i], i * 100 + 1, i);
		good &= dlclose(plugin.handle) == 0;
	}
	check(good && own, "a plugin is loaded and unloaded twenty times");
	for (unsigned i = 0; good && i < 20; i++) {
		good &= filled(kept[i], i * 100 + 1, i);
		kept[i] = realloc(kept[i], i * 300 + 1);
		good &= kept[i] && filled(kept[i], i * 100 + 1, i);
		free(kept[i]);
	}
	check(good, "its blocks outlive it");
}

/*
 * The plugin's own malloc is another allocator's (libc's, or libjemalloc's):
 * it serves itself, and the program frees what it is handed.
 */
static void deep_binding(const char *path, const char *which)
{
	struct plugin plugin;
	int own = 1, given = 1;

	if (!load(&plugin, path, RTLD_LOCAL | RTLD_DEEPBIND)) {
		check(0, "%s with RTLD_DEEPBIND is loaded", which);
		return;
	}
	for (size_t n = 1; n < 4 << 20; n = n * 3 + 1) {
		unsigned char *p = plugin.malloc(n);

		fill(p, n, 1);
		own &= filled(p, n, 1);
		plugin.free(p);
		p = plugin.malloc(n);
		fill(p, n, 2);
		given &= malloc_usable_size(p) >= n ||
			 malloc_usable_size(p) == 0;
		free(p);
		p = plugin.malloc(n);
		fill(p, n, 3);
		p = realloc(p, n * 2 + 100);
		given &= !p || filled(p, n, 3);
		free(p);
	}
	check(own, "%s with RTLD_DEEPBIND serves itself", which);
	check(given, "the program may free what %s made", which);
	free(malloc(100000));
	dlclose(plugin.handle);
}

static struct plugin tls[NR_TLS];

static void *use_thread_data(void *arg)
{
	size_t good = 1;

	(void)arg;
	for (int i = 0; i < NR_TLS; i++)
		good &= tls[i].work(i + 1) == 0;
	return (void *)good;
}

/* Thread-local data of late modules: the loader mallocs and reallocs. */
static void late_thread_local_data(const char *folder)
{
	pthread_t thread[8];
	int good = 1;
	char path[512];
	void *said;

	for (int i = 0; good && i < NR_TLS; i++) {
		snprintf(path, sizeof(path), "%s/tls%d.so", folder, i);
		good = load(&tls[i], path, RTLD_LOCAL);
	}
	for (unsigned i = 0; good && i < 8; i++)
		pthread_create(&thread[i], NULL, use_thread_data, NULL);
	for (unsigned i = 0; good && i < 8; i++) {
		pthread_join(thread[i], &said);
		good &= said != NULL;
	}
	good = good && use_thread_data(NULL);
	for (int i = 0; good && i < NR_TLS; i++)
		good &= dlclose(tls[i].handle) == 0;
	check(good, "%d plugins with thread-local data, in 9 threads", NR_TLS);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	load_and_unload(argv[1]);
	load_and_unload(argv[2]);
	deep_binding(argv[3], "a plugin");
	deep_binding(argv[4], "a plugin of libjemalloc's");
	late_thread_local_data(argv[5]);
	return check_done();
}
