/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak_watch - soak's main thread: the heap's target, the threads that come
 * and go, and what the library and the kernel say of the tiers meanwhile
 */
#ifndef SOAK_WATCH_H
#define SOAK_WATCH_H

#define TICK_MS		20
#define MAX_BOTTOMS	4096

static unsigned seconds;
static size_t heap;
static int verbose;
static const char *strict = "";

static struct {
	uint64_t looks, rests, refused_threads;
	uint64_t used[2], resident[2];		/* highest */
	uint64_t exceeded, excess;		/* looks; bytes at most */
	unsigned tops, top_reached;
	unsigned bottoms;
	size_t live[MAX_BOTTOMS], rss[MAX_BOTTOMS], trimmed[MAX_BOTTOMS];
	size_t idle[MAX_BOTTOMS];	/* trimmed, less what lives */
} seen;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t live_bytes(void)
{
	size_t bytes = 0;

	for (unsigned t = 0; t < nr_slots; t++)
		bytes += slots[t].live;
	return bytes;
}

static void look(void)
{
	for (int tier = 0; tier < 2; tier++) {
		struct cxlm_tier_stat st = stat_of(tier);

		if (st.used > seen.used[tier])
			seen.used[tier] = st.used;
		if (strchr(strict, "dc"[tier]) &&
		    (st.used > st.limit || st.peak > st.limit || st.over_peak))
			broken("%s: used %zu, peak %zu, limit %zu",
			       tier ? "cxl" : "ddr", (size_t)st.used,
			       (size_t)st.peak, (size_t)st.limit);
	}
	seen.looks++;
}

/* While no thread works: nothing may change between the two counts. */
static void look_at_rest(void)
{
	pthread_rwlock_wrlock(&quiet);
	for (int tier = 0; tier < 2; tier++) {
		uint64_t used = stat_of(tier).used;
		uint64_t pages = resident_of(tier);

		if (pages == (size_t)-1)
			break;
		if (pages > seen.resident[tier])
			seen.resident[tier] = pages;
		if (pages <= used)
			continue;
		if (pages - used > seen.excess)
			seen.excess = pages - used;
		if (pages > used + SLACK)
			seen.exceeded++;
	}
	seen.rests++;
	pthread_rwlock_unlock(&quiet);
}

/* A thread needs a block of libc's: it may be refused where NULL may be. */
static void keep_running(void)
{
	for (unsigned t = 0; t < nr_slots; t++) {
		struct slot *s = &slots[t];

		if (s->running && !s->ended)
			continue;
		if (s->running)
			pthread_join(s->thread, NULL);
		s->ended = 0;
		s->running = !pthread_create(&s->thread, NULL, live, s);
		if (s->running)
			s->lives++;
		else if (null_allowed)
			seen.refused_threads++;
		else
			broken("a thread could not be made");
	}
}

static void count_all(struct slot *all)
{
	memset(all, 0, sizeof(*all));
	for (unsigned t = 0; t < nr_slots; t++) {
		const struct slot *s = &slots[t];

		all->lives += s->lives;
		all->steps += s->steps;
		all->blocks += s->blocks;
		all->checks += s->checks;
		all->nulls += s->nulls;
		all->sent += s->sent;
		all->forks += s->forks;
	}
}

static void progress(uint64_t ms)
{
	static struct slot all;

	count_all(&all);
	note("%u s: %zu steps, %zu checks, %zu forks, live %zu MiB, used "
	     "%zu + %zu MiB, rss %zu MiB",
	     (unsigned)(ms / 1000), (size_t)all.steps, (size_t)all.checks,
	     (size_t)all.forks, live_bytes() / MIB,
	     (size_t)stat_of(DDR).used / MIB, (size_t)stat_of(CXL).used / MIB,
	     resident() / MIB);
}

static void bottom(void)
{
	unsigned n = seen.bottoms < MAX_BOTTOMS ? seen.bottoms++ :
						  MAX_BOTTOMS - 1;

	pthread_rwlock_wrlock(&quiet);
	seen.live[n] = live_bytes();
	seen.rss[n] = resident();
	malloc_trim(0);
	seen.trimmed[n] = resident();
	seen.idle[n] = seen.trimmed[n] > seen.live[n] ?
			       seen.trimmed[n] - seen.live[n] :
			       0;
	pthread_rwlock_unlock(&quiet);
}

static void top(void)
{
	size_t live = live_bytes();
	static struct slot all;

	count_all(&all);
	seen.tops++;
	seen.top_reached += live >= heap / 10 * 9 || all.nulls;
}

static void watch(void)
{
	/* a grow or shrink phase; longer than the decay time in long runs */
	uint64_t phase = seconds * 1000 / 32, start = now_ms();
	uint64_t ms = 0, phase_end, rest = 0, minute = 60000;
	struct timespec tick = { 0, TICK_MS * 1000000 };
	int grow = 1;

	phase = phase < 1000 ? 1000 : phase > 30000 ? 30000 : phase;
	phase_end = phase;
	atomic_store(&target, heap / nr_slots);
	for (; ms < seconds * 1000u || !grow; ms = now_ms() - start) {
		keep_running();
		look();
		if (ms >= rest) {
			look_at_rest();
			rest = ms + 1000;
		}
		if (ms >= phase_end) {
			grow ? top() : bottom();
			grow = !grow;
			atomic_store(&target,
				     heap / nr_slots / (grow ? 1 : 10));
			phase_end = ms + phase;
		}
		if (verbose && ms >= minute) {
			progress(ms);
			minute += 60000;
		}
		nanosleep(&tick, NULL);
	}
	atomic_store(&stop, 1);
	for (unsigned t = 0; t < nr_slots; t++)
		if (slots[t].running)
			pthread_join(slots[t].thread, NULL);
	look_at_rest();
}

/* Every block that is left is verified once more. */
static void clear_away(void)
{
	for (unsigned t = 0; t < nr_slots; t++) {
		struct slot *s = &slots[t];

		for (unsigned i = 0; i < MAX_ITEMS; i++)
			if (s->item[i].p)
				drop(s, &s->item[i]);
		while (s->box.nr) {
			drop_block(&s->box.mail[--s->box.nr], "mail");
			s->checks++;
		}
	}
	malloc_trim(0);
}

static int by_size(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

static size_t median(const size_t *from, unsigned nr)
{
	static size_t v[MAX_BOTTOMS];

	if (!nr)
		return 0;
	memcpy(v, from, nr * sizeof(*v));
	qsort(v, nr, sizeof(*v), by_size);
	return v[nr / 2];
}

/*
 * What is held after a shrinking, beyond what lives, is fragmentation (and the
 * process itself): it varies, more so in short runs, but does not grow.
 */
static void check_creep(void)
{
	unsigned n = seen.bottoms, half = n / 2;
	size_t early = median(seen.idle, half);
	size_t late = median(seen.idle + half, n - half);
	size_t most = n < 8 ? early * 2 + 16 * MIB : early / 4 * 5 + 8 * MIB;

	for (unsigned i = 0; i < n; i++)
		if (n < 8 || i < 3 || i >= n - 3)
			note("after shrinking %u: %zu MiB live, rss %zu MiB, "
			     "trimmed %zu MiB",
			     i + 1, seen.live[i] / MIB, seen.rss[i] / MIB,
			     seen.trimmed[i] / MIB);
	check(n >= 2 && late <= most,
	      "the heap does not creep (%zu MiB idle, then %zu MiB)",
	      early / MIB, late / MIB);
}

static void summary(void)
{
	struct cxlm_tier_stat ddr = stat_of(DDR), cxl = stat_of(CXL);
	static struct slot all;

	count_all(&all);
	note("%zu steps, %zu blocks made, %zu checks, %zu handed over, "
	     "%zu forks, %u threads, %zu NULL",
	     (size_t)all.steps, (size_t)all.blocks, (size_t)all.checks,
	     (size_t)all.sent, (size_t)all.forks, all.lives,
	     (size_t)(all.nulls + seen.refused_threads));
	for (int tier = 0; tier < 2; tier++)
		note("%s: peak %zu KiB, seen %zu KiB, resident at most %zu KiB, "
		     "over %zu KiB at most, used at the end %zu KiB",
		     tier ? "cxl" : "ddr",
		     (size_t)(tier ? cxl.peak : ddr.peak) >> 10,
		     (size_t)seen.used[tier] >> 10,
		     (size_t)seen.resident[tier] >> 10,
		     (size_t)(tier ? cxl.over_peak : ddr.over_peak) >> 10,
		     (size_t)(tier ? cxl.used : ddr.used) >> 10);
	note("%zu looks, %zu at rest; resident exceeded used by %zu KiB at "
	     "most",
	     (size_t)seen.looks, (size_t)seen.rests, (size_t)seen.excess >> 10);
	check(1, "every block kept its bytes");
	check(all.checks > all.blocks && all.forks && all.sent &&
		      all.lives > 2 * nr_slots,
	      "blocks were handed over, threads came and went and forked");
	check(seen.tops && seen.top_reached,
	      "the heap reached its size, or its limits, %u of %u times",
	      seen.top_reached, seen.tops);
	if (null_allowed)
		check(all.nulls != 0, "NULL is what full tiers gave");
	else
		check(!all.nulls, "no allocation failed");
	check(seen.rests && !seen.exceeded,
	      "the kernel's pages were never %u KiB over used", SLACK >> 10);
	check_creep();
	check(ddr.used < ddr.peak / 8 + 4 * MIB &&
		      cxl.used < cxl.peak / 8 + 4 * MIB,
	      "with everything freed the tiers are nearly empty");
}

#endif
