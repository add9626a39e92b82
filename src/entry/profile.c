/* SPDX-License-Identifier: BSD-2-Clause */
#include "entry/profile.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/line.h"
#include "control/emit.h"
#include "entry/stack.h"
#include "policy/rule.h"
#include "sys/file.h"
#include "sys/module.h"

#define MAX_STACKS	4096	/* a power of two, as all of these */
#define MAX_MODULES	256
#define MAX_LINES	8192	/* of a file to apply; the table's half */

static const struct cm_profile_settings *how;

/* --- record ---------------------------------------------------------------- */

#define MODULE_SHIFT	48	/* a frame is a module's slot and an offset */

static struct stack {
	_Atomic uint64_t hash;	/* 0: free */
	_Atomic uint64_t nr, bytes;
	_Atomic unsigned nr_frames;	/* 0: not filled yet */
	uint64_t frame[CM_STACK_FRAMES];
} stacks[MAX_STACKS] CM_SPARSE;

static struct module {
	_Atomic uint64_t hash;
	_Atomic bool named;
	char name[CM_FRAME_NAME_MAX];
} modules[MAX_MODULES] CM_SPARSE;

static _Atomic uint64_t nr_lost;	/* no slot was left */
static int recorder;			/* the process that began */

/* The slot of a hash, claimed if need be; -1: none is left. */
static int claim(_Atomic uint64_t *first, size_t size, unsigned nr,
		 uint64_t hash, bool *is_new)
{
	hash += !hash;
	*is_new = false;
	for (unsigned i = 0; i < nr; i++) {
		unsigned slot = (unsigned)(hash + i) & (nr - 1);
		_Atomic uint64_t *at = (_Atomic uint64_t *)((char *)first +
							    slot * size);
		uint64_t found = 0;

		if (atomic_load(at) == hash)
			return (int)slot;
		if (atomic_compare_exchange_strong(at, &found, hash)) {
			*is_new = true;
			return (int)slot;
		}
		if (found == hash)
			return (int)slot;
	}
	return -1;
}

static uint64_t packed(const struct cm_frame *frame)
{
	size_t len = strlen(frame->name);
	bool is_new;
	int slot = claim(&modules[0].hash, sizeof(modules[0]), MAX_MODULES,
			 cm_frame_hash(CM_HASH_NONE, frame->name, len, 0),
			 &is_new);

	if (slot < 0)
		return 0;
	if (is_new) {
		memcpy(modules[slot].name, frame->name, len + 1);
		atomic_store(&modules[slot].named, true);
	}
	return (uint64_t)slot << MODULE_SHIFT |
	       (frame->offset & ((UINT64_C(1) << MODULE_SHIFT) - 1));
}

void cm_profile_record(const void *site, uint64_t nr, uint64_t bytes)
{
	struct cm_stack stack;
	bool is_new;
	int slot;

	cm_stack_read(&stack, site);
	slot = claim(&stacks[0].hash, sizeof(stacks[0]), MAX_STACKS, stack.hash,
		     &is_new);
	if (slot < 0) {
		atomic_fetch_add_explicit(&nr_lost, nr, memory_order_relaxed);
		return;
	}
	if (is_new) {
		for (unsigned i = 0; i < stack.nr; i++)
			stacks[slot].frame[i] = packed(&stack.frame[i]);
		atomic_store(&stacks[slot].nr_frames, stack.nr);
	}
	atomic_fetch_add_explicit(&stacks[slot].nr, nr, memory_order_relaxed);
	atomic_fetch_add_explicit(&stacks[slot].bytes, bytes,
				  memory_order_relaxed);
}

void cm_profile_fork_child(void)
{
	if (!how || how->mode != CM_PROFILE_RECORD)
		return;
	for (unsigned i = 0; i < MAX_STACKS; i++) {
		atomic_store(&stacks[i].nr, 0);
		atomic_store(&stacks[i].bytes, 0);
	}
	atomic_store(&nr_lost, 0);
}

/*
 * Large blocks that are made seldom: the bytes are many, the looks at them per
 * byte few. The rest is the policy's.
 */
static const char *suggested(uint64_t nr, uint64_t bytes)
{
	return bytes >= MIB && bytes / nr >= 32 * KIB ? "cxl" : "-";
}

static uint64_t bytes_of(unsigned i)
{
	return atomic_load_explicit(&stacks[i].bytes, memory_order_relaxed);
}

static unsigned sort(uint16_t order[MAX_STACKS])
{
	unsigned nr = 0;

	for (unsigned i = 0; i < MAX_STACKS; i++)
		if (atomic_load(&stacks[i].nr_frames) && bytes_of(i))
			order[nr++] = (uint16_t)i;
	for (unsigned gap = nr / 2; gap; gap /= 2)
		for (unsigned i = gap; i < nr; i++) {
			uint16_t one = order[i];
			unsigned j = i;

			for (; j >= gap &&
			       bytes_of(order[j - gap]) < bytes_of(one);
			     j -= gap)
				order[j] = order[j - gap];
			order[j] = one;
		}
	return nr;
}

static void put_stack(struct cm_line *out, const struct stack *stack)
{
	uint64_t nr = atomic_load(&stack->nr);
	uint64_t bytes = atomic_load(&stack->bytes);

	cm_line_fmt(out, "%016lx %s %lu %lu", atomic_load(&stack->hash),
		    suggested(nr ? nr : 1, bytes), nr, bytes);
	for (unsigned i = 0; i < atomic_load(&stack->nr_frames); i++) {
		uint64_t frame = stack->frame[i];
		const struct module *module = &modules[frame >> MODULE_SHIFT];

		cm_line_fmt(out, " %s+0x%lx",
			    atomic_load(&module->named) ? module->name : "?",
			    frame & ((UINT64_C(1) << MODULE_SHIFT) - 1));
	}
	cm_line_fmt(out, "\n");
}

static void write_to(int fd)
{
	static uint16_t order[MAX_STACKS];
	unsigned nr = sort(order);
	static char buf[4096];
	struct cm_line out;

	cm_line_init(&out, buf, sizeof(buf), fd);
	cm_line_fmt(&out,
		    "# cxlmalloc profile: %s, process %d\n"
		    "# HASH TIER NUMBER BYTES CALLERS. TIER is ddr, cxl, or - "
		    "for the policy's choice.\n"
		    "# Blocks of 64 KiB and more are counted, smaller ones "
		    "estimated: one look in 64 KiB.\n",
		    cm_program_name(), (int)getpid());
	if (atomic_load(&nr_lost))
		cm_line_fmt(&out,
			    "# %lu blocks of more than %u stacks are not "
			    "here\n",
			    atomic_load(&nr_lost), MAX_STACKS);
	for (unsigned i = 0; i < nr; i++)
		put_stack(&out, &stacks[order[i]]);
	if (cm_line_flush(&out))
		cm_line_say("profile=record:%s: could not be written",
			    how->file);
}

void cm_profile_end(void)
{
	int saved = errno, fd, pid = (int)getpid();

	if (!how || how->mode != CM_PROFILE_RECORD)
		return;
	/* A child's would take the place of its parent's. */
	if (pid != recorder && !strstr(how->file, "%p"))
		return;
	fd = cm_emit_open_new(how->file, pid);
	if (fd < 0) {
		cm_line_say("profile=record:%s: cannot be opened (errno %d)",
			    how->file, -fd);
	} else {
		write_to(fd);
		(void)syscall(SYS_close, fd);
	}
	errno = saved;
}

/* --- apply ----------------------------------------------------------------- */

static struct applied {
	uint64_t hash;		/* 0: free */
	uint64_t first;		/* the first frame's */
	uint8_t tier;		/* + 1; 0: the policy's */
} applied[2 * MAX_LINES] CM_SPARSE;
static unsigned nr_applied;

static void add(uint64_t hash, uint64_t first, unsigned tier)
{
	unsigned slot;

	hash += !hash;
	for (slot = hash % CM_ARRAY_SIZE(applied);
	     applied[slot].hash && applied[slot].hash != hash;
	     slot = (slot + 1) % CM_ARRAY_SIZE(applied))
		;
	nr_applied += !applied[slot].hash;
	applied[slot] = (struct applied){ hash, first, (uint8_t)tier };
}

static size_t word(const char **line, const char **end)
{
	const char *p = *line;

	while (*p == ' ' || *p == '\t')
		p++;
	*line = p;
	while (*p && *p != ' ' && *p != '\t' && *p != '\r')
		p++;
	*end = p;
	return (size_t)(p - *line);
}

static bool number(const char *p, const char *end, unsigned base,
		   uint64_t *value)
{
	*value = 0;
	if (p == end || end - p > 16 + 4)
		return false;
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		unsigned digit = c >= '0' && c <= '9' ? c - (unsigned)'0' :
				 c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 :
							99;

		if (digit >= base)
			return false;
		*value = *value * base + digit;
	}
	return true;
}

/* "MODULE+0xOFFSET" */
static bool frame_hash(const char *p, const char *end, uint64_t *hash)
{
	const char *plus = memrchr(p, '+', (size_t)(end - p));
	uint64_t offset;

	if (!plus || plus == p || end - plus < 4 || memcmp(plus, "+0x", 3) ||
	    !number(plus + 3, end, 16, &offset))
		return false;
	*hash = cm_frame_hash(CM_HASH_NONE, p, (size_t)(plus - p), offset);
	return true;
}

static bool take(const char *line)
{
	uint64_t hash, first, ignored;
	const char *end;
	unsigned tier = 0;

	if (word(&line, &end) != 16 || !number(line, end, 16, &hash))
		return false;
	line = end;
	if (!word(&line, &end))
		return false;
	if (end - line != 1 || *line != '-') {
		tier = cm_rule_tier(line, (size_t)(end - line));
		if (!tier)
			return false;
	}
	for (int i = 0; i < 2; i++) {
		line = end;
		if (!word(&line, &end) || !number(line, end, 10, &ignored))
			return false;
	}
	line = end;
	if (!word(&line, &end) || !frame_hash(line, end, &first))
		return false;
	add(hash, first, tier);
	return true;
}

struct reading {
	unsigned nr_line;
	unsigned nr_bad, first_bad;
};

static int read_line(char *line, void *arg)
{
	struct reading *reading = arg;
	const char *at = line, *end;

	reading->nr_line++;
	if (!word(&at, &end) || *at == '#')
		return 0;
	if (nr_applied == MAX_LINES)
		return 1;
	if (!take(line) && !reading->nr_bad++)
		reading->first_bad = reading->nr_line;
	return 0;
}

static void read_file(const char *path)
{
	struct reading reading = { 0 };
	static char buf[2048];
	char shown[CM_LINE_QUOTE_MAX + 8];
	struct cm_line quoted;
	int err = cm_file_lines(path, buf, sizeof(buf), read_line, &reading);

	cm_line_init(&quoted, shown, sizeof(shown), -1);
	cm_line_quote(&quoted, path, strlen(path));
	if (err < 0)
		cm_line_say("profile=apply:%s: cannot be read (errno %d), none "
			    "is applied",
			    shown, -err);
	else if (err > 0)
		cm_line_say("profile=apply:%s:%u: more than %u stacks, the "
			    "rest is ignored",
			    shown, reading.nr_line, MAX_LINES);
	if (reading.nr_bad)
		cm_line_say("profile=apply:%s:%u: not HASH ddr|cxl|- NUMBER "
			    "BYTES MODULE+0xOFFSET..., ignored (%u such "
			    "line%s)",
			    shown, reading.first_bad, reading.nr_bad,
			    reading.nr_bad > 1 ? "s" : "");
}

unsigned cm_profile_of_site(uintptr_t site)
{
	unsigned tier = 0, nr = 0;
	struct cm_frame frame;
	uint64_t first;

	cm_frame_of(&frame, site);
	first = cm_frame_hash(CM_HASH_NONE, frame.name, strlen(frame.name),
			      frame.offset);
	for (unsigned i = 0; i < CM_ARRAY_SIZE(applied); i++) {
		if (!applied[i].hash || applied[i].first != first)
			continue;
		if (nr++ && applied[i].tier != tier)
			return CM_PROFILE_DEPENDS;
		tier = applied[i].tier;
	}
	return tier;
}

unsigned cm_profile_of_stack(const void *site)
{
	struct cm_stack stack;
	uint64_t hash;

	cm_stack_read(&stack, site);
	hash = stack.hash + !stack.hash;
	for (unsigned slot = hash % CM_ARRAY_SIZE(applied); applied[slot].hash;
	     slot = (slot + 1) % CM_ARRAY_SIZE(applied))
		if (applied[slot].hash == hash)
			return applied[slot].tier;
	return 0;
}

void cm_profile_begin(const struct cm_profile_settings *settings)
{
	how = settings;
	recorder = (int)getpid();
	if (how->mode == CM_PROFILE_APPLY)
		read_file(how->file);
}
