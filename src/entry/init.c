/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init - from the first call to the last report
 *
 * The first caller may come before any constructor (another library's, the
 * loader's dlopen), so every entry point can start the library. What order
 * the steps have, and why:
 *   1. a thread-specific key, low and before jemalloc's (entry/thread.h)
 *   2. options: files and environment, none in secure execution
 *   3. is the process tiered at all: disabled, a sanitizer's, no window
 *   4. which nodes; pools and hooks
 *   5. fork handlers, before any thread can fork
 *   6. READY, then the route: from here fast paths go to jemalloc
 * A jemalloc instance starts with its first allocation.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/line.h"
#include "control/conf.h"
#include "control/emit.h"
#include "entry/background.h"
#include "entry/channel.h"
#include "entry/early.h"
#include "entry/foreign.h"
#include "entry/fork.h"
#include "entry/front.h"
#include "entry/init.h"
#include "entry/live.h"
#include "entry/mmap.h"
#include "entry/nodes.h"
#include "entry/profile.h"
#include "entry/site.h"
#include "entry/slow.h"
#include "entry/thread.h"
#include "map/map.h"
#include "policy/snapshot.h"
#include "pool/hooks.h"
#include "pool/large.h"
#include "pool/report.h"
#include "pool/thread.h"
#include "pool/window.h"
#include "topology/cgroup.h"

struct cm_process cm_process;

/* The address of a thread-local is unique to the starting thread. */
static CM_TLS char here;
static char *_Atomic starter;

static char je_conf[CM_NR_TIERS][320];

/* jemalloc says what failed on stderr; the program gets NULL and ENOMEM. */
static void stay_silent(void *opaque, const char *text)
{
	(void)opaque, (void)text;
}

/*
 * narenas:1             threads use arenas with our hooks, see pool/arena.c
 * muzzy_decay_ms:0      pages go from dirty to given back, and are uncharged
 * dss:disabled          the program break is not ours
 * oversize_threshold:0  no separate arena, without hooks, for big blocks
 * cache_oblivious:false a large block is whole pages, as pool/shift.h needs them
 * and LIKE, below
 */

/*
 * jemalloc 5.3.1. Slabs of 32 and 64 KiB for sizes of which its own hold but one or
 * two, so that blocks that others free do not cost a slab each; as many blocks in
 * a thread's cache as before (20, as its own would go by the slab). The cache goes
 * up to 256 KiB, with so many of each size that large blocks are no more in all
 * than its own 20 of each up to 32 KiB, 2.4 MiB. 5.3.0 has one number for all.
 */
#define LIKE								\
	(strncmp(CM_JEMALLOC_VERSION, "5.3.0", 5) ?			\
		 "slab_sizes:512-2048:8|2049-14336:16,"			\
		 "tcache_max:262144,tcache_ncached_max:512-2048:32|"	\
		 "2049-14336:20|16384-32768:4|32769-65536:3|"		\
		 "65537-262144:1" :					\
		 "tcache_max:131072,tcache_nslots_large:3")

static void configure_jemalloc(enum cm_tier tier,
			       const struct cm_settings *settings)
{
	struct cm_line line;

	cm_line_init(&line, je_conf[tier], sizeof(je_conf[tier]), -1);
	if (cm_process.state != CM_STATE_NO_WINDOW)
		cm_line_fmt(&line,
			    "narenas:1,oversize_threshold:0,"
			    "dss:disabled,cache_oblivious:false,"
			    "muzzy_decay_ms:0,dirty_decay_ms:%lld,%s",
			    (long long)settings->decay_ms, LIKE);
	*cm_je[tier].conf = je_conf[tier];
	*cm_je[tier].message = stay_silent;
	cm_large_keeps = settings->decay_ms > 0;
}

static enum cm_state decide_state(const struct cm_settings *settings)
{
	if (cm_foreign_sanitizer())
		return CM_STATE_SANITIZER;
	if (cm_window_find(&cm_fast))
		return CM_STATE_NO_WINDOW;
	return settings->disable ? CM_STATE_DISABLED : CM_STATE_TIERED;
}

static void init_pool(enum cm_tier tier, const struct cm_settings *settings)
{
	struct cm_pool *pool = &cm_pool[tier];
	unsigned arenas = settings->nr_arenas;

	pool->hooks = cm_hooks;
	pool->sys = &cm_sys_real;
	pool->je = &cm_je[tier];
	pool->tier = tier;
	pool->single = cm_process.state == CM_STATE_NO_WINDOW;
	atomic_store(&pool->next, cm_window_of(tier).base);
	atomic_store(&pool->limit, cm_process.state == CM_STATE_TIERED ?
					   cm_nodes_limit(settings, tier) :
					   CM_NO_LIMIT);
	atomic_store(&pool->allowance, atomic_load(&pool->limit));
	if (!arenas)
		arenas = 4 * cm_sys_nr_cpus();	/* jemalloc's own default */
	pool->max_arenas = arenas < CM_MAX_ARENAS ? arenas : CM_MAX_ARENAS;
	configure_jemalloc(tier, settings);
}

static void start(void)
{
	struct cm_settings *settings = &cm_process.settings;

	cm_thread_init();
	cm_foreign_init();
	cm_conf_defaults(settings);
	cm_conf_load(settings);
	if (settings->stats_print && !settings->stats_file[0])
		cm_emit_hold_stderr();
	cm_process.state = decide_state(settings);
	cm_process.passed_through = cm_foreign_serves(cm_process.state);
	cm_front_init();
	cm_live_prepare(settings);
	cm_mmap_init();
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		init_pool(t, settings);
	if (cm_process.state == CM_STATE_TIERED)
		cm_nodes_init(settings);
	cm_live_begin(settings);
	if (cm_process.passed_through)
		(void)cm_next();
	else
		cm_fork_init();
}

/*
 * No window: every address is the one tier's, so that free stays as fast as
 * plain jemalloc. Not if the start itself allocated: free must know those.
 */
static void cover_one_tier(void)
{
	if (cm_process.state != CM_STATE_NO_WINDOW || cm_early_used())
		return;
	cm_fast.base = 4096;		/* NULL stays outside */
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		cm_fast.end[t] = UINTPTR_MAX - cm_fast.base;
}

/*
 * Is it for this thread to start? Else it has been, or this thread is at it.
 * Threads before main are rare, and starting is short: so the others wait.
 */
static bool take_start(void)
{
	char *me = &here;
	int life;

	for (;;) {
		life = CM_LIFE_NEW;
		if (atomic_compare_exchange_strong(&cm_process.life, &life,
						   CM_LIFE_STARTING)) {
			atomic_store(&starter, me);
			return true;
		}
		if (life == CM_LIFE_READY || atomic_load(&starter) == me)
			return false;
		(void)sched_yield();
	}
}

/* Without a start half-made: a child would wait for its thread for ever. */
static bool holds_start;

void cm_init_fork_prepare(void)
{
	holds_start = take_start();
}

void cm_init_fork_done(void)
{
	if (!holds_start)
		return;
	holds_start = false;
	atomic_store(&starter, NULL);
	atomic_store(&cm_process.life, CM_LIFE_NEW);
}

bool cm_init(void)
{
	int saved = errno;

	if (likely(atomic_load_explicit(&cm_process.life,
					memory_order_acquire) == CM_LIFE_READY))
		return true;
	if (take_start()) {
		start();
		atomic_store_explicit(&cm_process.life, CM_LIFE_READY,
				      memory_order_release);
		if (cm_process.state == CM_STATE_NO_WINDOW &&
		    !cm_process.passed_through)
			(void)cm_je_start(cm_pool[CM_TIER_DDR].je);
		if (!cm_process.passed_through) {
			cover_one_tier();
			cm_live_route();
			cm_site_begin();
		}
		cm_mmap_begin();
	}
	errno = saved;
	return atomic_load_explicit(&cm_process.life, memory_order_acquire) ==
	       CM_LIFE_READY;
}

void cm_init_report(struct cm_report *report)
{
	const struct cm_policy_snapshot *policy;
	struct cm_snapshot_ticket ticket;
	unsigned percent[CM_NR_TIERS];

	if (cm_process.state == CM_STATE_TIERED)
		cm_nodes_refresh();
	report->pid = (int)getpid();
	report->version = PACKAGE_VERSION;
	report->jemalloc_version = CM_JEMALLOC_VERSION;
	report->state = cm_process.state;
	policy = cm_snapshot_enter(&cm_thread, &ticket);
	report->nr_order = policy->nr_order;
	memcpy(report->order, policy->order, sizeof(report->order));
	report->policy = cm_option_word(CM_OPT_POLICY, policy->id);
	report->on_full = cm_option_word(CM_OPT_ON_FULL, policy->on_full);
	for (unsigned t = 0; t < CM_NR_TIERS; t++)
		percent[t] = policy->limit_percent[t];
	cm_snapshot_leave(&ticket);
	(void)cm_cgroup_read("/proc", &report->cgroup);
	for (unsigned t = 0; t < CM_NR_TIERS; t++) {
		if (cm_process.passed_through)
			memset(&report->tier[t], 0, sizeof(report->tier[t]));
		else
			cm_pool_report(&cm_pool[t], &report->tier[t]);
		report->tier[t].tier = t;
		report->tier[t].limit_percent = percent[t];
	}
	if (cm_process.state == CM_STATE_TIERED)
		cm_map_report(report->tier);
}

#ifndef CM_MEM	/* which starts when it is called: mem/start.c */
/* Ahead of other constructors where the loader lets us choose. */
__attribute__((constructor(101))) static void construct(void)
{
	(void)cm_init();
	cm_channel_begin();
	cm_background_start();
}
#endif

/* After atexit handlers and the program's destructors; stdio flushes later. */
__attribute__((destructor(101))) static void destruct(void)
{
	static CM_SPARSE struct cm_report report;
	int saved = errno;

	if (atomic_load(&cm_process.life) != CM_LIFE_READY)
		return;
	cm_profile_end();
	if (!cm_process.settings.stats_print)
		return;
	cm_init_report(&report);
	(void)cm_emit_file(&report, &cm_process.settings);
	errno = saved;
}
