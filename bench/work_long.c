/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work_long - columns of a long run
 *
 * frag   phases of five mixes of sizes in turn, 32 MiB alive in each: seven of
 *        eight of the phase's blocks go at its end, of older ones half; then the
 *        next mix fills the room, and random blocks of it are replaced. Resident
 *        memory after each phase is recorded, and its creep: the mean of the last
 *        third over that of the first. A phase of each mix to settle, and 30, of
 *        more operations more; a phase is 100 s of the steered clock (work.c)
 * live7  as many small objects as operations, 16..48 B: all allocated, a quarter
 *        replaced at random, all freed
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "work.h"

enum {
	MIXES = 5,
	PHASES = 30,
	PER_PHASE = 100000,
	ALIVE = 32 << 20,
	FRAG_SLOTS = ALIVE / 16,
	NOTED = PHASES,
	PHASE_STEPS = 100,	/* of a second each */
};

static const struct {
	size_t least, most;
} mixes[MIXES] = {
	{ 16, 64 }, { 1024, 16384 }, { 80, 160 }, { 4096, 65536 }, { 200, 700 },
};

static struct work_slot slots[FRAG_SLOTS];
static long nr_slots, nr_old;	/* those below nr_old are of earlier phases */
static size_t alive;

static void *pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		work_fail("no memory for the array");
	return p;
}

/* Without stdio, which would allocate. */
static long resident_kib(void)
{
	char line[128] = "";
	char *at = line;
	int fd = open("/proc/self/statm", O_RDONLY);

	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		work_fail("resident memory cannot be read");
	close(fd);
	strtol(at, &at, 10);
	return strtol(at, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

static void frag_fill(struct work_slot *s, int mix, uint64_t *seed)
{
	s->size = mixes[mix].least +
		  work_random(seed) % (mixes[mix].most - mixes[mix].least + 1);
	s->block = malloc(s->size);
	work_mark(s->block, s->size, (unsigned char)s->size);
	alive += s->size;
}

static void frag_free(struct work_slot *s)
{
	work_check(s->block, s->size, (unsigned char)s->size);
	free(s->block);
	alive -= s->size;
}

static void frag_phase(int mix, long replaced, uint64_t *seed)
{
	long kept = 0;

	for (long i = 0; i < nr_slots; i++) {
		if (work_random(seed) % 8 < (i < nr_old ? 4 : 1))
			slots[kept++] = slots[i];
		else
			frag_free(&slots[i]);
	}
	nr_old = nr_slots = kept;
	while (alive < ALIVE && nr_slots < FRAG_SLOTS)
		frag_fill(&slots[nr_slots++], mix, seed);
	for (long i = 0; i < replaced; i++) {
		struct work_slot *s =
			&slots[nr_old + (long)(work_random(seed) %
					       (uint64_t)(nr_slots - nr_old))];

		frag_free(s);
		frag_fill(s, mix, seed);
		if (i % (replaced / PHASE_STEPS + 1) == 0)
			work_pass(1000000000);
	}
}

void work_frag(long count)
{
	uint64_t seed = 88172645463325252u;
	long phases = count / PER_PHASE / PHASES * PHASES;
	double first = 0, last = 0;
	char noted[NOTED * 12] = "";
	size_t at = 0;

	if (!phases)
		phases = PHASES;
	work_start();
	for (long i = -MIXES; i < phases; i++) {
		long rss;

		frag_phase((int)((i + MIXES) % MIXES), count / phases, &seed);
		rss = resident_kib();
		if (i < 0)
			continue;
		if (i < phases / 3)
			first += (double)rss;
		if (i >= phases - phases / 3)
			last += (double)rss;
		/* Of a long run the first of each thirtieth. */
		if (i % (phases / NOTED) == 0)
			at += (size_t)snprintf(noted + at, sizeof(noted) - at,
					       "%s%ld", at ? "," : "", rss);
	}
	work_stop();
	work_also(
		"\"phases\":%ld,\"phase_rss_kib\":[%s],\"rss_first_kib\":%.0f,"
		"\"rss_last_kib\":%.0f,\"creep\":%.4f",
		phases, noted, first / (double)(phases / 3),
		last / (double)(phases / 3), last / first);
	for (long i = 0; i < nr_slots; i++)
		frag_free(&slots[i]);
}

static unsigned char **objects;
static unsigned char *sizes;	/* apart: 10^7 of slots would take 160 MB */

static void object(long i, uint64_t *seed)
{
	sizes[i] = (unsigned char)(16 + work_random(seed) % 33);
	objects[i] = malloc(sizes[i]);
	work_mark(objects[i], sizes[i], (unsigned char)i);
}

static void object_free(long i)
{
	work_check(objects[i], sizes[i], (unsigned char)i);
	free(objects[i]);
}

void work_live7(long count)
{
	uint64_t seed = 88172645463325252u;

	objects = pages((size_t)count * sizeof(*objects));
	sizes = pages((size_t)count);
	work_start();
	for (long i = 0; i < count; i++)
		object(i, &seed);
	for (long i = 0; i < count / 4; i++) {
		long at = (long)(work_random(&seed) % (uint64_t)count);

		object_free(at);
		object(at, &seed);
	}
	for (long i = 0; i < count; i++)
		object_free(i);
	work_stop();
}
