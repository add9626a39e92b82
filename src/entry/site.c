/* SPDX-License-Identifier: BSD-2-Clause */
#include "entry/site.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "entry/init.h"
#include "entry/profile.h"
#include "entry/route.h"
#include "policy/rule.h"
#include "pool/thread.h"
#include "sys/module.h"

/*
 * A word of the table: an address's tag, the generation it was found in, what
 * it means. The address is multiplied by an odd number modulo 2^56, which loses
 * nothing: the product's high bits choose the set, the rest is the tag. So one
 * load has all of an entry, and entries need no order between writes.
 */
#define ADDRESS_BITS	56
#define SET_BITS	10
#define WAYS		4
#define GENERATION_BITS	14
#define MEANING_BITS	4
#define TAG_BITS	(ADDRESS_BITS - SET_BITS)

_Static_assert(TAG_BITS + GENERATION_BITS + MEANING_BITS == 64, "one word");

#define GENERATIONS	(1U << GENERATION_BITS)
#define TAG_SHIFT	(GENERATION_BITS + MEANING_BITS)
#define ODD		UINT64_C(0x9e3779b97f4a7c15)

/* What a site means: a tier + 1, or nobody's rule. */
#define NOBODYS		0U

#define CLOSING		(UINT64_C(1) << TAG_SHIFT)

static CM_SPARSE _Atomic uint64_t table[1 << SET_BITS][WAYS]
	__attribute__((aligned(64)));

/*
 * What every allocation reads.
 *   state  the generation in which entries hold, in its place, 1 at least; and
 *          from CLOSING on how many libraries are being closed now. While there
 *          is one nothing is kept and nothing kept is believed.
 *   looks  threads read their names again when it has changed
 */
static struct {
	_Atomic uint64_t state;
	_Atomic unsigned looks;
	bool has_rules, has_threads, has_profile, records;
} now __attribute__((aligned(64))) = { .state = 1 << MEANING_BITS, .looks = 1 };

static _Atomic unsigned victim;

static CM_TLS struct {
	unsigned seen_look;
	uint8_t own;		/* cxlm_thread_tier's, tier + 1; 0: none */
	uint8_t named;		/* a rule's by its name */
	uint8_t inherited;
	uint8_t now;		/* the first of these that is there */
	unsigned closing;	/* libraries, by this thread */
	uint8_t busy;		/* in the unwinder */
	bool inherit;		/* own is for its children, too */
	uint64_t left;		/* bytes until the next that is recorded */
	uint64_t period;	/* what that one stands for */
	uint64_t random;
	uint8_t scopes;
	uint8_t scope[CM_SITE_SCOPES];	/* tier + 1; 0: the policy's */
} me;

static uint64_t spread(uintptr_t site)
{
	return (site * ODD) & ((UINT64_C(1) << ADDRESS_BITS) - 1);
}

static _Atomic uint64_t *set_of(uint64_t h)
{
	return table[h >> TAG_BITS];
}

static uint64_t tag_of(uint64_t h)
{
	return h << TAG_SHIFT;
}

/* A tier the policy does not use is nobody's. */
static inline unsigned usable(unsigned tier)
{
	return likely(tier && cm_policy_says(CM_WORD_USED(tier - 1))) ? tier :
									NOBODYS;
}

static bool is_match(const char *name, void *glob)
{
	return cm_rule_glob(glob, name);
}

static unsigned by_rules(uintptr_t site, const struct cm_module *module)
{
	const struct cm_rules *rules = &cm_process.settings.rules;

	for (unsigned i = 0; i < rules->nr; i++) {
		const char *symbol = cm_rule_symbol(rules, i);

		if (!cm_rule_has_module(rules, i, module->name,
					module->is_program))
			continue;
		if (!symbol ||
		    cm_module_symbols(module, site, is_match, (void *)symbol))
			return rules->rule[i].tier + 1U;
	}
	return NOBODYS;
}

static void keep(uint64_t h, uint64_t state, unsigned meaning)
{
	_Atomic uint64_t *set = set_of(h);
	unsigned way = atomic_fetch_add_explicit(&victim, 1,
						 memory_order_relaxed) %
		       WAYS;

	if (state >= CLOSING)
		return;
	/* Rather one that is out of date, or this site's own. */
	for (unsigned i = WAYS; i-- > 0;) {
		uint64_t entry = atomic_load_explicit(&set[i],
						      memory_order_relaxed);

		if ((entry ^ state) % CLOSING >> MEANING_BITS ||
		    entry >> TAG_SHIFT == tag_of(h) >> TAG_SHIFT)
			way = i;
	}
	atomic_store_explicit(&set[way], tag_of(h) | state | meaning,
			      memory_order_relaxed);
}

/* The call itself is ahead of where it returns to. */
static CM_COLD unsigned resolve(uintptr_t site, uint64_t h, uint64_t state)
{
	struct cm_module module;
	unsigned meaning;

	(void)cm_module_find(site - 1, &module);
	meaning = by_rules(site - 1, &module);
	if (!meaning && now.has_profile)
		meaning = cm_profile_of_site(site);
	keep(h, state, meaning);
	return meaning;
}

static inline unsigned meaning_of(const void *at)
{
	uintptr_t site = (uintptr_t)at;
	uint64_t h = spread(site);
	uint64_t state = atomic_load_explicit(&now.state, memory_order_acquire);
	_Atomic uint64_t *set = set_of(h);

	for (unsigned i = 0; i < WAYS && likely(state < CLOSING); i++) {
		uint64_t entry = atomic_load_explicit(&set[i],
						      memory_order_relaxed);

		entry ^= tag_of(h) | state;
		if (likely(entry < 1 << MEANING_BITS))
			return (unsigned)entry;
	}
	return resolve(site, h, state);
}

void cm_site_closing(void)
{
	me.closing++;
	atomic_fetch_add(&now.state, CLOSING);
}

static void closed(void)
{
	uint64_t before = atomic_load(&now.state), after;

	do {
		after = before - CLOSING + (1 << MEANING_BITS);
		if (after % CLOSING >> MEANING_BITS)
			continue;
		/* Generations begin anew: none of the old ones may be left. */
		for (unsigned i = 0; i < 1 << SET_BITS; i++)
			for (unsigned way = 0; way < WAYS; way++)
				atomic_store(&table[i][way], 0);
		after += 1 << MEANING_BITS;
	} while (!atomic_compare_exchange_weak(&now.state, &before, after));
}

void cm_site_closed(void)
{
	me.closing--;
	closed();
}

/* Threads that were closing libraries are not here to end it. */
void cm_site_fork_child(void)
{
	while (atomic_load(&now.state) / CLOSING > me.closing)
		closed();
}

static void choose(void)
{
	uint8_t scope = me.scopes ? me.scope[me.scopes - 1] : 0;

	/* A scope of the policy's: a rule for the thread's name is the operator's. */
	if (me.scopes)
		me.now = scope ? scope : me.named;
	else
		me.now = me.own ? me.own : me.named ? me.named : me.inherited;
}

static CM_COLD void read_name(void)
{
	char name[17] = "";
	int saved = errno;

	me.seen_look = atomic_load_explicit(&now.looks, memory_order_relaxed);
	if (now.has_threads && !syscall(SYS_prctl, PR_GET_NAME, name, 0, 0, 0))
		me.named = (uint8_t)cm_rules_name(&cm_process.settings.threads,
						  name);
	errno = saved;
	choose();
}

/* Around 64 KiB, so that no rhythm of the program's is in step with it. */
static uint64_t next_period(void)
{
	if (!me.random)
		me.random = (uintptr_t)&me ^ ODD;
	me.random ^= me.random << 13;
	me.random ^= me.random >> 7;
	me.random ^= me.random << 17;
	return CM_PROFILE_PERIOD / 2 + me.random % CM_PROFILE_PERIOD;
}

static CM_NOINLINE void record(const void *site, size_t size)
{
	uint64_t nr = 1, bytes = size;
	int saved = errno;

	if (size < CM_PROFILE_PERIOD) {
		if (me.left > size) {
			me.left -= size;
			return;
		}
		bytes = me.period;
		nr = size ? bytes / size : bytes;
		me.left = me.period = next_period();
		if (!bytes)	/* the thread's first: its period begins */
			return;
	}
	if (!me.busy) {
		me.busy = true;
		cm_profile_record(site, nr, bytes);
		me.busy = false;
	}
	errno = saved;
}

static CM_NOINLINE unsigned by_stack(const void *site)
{
	unsigned meaning = NOBODYS;

	if (!me.busy) {
		me.busy = true;
		meaning = cm_profile_of_stack(site);
		me.busy = false;
	}
	return meaning;
}

static inline unsigned wanted(const void *site, size_t size)
{
	unsigned meaning = now.has_rules ? meaning_of(site) : NOBODYS;

	if (unlikely(now.records))
		record(site, size);
	if (unlikely(meaning == CM_PROFILE_DEPENDS))
		meaning = by_stack(site);

	if (unlikely(me.seen_look !=
		     atomic_load_explicit(&now.looks, memory_order_relaxed)))
		read_name();
	return usable(meaning ? meaning : me.now);
}

static inline void *malloc_as(unsigned tier, size_t size)
{
	uint8_t before = cm_thread.wants;
	void *p;

	cm_thread.wants = (uint8_t)tier;
	p = cm_route_fast(tier - 1)(size);
	cm_thread.wants = before;
	return p;
}

void *cm_site_malloc(size_t size)
{
	unsigned tier = wanted(CM_CALLER, size);

	if (tier)
		return malloc_as(tier, size);
	return atomic_load_explicit(&cm_fast.chosen,
				    memory_order_relaxed)(size);
}

static void *alloc(size_t size, size_t alignment, bool zero, unsigned tier)
{
	cm_malloc_fn *fast = tier ? cm_route_fast(tier - 1) :
				    atomic_load_explicit(&cm_fast.chosen,
							 memory_order_relaxed);
	size_t small = alignment ? cm_aligned_size(size, alignment) : size;
	void *p;

	if ((alignment && !small) || (zero && size > CM_JE_FAST_MAX))
		return cm_slow_alloc(size, alignment, zero);
	p = fast(small);
	return p && zero ? memset(p, 0, size) : p;
}

void *cm_site_alloc(size_t size, size_t alignment, bool zero, const void *site)
{
	unsigned tier = wanted(site, size);
	uint8_t before = cm_thread.wants;
	void *p;

	cm_thread.wants = (uint8_t)tier;
	p = alloc(size, alignment, zero, tier);
	cm_thread.wants = before;
	return p;
}

/*
 * jemalloc's fast path may serve from the cache of that tier alone, its miss
 * comes to entry/slow.c, which asks wants and only.
 */
void *cm_site_alloc_as(enum cm_tier tier, bool only, size_t size,
		       size_t alignment, bool zero)
{
	struct cm_thread *thread = &cm_thread;
	uint8_t wants = thread->wants;
	bool before = thread->only;
	void *p;

	thread->wants = (uint8_t)(tier + 1);
	thread->only = only;
	p = alloc(size, alignment, zero, tier + 1U);
	thread->wants = wants;
	thread->only = before;
	return p;
}

void *cm_site_realloc_as(enum cm_tier tier, bool only, void *p, size_t size)
{
	struct cm_thread *thread = &cm_thread;
	uint8_t wants = thread->wants;
	bool before = thread->only;

	thread->wants = (uint8_t)(tier + 1);
	thread->only = only;
	p = cm_slow_realloc(p, size);
	thread->wants = wants;
	thread->only = before;
	return p;
}

/* A profile counts what a block grows by. */
static size_t growth(void *p, size_t size)
{
	size_t old = now.records ? cm_slow_usable_size(p) : size;

	return size > old ? size - old : 0;
}

void *cm_site_realloc(void *p, size_t size, const void *site)
{
	uint8_t before = cm_thread.wants;

	cm_thread.wants = (uint8_t)wanted(site, growth(p, size));
	p = cm_slow_realloc(p, size);
	cm_thread.wants = before;
	return p;
}

void cm_site_look(void)
{
	if (now.has_threads)
		atomic_fetch_add_explicit(&now.looks, 1, memory_order_relaxed);
}

static void begin(void)
{
	cm_route_sites();
}

void cm_site_begin(void)
{
	const struct cm_settings *settings = &cm_process.settings;

	if (cm_process.state != CM_STATE_TIERED)
		return;
#ifndef CM_MEM	/* dlclose is not seen there: what an address means may change */
	cm_profile_begin(&settings->profile);
	now.has_profile = settings->profile.mode == CM_PROFILE_APPLY;
	now.records = settings->profile.mode == CM_PROFILE_RECORD;
	now.has_rules = settings->rules.nr || now.has_profile;
#endif
	now.has_threads = settings->threads.nr;
	if (now.has_rules || now.has_threads || now.records)
		begin();
}

bool cm_site_set_thread(int tier, bool inherit)
{
	if (cm_process.state != CM_STATE_TIERED ||
	    (tier >= 0 && !usable((unsigned)tier + 1)))
		return false;
	me.own = (uint8_t)(tier + 1);
	me.inherit = inherit;
	if (!cm_site_matters() && tier >= 0)
		begin();
	read_name();
	return true;
}

int cm_site_push(int tier)
{
	if (cm_process.state != CM_STATE_TIERED ||
	    (tier >= 0 && !usable((unsigned)tier + 1)))
		return -ENOTSUP;
	if (me.scopes == CM_SITE_SCOPES)
		return -ENOSPC;
	me.scope[me.scopes++] = (uint8_t)(tier + 1);
	if (!cm_site_matters() && tier >= 0)
		begin();
	choose();
	return 0;
}

int cm_site_pop(void)
{
	if (!me.scopes)
		return -EINVAL;
	me.scopes--;
	choose();
	return 0;
}

struct cm_heritage cm_site_bequeath(void)
{
	struct cm_heritage heritage = { 0 };

	if (!cm_site_matters())
		return heritage;
	read_name();
	if (me.inherit)
		heritage.own = me.own;
	if (cm_process.settings.thread_inherit)
		heritage.inherited = me.now;
	return heritage;
}

/* Its name is looked at when it first allocates: it may take one before. */
void cm_site_inherit(struct cm_heritage heritage)
{
	me.own = heritage.own;
	me.inherit = heritage.own;
	me.inherited = heritage.inherited;
}
