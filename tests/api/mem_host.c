/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_host - a program that knows libcxlmem by dlopen alone
 *
 *	mem_host LIBRARY own | same [thread]
 *
 * "thread": it is loaded by another thread than main. Threads that were there
 * before it use it, and what it gave is theirs after it was closed.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

#include "../preload/check.h"

static void *(*mem_malloc)(int tier, size_t size, int flags);
static void (*mem_free)(void *p);
static int (*mem_tier_of)(const void *p);

static void *library;
static const char *path;
static pthread_barrier_t loaded, done;
static _Atomic int nr_wrong;

static void *find(const char *name)
{
	void *f = library ? dlsym(library, name) : NULL;

	check(f != NULL, "it has %s", name);
	return f;
}

static int maps_have(const char *name)
{
	char line[512];
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, name) != NULL;
	if (maps)
		fclose(maps);
	return found;
}

/* The page that cxlctl reads comes with the heap. */
static int heap_has_started(void)
{
	return maps_have("memfd:cxlmalloc");
}

static void *use(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		size_t size = 1 + (size_t)i * 13 % 9000;
		int tier = i & 1;
		void *p = mem_malloc(tier, size, 0);

		fill(p, size, (unsigned)i);
		if (!p || mem_tier_of(p) != tier ||
		    !filled(p, size, (unsigned)i))
			atomic_fetch_add(&nr_wrong, 1);
		mem_free(p);
	}
	return arg;
}

static void *was_there(void *arg)
{
	pthread_barrier_wait(&loaded);
	if (mem_malloc)
		use(NULL);
	pthread_barrier_wait(&done);
	return arg;
}

static void *load(void *arg)
{
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return arg;
}

/* Not one of malloc's names; those that dlsym finds are libc's, behind it. */
static void check_overrides_nothing(void)
{
	static const char *const names[] = { "malloc",	       "free",
					     "mmap",	       "dlclose",
					     "pthread_create", "_Znwm",
					     "cfree" };
	Dl_info info;
	int ours = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *f = dlsym(library, names[i]);

		ours += f && dladdr(f, &info) &&
			strstr(info.dli_fname, "libcxlmem");
	}
	check(!ours, "it defines none of libc's names");
}

static void check_closing(void)
{
	char *kept = mem_malloc(1, 5000, 0);

	fill(kept, 5000, 9);
	check(dlclose(library) == 0 && maps_have("libcxlmem.so") &&
		      filled(kept, 5000, 9),
	      "closed, its blocks are there");
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	check(dlsym(library, "cxlm_malloc") == (void *)mem_malloc &&
		      mem_tier_of(kept) == 1,
	      "loaded again it is the same heap");
	mem_free(kept);
}

int main(int argc, char **argv)
{
	int own = argc < 3 || !strcmp(argv[2], "own");
	pthread_t thread, other;
	char *p;

	path = argv[1];
	pthread_barrier_init(&loaded, NULL, 2);
	pthread_barrier_init(&done, NULL, 2);
	pthread_create(&thread, NULL, was_there, NULL);
	if (argc > 3) {
		pthread_create(&other, NULL, load, NULL);
		pthread_join(other, NULL);
	} else {
		load(NULL);
	}
	check(library != NULL, "dlopen: %s", library ? "loaded" : dlerror());
	if (own)
		check(!heap_has_started(), "no heap comes with it");
	check_overrides_nothing();
	*(void **)&mem_malloc = find("cxlm_malloc");
	*(void **)&mem_free = find("cxlm_free");
	*(void **)&mem_tier_of = find("cxlm_tier_of");
	pthread_barrier_wait(&loaded);
	pthread_barrier_wait(&done);
	check(!nr_wrong, "a thread that was there before uses it");
	check(heap_has_started(), "then there is a heap");
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, use, NULL);
	pthread_join(thread, NULL);
	check(!nr_wrong, "a later thread, too");
	p = malloc(100);
	check(own ? mem_tier_of(p) == -1 : mem_tier_of(p) >= 0,
	      "malloc's block is of tier %d", mem_tier_of(p));
	mem_free(p);
	if (!own) {
		p = mem_malloc(1, 100, 0);
		p = realloc(p, 200);
		check(mem_tier_of(p) == 1, "realloc takes its block");
		free(p);
	}
	check_closing();
	return check_done();
}
