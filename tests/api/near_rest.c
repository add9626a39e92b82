/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near_rest - errors, back ends, threads and their CPUs, fork
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "check.h"
#include "cxlmalloc/near.h"

#define NR	100000

static uint32_t data[NR];
static struct cxlm_near_column column = { sizeof(column), data, NR,
					  CXLM_NEAR_U32, 0 };
static const struct cxlm_near_range low = { 0, 99 };	/* 100 of them */

/* Does it fail like that, with nothing written? */
#define FAILS(error, call)						\
	do {								\
		errno = 0;						\
		int got_ = (call);					\
		check(got_ == -1 && errno == (error), "%s: %s", #error, \
		      #call); \
	} while (0)

static uint64_t count_low(cxlm_near *near)
{
	struct cxlm_near_result r = { .count = 77 };

	return cxlm_near_scan_range(near, &column, &low, 1, &r) ? 0 : r.count;
}

/* --- errors ------------------------------------------------------------- */

static void scan_errors(void)
{
	struct cxlm_near_column c = column;
	uint64_t bits[NR / 64 + 1];
	uint32_t index[200];
	struct cxlm_near_result r = { .bits = bits, .nr_bits = NR };
	struct cxlm_near_list list = { bits, 64 };

	memset(bits, 0x5a, sizeof(bits));
	memset(index, 0x5a, sizeof(index));
	FAILS(EINVAL, cxlm_near_scan_range(NULL, NULL, &low, 1, &r));
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, NULL, 1, &r));
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, NULL));
	c.size--;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c = column, c.type = CXLM_NEAR_F32;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c.type = -1;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c.type = 99;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c = column, c.data = NULL;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c.data = (char *)data + 1;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c = column, c.nr = UINT64_MAX / 4 + 2; /* the bytes wrap to 4 */
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c.nr = PTRDIFF_MAX / 4; /* the end wraps, on most machines */
	c.data = (void *)(UINTPTR_MAX - 4095);
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c = column, c.type = CXLM_NEAR_PACKED;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c.bits = 33;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c.bits = 32, c.nr = UINT64_MAX / 32 + 2;
	FAILS(EINVAL, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	c = column;
	list.has = NULL;
	FAILS(EINVAL, cxlm_near_scan_list(NULL, &c, &list, 1, &r));
	FAILS(EINVAL, cxlm_near_scan_list(NULL, &c, NULL, 1, &r));
	r.nr_bits = NR - 1;
	FAILS(ENOSPC, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	r = (struct cxlm_near_result){ .index = index, .nr_index = 200 };
	c.nr = ((uint64_t)1 << 32) + 1;
	FAILS(EOVERFLOW, cxlm_near_scan_range(NULL, &c, &low, 1, &r));
	check(bits[0] == 0x5a5a5a5a5a5a5a5a && index[0] == 0x5a5a5a5a,
	      "nothing was written then");
	check(!cxlm_near_scan_range(NULL, &column, NULL, 0, NULL),
	      "no range, no result: nothing to do");
}

/* Too little room for indices: counts all the same, and not a byte too far. */
static void index_room(unsigned threads)
{
	struct cxlm_near_attr attr = { sizeof(attr), threads, NULL };
	cxlm_near *near = cxlm_near_create(&attr);
	struct cxlm_near_range range[2] = { { 0, 99 }, { 0, 49 } };
	uint32_t index[101];
	struct cxlm_near_result r[2] = { { .index = index, .nr_index = 99 } };

	memset(index, 0x5a, sizeof(index));
	FAILS(ENOSPC, cxlm_near_scan_range(near, &column, range, 2, r));
	check(r[0].count == 100 && r[1].count == 50 && index[99] == 0x5a5a5a5a,
	      "%u threads: the counts are right, nothing behind the room",
	      threads);
	r[0].nr_index = 100;
	check(!cxlm_near_scan_range(near, &column, range, 2, r) &&
		      r[0].count == 100 && index[0] == 0 && index[99] == 99 &&
		      index[100] == 0x5a5a5a5a,
	      "%u threads: with room for just as many it is done", threads);
	cxlm_near_destroy(near);
}

static void sls_errors(void)
{
	float rows[4][2] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } };
	float sums[4] = { -1, -1, -1, -1 };
	uint32_t length[2] = { 2, 1 }, index[3] = { 0, 3, 1 };
	struct cxlm_near_table t = { sizeof(t), rows, CXLM_NEAR_F32, 4, 2, 0 };
	struct cxlm_near_bags b = { sizeof(b), length, 2, index, NULL, 3 };

	FAILS(EINVAL, cxlm_near_sls(NULL, NULL, &b, sums, sizeof(sums)));
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, NULL, sums, sizeof(sums)));
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, NULL, sizeof(sums)));
	t.type = CXLM_NEAR_U32;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	t.type = CXLM_NEAR_F32, t.width = 0;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	t.width = 2, t.stride = 1;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	t.stride = UINT64_MAX / 3 + 1;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	t.stride = 0, t.width = UINT64_MAX / 2 + 1;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	t.width = 2, t.data = NULL;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	t.data = (char *)rows + 2;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	t.data = rows;
	b.nr_index = 2;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	b.nr_index = 4;
	FAILS(EINVAL, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	b.nr_index = 3, index[2] = 4;
	FAILS(ERANGE, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	index[2] = UINT32_MAX;
	FAILS(ERANGE, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)));
	index[2] = 1;
	FAILS(ENOSPC, cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums) - 1));
	check(sums[0] == -1 && sums[3] == -1, "nothing was written then");
	check(!cxlm_near_sls(NULL, &t, &b, sums, sizeof(sums)) &&
		      sums[0] == 8 && sums[1] == 10 && sums[2] == 3 &&
		      sums[3] == 4,
	      "sums of two rows and of one");
}

static void object_errors(void)
{
	struct cxlm_near_attr attr = { sizeof(attr), 5000, NULL };
	struct cxlm_near_stat stat = { .size = sizeof(stat) - 1 };
	cxlm_near *near;

	FAILS(EINVAL, cxlm_near_create(&attr) ? 0 : -1);
	attr.threads = 0, attr.backend = "";
	FAILS(EINVAL, cxlm_near_create(&attr) ? 0 : -1);
	attr.backend = "a name of 32 bytes, which is more";
	FAILS(EINVAL, cxlm_near_create(&attr) ? 0 : -1);
	attr.size--;
	FAILS(EINVAL, cxlm_near_create(&attr) ? 0 : -1);
	near = cxlm_near_create(NULL);
	check(near != NULL, "no attributes: an object without threads");
	FAILS(EINVAL, cxlm_near_stat(near, &stat));
	FAILS(EINVAL, cxlm_near_stat(near, NULL));
	FAILS(EINVAL, cxlm_near_stat(NULL, &stat));
	errno = 5;
	cxlm_near_destroy(near);
	cxlm_near_destroy(NULL);
	check(errno == 5, "cxlm_near_destroy keeps errno");
}

/* --- back ends ---------------------------------------------------------- */

struct device {
	int answer;		/* errno; 0: it says 42 values match */
	_Atomic int calls;
};

static int device_scan(void *arg, const struct cxlm_near_column *c,
		       const struct cxlm_near_range *range, unsigned nr,
		       struct cxlm_near_result *result)
{
	struct device *d = arg;

	(void)c, (void)range;
	atomic_fetch_add(&d->calls, 1);
	for (unsigned i = 0; i < nr && !d->answer; i++)
		result[i].count = 42;
	errno = d->answer;
	return d->answer ? -1 : 0;
}

static struct cxlm_near_backend backend(const char *name, int priority,
					struct device *d)
{
	return (struct cxlm_near_backend){
		.size = sizeof(struct cxlm_near_backend),
		.version = CXLM_NEAR_VERSION,
		.name = name,
		.priority = priority,
		.types = 1U << CXLM_NEAR_U32 | 1U << CXLM_NEAR_F32,
		.data = d,
		.scan_range = device_scan,
	};
}

static const char *names(void)
{
	static char all[256];
	struct cxlm_near_backend_info info = { .size = sizeof(info) };

	all[0] = 0;
	for (unsigned i = 0; !cxlm_near_backend_info(i, &info); i++) {
		strcat(all, info.name);
		strcat(all, " ");
	}
	return all;
}

static void register_errors(void)
{
	struct device d = { 0, 0 };
	struct cxlm_near_backend b = backend("one", 1, &d);
	struct cxlm_near_backend_info info = { .size = sizeof(info) - 1 };

	FAILS(EINVAL, cxlm_near_register(NULL));
	b.size--;
	FAILS(EINVAL, cxlm_near_register(&b));
	b = backend(NULL, 1, &d);
	FAILS(EINVAL, cxlm_near_register(&b));
	b = backend("", 1, &d);
	FAILS(EINVAL, cxlm_near_register(&b));
	b = backend("a name of 32 bytes, which is more", 1, &d);
	FAILS(EINVAL, cxlm_near_register(&b));
	b = backend("one", 1, &d), b.types = 0;
	FAILS(EINVAL, cxlm_near_register(&b));
	b = backend("one", 1, &d), b.scan_range = NULL;
	FAILS(EINVAL, cxlm_near_register(&b));
	b = backend("one", 1, &d), b.version++;
	FAILS(ENOTSUP, cxlm_near_register(&b));
	b = backend("cpu", 1, &d);
	FAILS(EEXIST, cxlm_near_register(&b));
	FAILS(EINVAL, cxlm_near_unregister(NULL));
	FAILS(ENOENT, cxlm_near_unregister("one"));
	FAILS(EPERM, cxlm_near_unregister("cpu"));
	FAILS(EINVAL, cxlm_near_backend_info(0, &info));
	FAILS(EINVAL, cxlm_near_backend_info(0, NULL));
	info.size++;
	FAILS(ENOENT, cxlm_near_backend_info(1, &info));
	check(!cxlm_near_backend_info(0, &info) && !strcmp(info.name, "cpu") &&
		      info.scan_range && info.scan_list && info.sls &&
		      info.types == 0x1ff && info.priority == 0,
	      "cpu has it all");
}

static void backends(void)
{
	struct device refuses = { ENOTSUP, 0 }, good = { 0, 0 },
		      broken = { EIO, 0 }, last = { 0, 0 };
	struct cxlm_near_backend b;
	struct cxlm_near_attr attr = { sizeof(attr), 0, "good" };
	struct cxlm_near_stat stat = { .size = sizeof(stat) };
	struct cxlm_near_column c = column;
	cxlm_near *only_good, *only_last, *any = cxlm_near_create(NULL);
	char name[] = "good";
	static uint16_t few[10];

	only_good = cxlm_near_create(&attr);
	attr.backend = "last";
	only_last = cxlm_near_create(&attr);
	FAILS(ENOTSUP, count_low(only_good) ? 0 : -1);
	b = backend(name, 5, &good);
	check(!cxlm_near_register(&b), "a back end is registered");
	name[0] = 'f';
	FAILS(EEXIST, (b.name = "good", cxlm_near_register(&b)));
	check(count_low(any) == 42 && good.calls == 1, "and serves");
	check(!cxlm_near_stat(any, &stat) && stat.calls == 1 &&
		      !strcmp(stat.backend, "good"),
	      "the object's statistics say so");
	c.data = few, c.nr = 10, c.type = CXLM_NEAR_U16;
	struct cxlm_near_result r = { 0 };
	check(!cxlm_near_scan_range(any, &c, &low, 1, &r) && r.count == 10 &&
		      good.calls == 1,
	      "not a type it does not take");
	struct cxlm_near_list none = { NULL, 0 };
	check(!cxlm_near_scan_list(any, &column, &none, 1, &r) &&
		      r.count == 0 && good.calls == 1,
	      "not an operation it does not have");
	FAILS(ENOTSUP, cxlm_near_scan_range(only_good, &c, &low, 1, &r));

	b = backend("refuses", 9, &refuses);
	check(!cxlm_near_register(&b) && count_low(any) == 42 &&
		      refuses.calls == 1 && good.calls == 2,
	      "one that refuses is asked first, then the next");
	b = backend("last", -1, &last);
	cxlm_near_register(&b);
	check(!strcmp(names(), "refuses good cpu last "), "the order: %s",
	      names());
	good.answer = ENOTSUP;
	check(count_low(any) == 100 && good.calls == 3 && last.calls == 0,
	      "when all refuse cpu serves, not one below it");
	FAILS(ENOTSUP, count_low(only_good) ? 0 : -1);
	check(count_low(only_last) == 42, "which serves by its name");
	b = backend("broken", 9, &broken);
	cxlm_near_register(&b);
	check(!strcmp(names(), "refuses broken good cpu last "),
	      "of equals the first to come is first: %s", names());
	FAILS(EIO, count_low(any) ? 0 : -1);
	b = backend("zero", 0, &good);
	cxlm_near_register(&b);
	check(!strcmp(names(), "refuses broken good zero cpu last "),
	      "cpu is the last of its equals: %s", names());
	check(!cxlm_near_unregister("broken") &&
		      !cxlm_near_unregister("zero") &&
		      !cxlm_near_unregister("refuses") &&
		      !cxlm_near_unregister("last"),
	      "they can go");
	FAILS(ENOENT, cxlm_near_unregister("broken"));
	check(!strcmp(names(), "good cpu "), "who is left: %s", names());
	for (int i = 1; i < CXLM_NEAR_BACKENDS_MAX; i++) {
		char many[8];

		snprintf(many, sizeof(many), "%d", i);
		b = backend(many, i, &refuses);
		cxlm_near_register(&b);
	}
	b = backend("more", 1, &good);
	FAILS(ENOSPC, cxlm_near_register(&b));
	check(count_low(any) == 100, "with all refusing, cpu serves");
	for (int i = 1; i < CXLM_NEAR_BACKENDS_MAX; i++) {
		char many[8];

		snprintf(many, sizeof(many), "%d", i);
		cxlm_near_unregister(many);
	}
	cxlm_near_unregister("good");
	check(!strcmp(names(), "cpu ") && count_low(NULL) == 100,
	      "only cpu is left");
	cxlm_near_destroy(any);
	cxlm_near_destroy(only_good);
	cxlm_near_destroy(only_last);
}

/* --- threads ------------------------------------------------------------ */

/* Threads of an object, by their name. */
static unsigned nr_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned nr = 0;
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char path[300], name[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 d->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		nr += fgets(name, sizeof(name), f) &&
		      !strcmp(name, "cxlm-near\n");
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return nr;
}

/* One that has been joined may be seen a moment longer. */
static bool all_gone(void)
{
	for (int i = 0; i < 100000 && nr_threads(); i++)
		sched_yield();
	return !nr_threads();
}

static cxlm_near *shared;
static _Atomic bool stop;
static _Atomic int wrong;

/* Counts are right whoever serves: cpu, or the back end that says 42. */
static void *caller(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		uint64_t n = count_low(i & 1 ? shared : NULL);

		if (n != 100 && n != 42)
			wrong++;
	}
	return NULL;
}

static void *registrar(void *arg)
{
	(void)arg;
	while (!stop) {
		struct device *d = calloc(1, sizeof(*d));
		struct cxlm_near_backend b = backend("now and then", 1, d);

		if (!d || cxlm_near_register(&b))
			wrong++;
		sched_yield();
		if (cxlm_near_unregister("now and then"))
			wrong++;
		/* Nobody is in it any more, or a sanitizer says so. */
		free(d);
	}
	return NULL;
}

static void several_callers(void)
{
	pthread_t id[4];

	for (int i = 0; i < 3; i++)
		pthread_create(&id[i], NULL, caller, NULL);
	pthread_create(&id[3], NULL, registrar, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(id[i], NULL);
	stop = true;
	pthread_join(id[3], NULL);
	check(!wrong,
	      "three callers share an object while a back end comes and goes");
}

static void in_child(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		bool right = count_low(shared) == 100 && !nr_threads();

		cxlm_near_destroy(shared);
		_exit(!right);
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
	      "a child has no threads, and uses and destroys the object");
	check(count_low(shared) == 100, "the parent goes on");
}

int main(void)
{
	struct cxlm_near_attr attr = { sizeof(attr), 2, NULL };
	cpu_set_t before, after;

	for (uint32_t i = 0; i < NR; i++)
		data[i] = i;
	scan_errors();
	index_room(0);
	index_room(3);
	sls_errors();
	object_errors();
	register_errors();
	backends();
	count_low(NULL);
	check(all_gone(), "no threads without asking for them");
	sched_getaffinity(0, sizeof(before), &before);
	shared = cxlm_near_create(&attr);
	check(count_low(shared) == 100 && nr_threads() == 2,
	      "two threads were asked for, and work");
	sched_getaffinity(0, sizeof(after), &after);
	check(CPU_EQUAL(&before, &after), "the caller's CPUs are as before");
	several_callers();
	in_child();
	cxlm_near_destroy(shared);
	check(all_gone(), "they are gone");
	return check_done();
}
