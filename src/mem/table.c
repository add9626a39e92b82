/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table - libcxlmem's functions: a jump each, here or to libcxlmalloc
 *
 * A process must not have two heaps by accident. So each function of
 * cxlmalloc.h jumps through a slot, and the first call of any of them fills
 * the slots: with libcxlmalloc's functions if the process has that library, else
 * with our own, and only then our heap starts. What a libcxlmalloc of another
 * version lacks fails with ENOSYS, since our own would be of another heap.
 *
 * Mostly a jump is not even needed: libcxlmalloc comes earlier in the search
 * order, so the loader binds a linked program straight to it. dlsym on a handle
 * of ours, and a program that was started before... neither does that.
 */
#include <dlfcn.h>
#include <errno.h>

#include "base/compiler.h"
#include "mem/start.h"

/* What only libcxlmalloc.so defines (entry/malloc.c). */
#define MARKER	"cxlm_preloaded"

/*
 * Ours. As slots are data, a thread that comes by meanwhile finds the old value
 * or the new one; both are right.
 */
#define CM_API(name, ...) extern void *cm_slot_##name CM_HIDDEN;
#include "api/functions.def"
#undef CM_API

static long missing(void)
{
	errno = ENOSYS;
	return -1;
}

static void *missing_block(void)
{
	errno = ENOSYS;
	return NULL;
}

/* The last word of a line of functions.def, or -1. */
#define FAILS_WITH(since, value, ...) value
#define FAILS(...) FAILS_WITH(__VA_ARGS__, -1, )

static const struct function {
	const char *name;
	void **slot;
	void *own;
	void *missing;
} functions[] = {
#define CM_API(name, ...) \
	{ #name, &cm_slot_##name, (void *)name, \
	  (FAILS(__VA_ARGS__)) ? (void *)missing : (void *)missing_block },
#include "api/functions.def"
#undef CM_API
};

/* dlsym on a handle: the process may have more than one of our kind. */
static void *other(void)
{
	void *marker = dlsym(RTLD_DEFAULT, MARKER);
	Dl_info info;

	if (!marker || !dladdr(marker, &info))
		return NULL;
	return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

CM_HIDDEN void cm_mem_resolve(void);

void cm_mem_resolve(void)
{
	int saved = errno;
	void *handle = other();

	if (!handle)
		cm_mem_start();
	for (unsigned i = 0; i < CM_ARRAY_SIZE(functions); i++) {
		const struct function *f = &functions[i];
		void *to = handle ? dlsym(handle, f->name) : f->own;

		__atomic_store_n(f->slot, to ? to : f->missing,
				 __ATOMIC_RELEASE);
	}
	errno = saved;
}

/* --- jumps ------------------------------------------------------------------- */

#if defined(__x86_64__)
#define JUMP(name) \
	CM_ENDBR							\
	"	jmp *cm_slot_" name "(%rip)\n"				\
	"cm_first_" name ":\n" CM_ENDBR "	leaq cm_slot_" name \
	"(%rip), %r11\n" \
	"	jmp cm_mem_first\n"
#elif defined(__aarch64__)
/* hint 34: bti c */
#define JUMP(name) \
	"	hint 34\n"						\
	"	adrp x16, cm_slot_" name "\n"				\
	"	ldr x16, [x16, :lo12:cm_slot_" name "]\n"		\
	"	br x16\n"						\
	"cm_first_" name ":\n"						\
	"	hint 34\n"						\
	"	adrp x17, cm_slot_" name "\n"				\
	"	add x17, x17, :lo12:cm_slot_" name "\n"			\
	"	b cm_mem_first\n"
#endif

/* A slot begins as the way to cm_mem_first, which needs to know the slot. */
#define FUNCTION(name) \
	"	.globl " name "\n"					\
	"	.type " name ", %function\n"				\
	"	.p2align 4\n" name ":\n" \
	"	.cfi_startproc\n" JUMP( \
		name) "	.cfi_endproc\n" \
		      "	.size " name ", . - " name "\n" \
		      "	.pushsection .data.cm_slots, \"aw\"\n" \
		      "	.p2align 3\n" \
		      "	.hidden cm_slot_" name "\n" \
		      "	.globl cm_slot_" name "\n" \
		      "	.type cm_slot_" name ", %object\n" \
		      "cm_slot_" name ":\n" \
		      "	.quad cm_first_" name "\n" \
		      "	.size cm_slot_" name ", 8\n" \
		      "	.popsection\n"

__asm__(".text\n"
#define CM_API(name, ...) FUNCTION(#name)
#include "api/functions.def"
#undef CM_API
);

/*
 * Fill the slots, then go where this one leads, with all that the caller has
 * put into registers: arguments, also floating-point ones.
 */
#if defined(__x86_64__)
__asm__(".text\n"
	".p2align 4\n"
	".type cm_mem_first, @function\n"
	"cm_mem_first:\n"
	"	.cfi_startproc\n"
	"	pushq %r11\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rdi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rsi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rdx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rcx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %r8\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %r9\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	subq $128, %rsp\n"
	"	.cfi_adjust_cfa_offset 128\n"
	"	movups %xmm0, (%rsp)\n"
	"	movups %xmm1, 16(%rsp)\n"
	"	movups %xmm2, 32(%rsp)\n"
	"	movups %xmm3, 48(%rsp)\n"
	"	movups %xmm4, 64(%rsp)\n"
	"	movups %xmm5, 80(%rsp)\n"
	"	movups %xmm6, 96(%rsp)\n"
	"	movups %xmm7, 112(%rsp)\n"
	"	call cm_mem_resolve\n"
	"	movups (%rsp), %xmm0\n"
	"	movups 16(%rsp), %xmm1\n"
	"	movups 32(%rsp), %xmm2\n"
	"	movups 48(%rsp), %xmm3\n"
	"	movups 64(%rsp), %xmm4\n"
	"	movups 80(%rsp), %xmm5\n"
	"	movups 96(%rsp), %xmm6\n"
	"	movups 112(%rsp), %xmm7\n"
	"	addq $128, %rsp\n"
	"	.cfi_adjust_cfa_offset -128\n"
	"	popq %r9\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %r8\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rcx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rdx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rsi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rdi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %r11\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	jmp *(%r11)\n"
	"	.cfi_endproc\n"
	"	.size cm_mem_first, . - cm_mem_first\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".p2align 4\n"
	".type cm_mem_first, %function\n"
	"cm_mem_first:\n"
	"	.cfi_startproc\n"
	"	stp x29, x30, [sp, #-224]!\n"
	"	.cfi_adjust_cfa_offset 224\n"
	"	.cfi_rel_offset x29, 0\n"
	"	.cfi_rel_offset x30, 8\n"
	"	mov x29, sp\n"
	"	stp x0, x1, [sp, #16]\n"
	"	stp x2, x3, [sp, #32]\n"
	"	stp x4, x5, [sp, #48]\n"
	"	stp x6, x7, [sp, #64]\n"
	"	stp x8, x17, [sp, #80]\n"
	"	stp q0, q1, [sp, #96]\n"
	"	stp q2, q3, [sp, #128]\n"
	"	stp q4, q5, [sp, #160]\n"
	"	stp q6, q7, [sp, #192]\n"
	"	bl cm_mem_resolve\n"
	"	ldp q6, q7, [sp, #192]\n"
	"	ldp q4, q5, [sp, #160]\n"
	"	ldp q2, q3, [sp, #128]\n"
	"	ldp q0, q1, [sp, #96]\n"
	"	ldp x8, x17, [sp, #80]\n"
	"	ldp x6, x7, [sp, #64]\n"
	"	ldp x4, x5, [sp, #48]\n"
	"	ldp x2, x3, [sp, #32]\n"
	"	ldp x0, x1, [sp, #16]\n"
	"	ldp x29, x30, [sp], #224\n"
	"	.cfi_restore x29\n"
	"	.cfi_restore x30\n"
	"	.cfi_adjust_cfa_offset -224\n"
	"	ldr x16, [x17]\n"
	"	br x16\n"
	"	.cfi_endproc\n"
	"	.size cm_mem_first, . - cm_mem_first\n");
#endif
