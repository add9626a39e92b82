/* SPDX-License-Identifier: BSD-2-Clause */
/* rules_lib - allocates in each way a program can; a library of several names */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* C++, where the preloaded library has it. */
void *_Znwm(size_t size) __attribute__((weak));
void *_ZnwmSt11align_val_t(size_t size, size_t align) __attribute__((weak));

void *lib_alloc(int how, size_t size);

/* Each stays in its own frame: no call here is a jump. */
void *lib_alloc(int how, size_t size)
{
	void *p = NULL;

	switch (how) {
	case 0:
		p = malloc(size);
		break;
	case 1:
		p = calloc(1, size);
		break;
	case 2:
		p = realloc(NULL, size);
		break;
	case 3:
		p = reallocarray(NULL, size, 1);
		break;
	case 4:
		if (posix_memalign(&p, 64, size))
			p = NULL;
		break;
	case 5:
		p = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
		break;
	case 6:
		p = valloc(size);
		break;
	case 7:
		p = _Znwm ? _Znwm(size) : malloc(size);
		break;
	case 8:
		p = _ZnwmSt11align_val_t ? _ZnwmSt11align_val_t(size, 64) :
					   malloc(size);
		break;
	case 9:			/* libc allocates for it */
		p = strdup("libc's");
		break;
	}
	__asm__ volatile("" ::"r"(p) : "memory");
	return p;
}
