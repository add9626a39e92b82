/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/range.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/compiler.h"
#include "sys/sys.h"

/* Of a page: bits 0-1 enum cm_range_place, and */
#define USABLE		4u
#define LEAVING		8u
#define PLACE(bits) ((bits)&3u)

#define WORD_PAGES	16u	/* in a word of a leaf */
#define ALIKE		UINT64_C(0x1111111111111111)
#define LG_LEAF		9u	/* pages of a leaf: 256 bytes */
#define LEAF_WORDS	((1u << LG_LEAF) / WORD_PAGES)
/*
 * Entries of a branch, few: some programs scatter maps of 256 KiB over all of
 * their addresses (V8), and each has branches of its own then.
 */
#define LG_BRANCH	3u
#define LG_BELOW_ROOT	18u	/* pages below an entry of the root */
#define LG_ROOT		18u	/* 48 bits of address with pages of 4 KiB */

/* An entry: four bits for all below it, or a pointer, which is larger. */
typedef _Atomic uint64_t entry;
#define IS_ALIKE(e)	((e) < 16)

static CM_SPARSE entry root[1u << LG_ROOT];
static unsigned lg_page;
static _Atomic int64_t counts[CM_RANGE_PLACES];	/* usable pages */
static _Atomic uint64_t missed;

/* --- memory of the tree ---------------------------------------------------- */

#define CHUNK		((size_t)MIB)
#define MAX_CHUNKS	64

void *(*cm_range_more)(size_t size) = cm_sys_map_own;

static char *_Atomic chunks[MAX_CHUNKS];
static _Atomic size_t taken;

static char *chunk(size_t i)
{
	char *c = atomic_load_explicit(&chunks[i], memory_order_acquire);
	char *fresh;

	if (likely(c))
		return c;
	fresh = cm_range_more(CHUNK);
	if (!fresh)
		return NULL;
	if (atomic_compare_exchange_strong(&chunks[i], &c, fresh))
		return fresh;
	(void)cm_sys_real.unmap(fresh, CHUNK);	/* somebody was first */
	return c;
}

/* Never given back; zero, or NULL. */
static entry *take(size_t size)
{
	size_t at = atomic_load_explicit(&taken, memory_order_relaxed), from;
	char *c;

	do {
		from = at;
		if (from / CHUNK != (from + size - 1) / CHUNK)
			from = (from / CHUNK + 1) * CHUNK;
		if (from / CHUNK >= MAX_CHUNKS)
			return NULL;
		c = chunk(from / CHUNK);
		if (!c)
			return NULL;
	} while (!atomic_compare_exchange_weak(&taken, &at, from + size));
	return (entry *)(void *)(c + from % CHUNK);
}

/* --- changes ----------------------------------------------------------------- */

/*
 * What becomes of a page's four bits: sixteen answers of four bits each. So a
 * change is one number, whatever it does.
 */
typedef uint64_t change;

static unsigned changed(change c, unsigned bits)
{
	return (unsigned)(c >> (bits * 4)) & 15;
}

/* to(b) for each value b of the four bits. */
#define FOUR(to, b) \
	((uint64_t)to(b) << (4 * (b)) | \
	 (uint64_t)to((b) + 1) << (4 * (b) + 4) | \
	 (uint64_t)to((b) + 2) << (4 * (b) + 8) | \
	 (uint64_t)to((b) + 3) << (4 * (b) + 12))
#define CHANGE(to)	(FOUR(to, 0) | FOUR(to, 4) | FOUR(to, 8) | FOUR(to, 12))

#define TO_USABLE(b)	(PLACE(b) ? (b) | USABLE : 0)
#define TO_UNUSABLE(b)	(PLACE(b) ? (b) & ~USABLE : 0)
#define TO_LEAVING(b)	(PLACE(b) ? (b) | LEAVING : 0)
#define TO_STAYING(b)	(PLACE(b) ? (b) & ~LEAVING : 0)
#define TO_LEFT(b)     ((b)&LEAVING ? 0 : (b))

/* One pass over the tree. */
struct pass {
	change change;
	bool adds;		/* may make levels; else failing to is final */
	bool failed;
	int64_t delta[CM_RANGE_PLACES];
};

static void count(struct pass *p, unsigned bits, int64_t pages)
{
	if (bits & USABLE)
		p->delta[PLACE(bits)] += pages;
}

static uint64_t change_word(struct pass *p, uint64_t old, uint64_t mask)
{
	uint64_t new = 0;

	for (unsigned s = 0; s < 64; s += 4)
		new |= (uint64_t)changed(p->change, (unsigned)(old >> s) & 15)
		       << s;
	return (old & ~mask) | (new &mask);
}

static void count_word(struct pass *p, uint64_t old, uint64_t new)
{
	for (unsigned s = 0; s < 64; s += 4) {
		count(p, (unsigned)(old >> s) & 15, -1);
		count(p, (unsigned)(new >> s) & 15, 1);
	}
}

/* nr pages of a word, from one on. */
static void change_pages(struct pass *p, entry *word, unsigned from,
			 unsigned nr)
{
	uint64_t mask = ~UINT64_C(0) >> (64 - 4 * nr) << (from * 4);
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed), new;
	unsigned bits, to;
	bool alike;

	do {
		bits = (unsigned)(old >> (from * 4)) & 15;
		to = changed(p->change, bits);
		alike = !((old ^ bits * ALIKE) & mask);
		new = alike ? (old & ~mask) | (to * ALIKE & mask) :
			      change_word(p, old, mask);
		if (new == old)
			return;
	} while (!atomic_compare_exchange_weak_explicit(
		word, &old, new, memory_order_relaxed, memory_order_relaxed));
	if (alike) {
		count(p, bits, -(int64_t)nr);
		count(p, to, nr);
	} else {
		count_word(p, old, new);
	}
}

/* Pages first up to end of a leaf. */
static void change_leaf(struct pass *p, entry *leaf, size_t first, size_t end)
{
	while (first < end) {
		size_t word = first / WORD_PAGES;
		size_t to = (word + 1) * WORD_PAGES;

		to = to < end ? to : end;
		change_pages(p, &leaf[word], first % WORD_PAGES,
			     (unsigned)(to - first));
		first = to;
	}
}

/* A level in the place of an entry that is alike; 0: none to be had. */
static uint64_t split(entry *at, uint64_t old, unsigned lg_below)
{
	bool leaf = lg_below == LG_LEAF;
	size_t n = leaf ? LEAF_WORDS : 1u << LG_BRANCH;
	entry *level = take(n * sizeof(entry));

	if (!level)
		return 0;
	for (size_t i = 0; old && i < n; i++)
		atomic_store_explicit(&level[i], leaf ? old * ALIKE : old,
				      memory_order_relaxed);
	/* Lost to another: that memory is lost too, which is rare and little. */
	if (atomic_compare_exchange_strong(at, &old, (uintptr_t)level))
		return (uintptr_t)level;
	return old;
}

static void change_level(struct pass *p, entry *level, unsigned lg_below,
			 size_t first, size_t end);

static void change_below(struct pass *p, uint64_t below, unsigned lg_below,
			 size_t first, size_t end)
{
	entry *level = (entry *)(uintptr_t)below;

	if (lg_below == LG_LEAF)
		change_leaf(p, level, first, end);
	else
		change_level(p, level, lg_below - LG_BRANCH, first, end);
}

/* All of an entry's pages at once, if it is alike. */
static bool change_alike(struct pass *p, entry *at, uint64_t old, uint64_t new,
			 unsigned lg_below)
{
	if (!atomic_compare_exchange_strong(at, &old, new))
		return false;
	count(p, (unsigned)old, -((int64_t)1 << lg_below));
	count(p, (unsigned)new, (int64_t)1 << lg_below);
	return true;
}

/* Pages first up to end below one entry, of which there are 1 << lg_below. */
static void change_entry(struct pass *p, entry *at, unsigned lg_below,
			 size_t first, size_t end)
{
	for (;;) {
		uint64_t old = atomic_load_explicit(at, memory_order_acquire);
		unsigned new;

		if (!IS_ALIKE(old)) {
			change_below(p, old, lg_below, first, end);
			return;
		}
		new = changed(p->change, (unsigned)old);
		if (new == old)
			return;
		if (end - first == (size_t)1 << lg_below) {
			if (change_alike(p, at, old, new, lg_below))
				return;
			continue;
		}
		if (IS_ALIKE(split(at, old, lg_below))) {
			p->failed = true;
			if (p->adds || change_alike(p, at, old, 0, lg_below))
				return;
		}
	}
}

static void change_level(struct pass *p, entry *level, unsigned lg_below,
			 size_t first, size_t end)
{
	size_t below = (size_t)1 << lg_below;

	while (first < end) {
		size_t i = first >> lg_below;
		size_t to = (i + 1) << lg_below;

		to = to < end ? to : end;
		change_entry(p, &level[i], lg_below, first & (below - 1),
			     to - (i << lg_below));
		first = to;
	}
}

static bool run_pass(uintptr_t at, size_t size, change c, bool adds)
{
	struct pass p = { .change = c, .adds = adds };

	change_level(&p, root, LG_BELOW_ROOT, at >> lg_page,
		     (at + size) >> lg_page);
	for (unsigned i = 1; i < CM_RANGE_PLACES; i++)
		if (p.delta[i])
			atomic_fetch_add_explicit(&counts[i], p.delta[i],
						  memory_order_relaxed);
	return !p.failed;
}

int cm_range_init(size_t page)
{
	unsigned lg = (unsigned)__builtin_ctzl(page);

	if (lg < 12 || lg > 16)
		return -EINVAL;
	lg_page = lg;
	return 0;
}

/* The tree ends here. */
static uintptr_t top(void)
{
	return (uintptr_t)1 << (lg_page + LG_BELOW_ROOT + LG_ROOT);
}

bool cm_range_fits(uintptr_t at, size_t size, size_t *rounded)
{
	size_t page = (size_t)1 << lg_page;

	if (!size || at & (page - 1) || at >= top() || size > top() - at)
		return false;
	*rounded = (size + page - 1) & ~(page - 1);
	return true;
}

static bool add_bits(uintptr_t at, size_t size, unsigned bits)
{
	if (run_pass(at, size, bits * ALIKE, true))
		return true;
	cm_range_forget(at, size);
	atomic_fetch_add_explicit(&missed, size, memory_order_relaxed);
	return false;
}

bool cm_range_add(uintptr_t at, size_t size, enum cm_range_place place,
		  bool usable)
{
	return add_bits(at, size, place | (usable ? USABLE : 0));
}

void cm_range_forget(uintptr_t at, size_t size)
{
	(void)run_pass(at, size, 0, false);
}

void cm_range_protect(uintptr_t at, size_t size, bool usable)
{
	(void)run_pass(at, size,
		       usable ? CHANGE(TO_USABLE) : CHANGE(TO_UNUSABLE), false);
}

void cm_range_leave(uintptr_t at, size_t size)
{
	(void)run_pass(at, size, CHANGE(TO_LEAVING), false);
}

void cm_range_stay(uintptr_t at, size_t size)
{
	(void)run_pass(at, size, CHANGE(TO_STAYING), false);
}

void cm_range_left(uintptr_t at, size_t size)
{
	(void)run_pass(at, size, CHANGE(TO_LEFT), false);
}

/* --- looks ------------------------------------------------------------------- */

/* The four bits of a page, and the page behind those sure to have the same. */
static unsigned look(size_t page, size_t *end)
{
	unsigned lg = LG_BELOW_ROOT;
	uint64_t e = atomic_load_explicit(&root[page >> lg],
					  memory_order_acquire);

	for (;;) {
		entry *level = (entry *)(uintptr_t)e;
		size_t in = page & (((size_t)1 << lg) - 1);

		if (IS_ALIKE(e)) {
			*end = page - in + ((size_t)1 << lg);
			return (unsigned)e;
		}
		if (lg == LG_LEAF) {
			e = atomic_load_explicit(&level[in / WORD_PAGES],
						 memory_order_relaxed);
			break;
		}
		lg -= LG_BRANCH;
		e = atomic_load_explicit(&level[in >> lg],
					 memory_order_acquire);
	}
	if (e == (e & 15) * ALIKE)
		*end = page - page % WORD_PAGES + WORD_PAGES;
	else
		*end = page + 1;
	return (unsigned)(e >> (page % WORD_PAGES * 4)) & 15;
}

/* The next run of pages whose bits, of those in mask, are alike and not 0. */
static unsigned next_bits(size_t *page, size_t *behind, size_t end,
			  unsigned mask)
{
	unsigned bits = 0, first = 0;
	size_t at = *page, next;

	for (; at < end; at = next) {
		bits = look(at, &next);
		bits = PLACE(bits) ? bits & mask : 0;
		if (bits != first) {
			if (first)
				break;
			first = bits;
			*page = at;
		}
	}
	*behind = at < end ? at : end;
	return first;
}

enum cm_range_place cm_range_first(uintptr_t at, size_t size)
{
	size_t page = at >> lg_page, end = (at + size) >> lg_page;
	unsigned bits;

	while (page < end) {
		bits = look(page, &page);
		if (PLACE(bits))
			return (enum cm_range_place)PLACE(bits);
	}
	return CM_RANGE_NONE;
}

bool cm_range_next(uintptr_t at, uintptr_t end, struct cm_range_run *run)
{
	size_t page = at >> lg_page, behind;
	unsigned bits;

	end = end < top() ? end : top();
	bits = next_bits(&page, &behind, end >> lg_page, ~LEAVING);
	if (!bits)
		return false;
	run->at = page << lg_page;
	run->size = (behind - page) << lg_page;
	run->place = (enum cm_range_place)PLACE(bits);
	run->usable = bits & USABLE;
	return true;
}

bool cm_range_copy(uintptr_t at, uintptr_t to, size_t size)
{
	size_t page = at >> lg_page, end = (at + size) >> lg_page, behind;
	bool all = true;
	unsigned bits;

	for (; (bits = next_bits(&page, &behind, end, ~0u)); page = behind)
		if (bits & LEAVING)
			all &= add_bits(to + ((page << lg_page) - at),
					(behind - page) << lg_page,
					bits & ~LEAVING);
	return all;
}

uint64_t cm_range_usable(enum cm_range_place place)
{
	int64_t pages = atomic_load_explicit(&counts[place],
					     memory_order_relaxed);

	/* Counted after the words are written: may be behind, never below. */
	return pages > 0 ? (uint64_t)pages << lg_page : 0;
}

uint64_t cm_range_missed(void)
{
	return atomic_load_explicit(&missed, memory_order_relaxed);
}
