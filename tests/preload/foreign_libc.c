/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign_libc - blocks that glibc's own malloc made reach our functions
 *
 * So do blocks that a library makes on the program's behalf.
 */
#include <dirent.h>
#include <limits.h>
#include <malloc.h>
#include <wchar.h>

#include "check.h"

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_memalign(size_t, size_t);

/* Heap, mmap threshold, top of the heap, and one with an odd neighbour. */
static const size_t sizes[] = { 1, 24, 1000, 100000, 140000, 5 << 20 };

#define NR_SIZES	(sizeof(sizes) / sizeof(sizes[0]))

static void *libc_block(size_t n, unsigned how)
{
	void *p = how == 0 ? __libc_malloc(n) :
		  how == 1 ? __libc_calloc(1, n) :
			     __libc_memalign(4096, n);

	if (p)
		fill(p, n, 8);
	return p;
}

static void libc_blocks_are_freed_resized_and_measured(void)
{
	int known = 1, resized = 1, shrunk = 1, kept = 1;
	unsigned char *p;

	errno = 77;
	for (unsigned i = 0; i < NR_SIZES * 3; i++) {
		size_t n = sizes[i / 3];

		p = libc_block(n, i % 3);
		known &= p && malloc_usable_size(p) >= n &&
			 malloc_usable_size(p) < n * 2 + 8192;
		free(p);
		p = realloc(libc_block(n, i % 3), n * 3);
		resized &= p && filled(p, n, 8);
		fill(p, n * 3, 9);
		p = realloc(p, n * 2);
		resized &= p && filled(p, n * 2, 9);
		free(p);
		p = reallocarray(libc_block(n, i % 3), 1, n / 2 + 1);
		shrunk &= p && filled(p, n / 2 + 1, 8);
		free(p);
		shrunk &= realloc(libc_block(n, i % 3), hide(0)) == NULL;
		p = libc_block(n, i % 3);
		kept &= !realloc(p, hide(SIZE_MAX - 100)) && errno == ENOMEM;
		kept &= filled(p, n, 8);
		free(p);
		errno = 77;
	}
	check(errno == 77, "free of a glibc block keeps errno");
	check(known, "malloc_usable_size of a glibc block");
	check(resized, "realloc of a glibc block keeps its bytes");
	check(shrunk, "realloc of a glibc block to less, and to nothing");
	check(kept, "a refused realloc keeps a glibc block");
}

static void freed_libc_blocks_go_home(void)
{
	size_t before = resident();

	for (unsigned i = 0; i < 20000; i++) {
		char *p = __libc_malloc(60000);

		memset(p, 1, 60000);
		free(p);
	}
	check(resident() < before + (64 << 20),
	      "a freed glibc block is used again by glibc");
}

static int keep_any(const struct dirent *e)
{
	(void)e;
	return 1;
}

static void blocks_libc_makes_for_the_program(void)
{
	char *line = NULL, *text = NULL, *word = NULL, *path, *dir;
	struct dirent **entry = NULL;
	size_t size = 0, length = 0;
	wchar_t *wide;
	FILE *f;
	int n;

	f = fmemopen("a line\nand more\n", 16, "r");
	check(f && getline(&line, &size, f) == 7 && !strcmp(line, "a line\n"),
	      "getline's line");
	line = realloc(line, 10000);
	size = 10000;
	check(getdelim(&line, &size, '\n', f) == 9 && size == 10000,
	      "getdelim takes a line that was resized");
	fclose(f);
	free(line);
	check(asprintf(&text, "%d %s", 5, "words") == 7, "asprintf's text");
	text = realloc(text, 100);
	check(text && !strcmp(text, "5 words"), "and it can grow");
	free(text);
	text = strdup("text");
	wide = wcsdup(L"wide text");
	path = realpath("/", NULL);
	dir = getcwd(NULL, 0);
	check(text && wide && path && !strcmp(path, "/") && dir,
	      "strdup, wcsdup, realpath and getcwd");
	free(text);
	free(wide);
	free(path);
	free(dir);
	check(sscanf("word rest", "%ms", &word) == 1 && !strcmp(word, "word"),
	      "scanf's %%ms");
	free(word);
	f = open_memstream(&text, &length);
	for (int i = 0; i < 5000; i++)
		fprintf(f, "%d,", i);
	fclose(f);
	check(text && length == strlen(text) && length == 23890,
	      "open_memstream's buffer");
	free(text);
	n = scandir("/", &entry, keep_any, alphasort);
	check(n > 2, "scandir's entries");
	for (int i = 0; i < n; i++)
		free(entry[i]);
	free(entry);
}

int main(void)
{
	libc_blocks_are_freed_resized_and_measured();
	freed_libc_blocks_go_home();
	blocks_libc_makes_for_the_program();
	return check_done();
}
