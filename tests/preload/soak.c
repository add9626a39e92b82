/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak - mixed allocation for as long as asked, every byte checked
 *
 * soak [-v] [-n] [-s TIERS] SECONDS THREADS HEAP_MIB SEED
 *   -v  a line each minute
 *   -n  NULL is an answer (on_full=fail); it is counted
 *   -s  tiers whose committed bytes never exceed their limit: d, c, dc
 *
 * The heap grows to HEAP_MIB and shrinks to a tenth of it in turns. Blocks of
 * 16 B to 6 MiB, most of them small, are verified whenever they are freed,
 * resized, handed over or picked for an audit. Threads live for some thousand
 * steps; the next one in their place takes over their blocks. Blocks go from
 * thread to thread through mailboxes. Threads fork: the child verifies blocks
 * of all threads, frees and allocates some.
 *
 * The seed decides what each thread does; how threads meet is the machine's.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "soak_block.h"

#define MAX_THREADS	64
#define MAX_ITEMS	(1u << 16)	/* a thread's, a power of 2 */
#define MAX_MAIL	64
#define SLACK		(64u << 10)	/* the kernel's pages over used */

struct mailbox {
	pthread_mutex_t mutex;
	unsigned nr;
	struct item mail[MAX_MAIL];
};

/* One at a time is a slot's thread; the blocks stay with the slot. */
struct slot {
	pthread_t thread;
	uint32_t number, lives;
	int running;			/* by main only */
	atomic_int ended;
	atomic_uint at;			/* the item in the works, for fork */
	atomic_size_t live;		/* bytes in blocks */
	uint64_t steps, blocks, checks, nulls, sent, forks;
	struct mailbox box;
	struct item item[MAX_ITEMS];
};

static struct slot *slots;
static unsigned nr_slots;
static uint32_t seed;
static atomic_size_t target;		/* bytes in blocks, of each slot */
static atomic_int stop;

/* Held for reading while a thread works, for writing by a look at the rest. */
static pthread_rwlock_t quiet;

/* The first item from a random place on that is there, or is not. */
static struct item *pick(struct slot *s, uint32_t *random, int there)
{
	uint32_t at = next_random(random);

	for (unsigned i = 0; i < MAX_ITEMS; i++, at++)
		if (!s->item[at % MAX_ITEMS].p == !there)
			return &s->item[at % MAX_ITEMS];
	return NULL;
}

static void begin(struct slot *s, const struct item *item)
{
	atomic_store(&s->at, (unsigned)(item - s->item));
}

static void count(struct slot *s, size_t plus, size_t minus)
{
	atomic_store_explicit(&s->live, s->live + plus - minus,
			      memory_order_relaxed);
}

static void drop(struct slot *s, struct item *item)
{
	count(s, 0, item->size);
	s->checks++;
	drop_block(item, "free");
}

static void make(struct slot *s, uint32_t *random)
{
	struct item *item = pick(s, random, 0);

	if (!item)
		return;
	begin(s, item);
	if (!make_block(item, s->number, random)) {
		s->nulls++;
		item = pick(s, random, 1);
		if (!item)
			return;
		begin(s, item);
		drop(s, item);
		return;
	}
	s->blocks++;
	count(s, item->size, 0);
}

static void resize(struct slot *s, struct item *item, uint32_t *random)
{
	uint32_t was = item->size;

	s->checks++;
	if (!resize_block(item, s->number, random)) {
		s->nulls++;
		return;
	}
	s->blocks++;
	count(s, item->size, was);
}

/* The block is the other thread's from here on. */
static int post(struct slot *s, struct item *item, uint32_t *random)
{
	struct mailbox *box = &slots[next_random(random) % nr_slots].box;
	int room;

	verify(item, "before it is handed over");
	s->checks++;
	pthread_mutex_lock(&box->mutex);
	room = box->nr < MAX_MAIL;
	if (room) {
		box->mail[box->nr++] = *item;
		count(s, 0, item->size);
		item->p = NULL;
		s->sent++;
	}
	pthread_mutex_unlock(&box->mutex);
	return room;
}

static void fetch(struct slot *s, uint32_t *random)
{
	struct item *item = pick(s, random, 0);
	unsigned had;

	if (!item)
		return;
	begin(s, item);
	pthread_mutex_lock(&s->box.mutex);
	had = s->box.nr;
	if (had)
		*item = s->box.mail[--s->box.nr];
	pthread_mutex_unlock(&s->box.mutex);
	if (!had)
		return;
	verify(item, "after it was handed over");
	s->checks++;
	count(s, item->size, 0);
	if (next_random(random) % 2)
		drop(s, item);
	else
		stamp(item, s->number);
}

static void use(struct slot *s, struct item *item, uint32_t *random)
{
	uint32_t r = next_random(random) % 100;

	begin(s, item);
	if (r < 40)
		drop(s, item);
	else if (r < 65)
		resize(s, item, random);
	else if (r < 85) {
		verify(item, "audit");
		s->checks++;
	} else if (!post(s, item, random))
		drop(s, item);
}

static void step(struct slot *s, uint32_t *random)
{
	size_t live = s->live, want = target, much = want + want / 4;
	uint32_t r = next_random(random) % 100;
	struct item *item;

	s->steps++;
	if (r % 8 == 0) {
		fetch(s, random);
	} else if (r < (live < want ? 70 : live < much ? 30 : 10)) {
		make(s, random);
	} else if ((item = pick(s, random, 1)) != NULL) {
		if (live <= much) {
			use(s, item, random);
		} else {
			begin(s, item);
			drop(s, item);
		}
	}
}

/*
 * In a child every other thread is where the fork found it: its item in the
 * works may be half made, a mailbox locked. All else is whole.
 */
static void inherit(uint32_t *random)
{
	static struct slot own;

	alarm(120);
	for (unsigned t = 0; t < nr_slots; t++) {
		struct slot *s = &slots[t];
		unsigned skip = s->at, free_it = next_random(random) % 16;
		size_t bytes = 0;

		for (unsigned n = 0; n < 400 && bytes < 4 * MIB; n++) {
			struct item *item = pick(s, random, 1);

			if (!item || item == &s->item[skip])
				continue;
			bytes += item->size;
			verify(item, "inherited");
			if (n % 16 == free_it)
				drop_block(item, "inherited, freed");
		}
		if (pthread_mutex_trylock(&s->box.mutex))
			continue;
		for (unsigned i = 0; i < s->box.nr; i++)
			verify(&s->box.mail[i], "inherited mail");
	}
	for (unsigned i = 0; i < 200; i++)
		make(&own, random);
	for (struct item *item; (item = pick(&own, random, 1)) != NULL;)
		drop(&own, item);
	_exit(0);
}

static void fork_one(struct slot *s, uint32_t *random)
{
	int status = -1;
	pid_t pid;

	begin(s, pick(s, random, 0));
	pid = fork();
	if (pid == 0)
		inherit(random);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		broken("a child (%d) ended with status %#x", (int)pid, status);
	s->forks++;
}

static void *live(void *arg)
{
	struct slot *s = arg;
	uint32_t random = (seed + 1) * 2654435761u ^ (s->number + 1) * 40503u ^
			  s->lives * 2246822519u;
	uint32_t steps;

	random |= !random;
	steps = 1000 + next_random(&random) % 15000;
	for (uint32_t i = 0; i < steps && !stop; i++) {
		if (i % 64 == 0)
			pthread_rwlock_rdlock(&quiet);
		step(s, &random);
		if (i == steps / 2 && s->lives % 6 == 1)
			fork_one(s, &random);
		if (i % 64 == 63 || i == steps - 1 || stop)
			pthread_rwlock_unlock(&quiet);
	}
	atomic_store(&s->ended, 1);
	return NULL;
}

#include "soak_watch.h"

static int prepare(int argc, char **argv)
{
	pthread_rwlockattr_t attr;
	int c;

	while ((c = getopt(argc, argv, "vns:")) != -1) {
		if (c == 'v')
			verbose = 1;
		else if (c == 'n')
			null_allowed = 1;
		else if (c == 's')
			strict = optarg;
		else
			return 0;
	}
	if (argc - optind != 4)
		return 0;
	seconds = (unsigned)atoi(argv[optind]);
	nr_slots = (unsigned)atoi(argv[optind + 1]);
	heap = (size_t)atoi(argv[optind + 2]) * MIB;
	seed = (uint32_t)strtoul(argv[optind + 3], NULL, 0);
	if (!seconds || !nr_slots || nr_slots > MAX_THREADS || !heap)
		return 0;
	slots = mmap(NULL, nr_slots * sizeof(*slots), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (slots == MAP_FAILED)
		return 0;
	for (unsigned t = 0; t < nr_slots; t++) {
		slots[t].number = t;
		pthread_mutex_init(&slots[t].box.mutex, NULL);
	}
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&quiet, &attr);
	parent = getpid();
	return 1;
}

int main(int argc, char **argv)
{
	if (!prepare(argc, argv)) {
		fputs("usage: soak [-v] [-n] [-s TIERS] SECONDS THREADS "
		      "HEAP_MIB SEED\n",
		      stderr);
		return 2;
	}
	if (!tiers_found())
		return check_done();
	note("seed %u: %u s, %u threads, a heap of %zu MiB", seed, seconds,
	     nr_slots, heap / MIB);
	watch();
	clear_away();
	summary();
	return check_done();
}
