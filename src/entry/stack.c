/* SPDX-License-Identifier: BSD-2-Clause */
#include "entry/stack.h"

#include <string.h>
#include <unwind.h>

#include "sys/module.h"

void cm_frame_of(struct cm_frame *frame, uintptr_t site)
{
	struct cm_module module;
	size_t len;

	if (!cm_module_find(site - 1, &module)) {
		memcpy(frame->name, "?", 2);
		frame->offset = 0;
		return;
	}
	len = strnlen(module.name, sizeof(frame->name) - 1);
	/* As it can stand in a line of words. */
	for (size_t i = 0; i < len; i++)
		frame->name[i] = module.name[i] > ' ' && module.name[i] < 127 ?
					 module.name[i] :
					 '_';
	frame->name[len] = '\0';
	frame->offset = site - module.bias;
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001b3);
}

uint64_t cm_frame_hash(uint64_t hash, const char *name, size_t len,
		       uint64_t offset)
{
	for (size_t i = 0; i < len; i++)
		hash = mix(hash, (unsigned char)name[i]);
	for (unsigned shift = 0; shift < 64; shift += 8)
		hash = mix(hash, (unsigned char)(offset >> shift));
	return hash;
}

struct walk {
	uintptr_t site;
	uintptr_t at[CM_STACK_FRAMES];
	unsigned nr, skipped;
};

/* Our own frames, between here and the caller. */
#define OURS_MAX	8

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *arg)
{
	struct walk *walk = arg;
	uintptr_t at = _Unwind_GetIP(context);

	if (!walk->nr && at != walk->site)
		return ++walk->skipped > OURS_MAX ? _URC_END_OF_STACK :
						    _URC_NO_REASON;
	walk->at[walk->nr++] = at;
	return walk->nr == CM_STACK_FRAMES || !at ? _URC_END_OF_STACK :
						    _URC_NO_REASON;
}

void cm_stack_read(struct cm_stack *stack, const void *site)
{
	struct walk walk = { .site = (uintptr_t)site };

	(void)_Unwind_Backtrace(visit, &walk);
	while (walk.nr > 1 && !walk.at[walk.nr - 1])
		walk.nr--;
	if (!walk.nr)
		walk.at[walk.nr++] = walk.site;
	stack->nr = walk.nr;
	stack->hash = CM_HASH_NONE;
	for (unsigned i = 0; i < walk.nr; i++) {
		struct cm_frame *frame = &stack->frame[i];

		cm_frame_of(frame, walk.at[i]);
		stack->hash = cm_frame_hash(stack->hash, frame->name,
					    strlen(frame->name), frame->offset);
	}
}
