/* SPDX-License-Identifier: BSD-2-Clause */
/* registry - which back ends there are, and which serves a call */
#include "near/near.h"

#define NR_SLOTS	(CXLM_NEAR_BACKENDS_MAX + 1)
#define CPU		0

struct slot {
	struct cxlm_near_backend it;
	char name[32];
	unsigned users;		/* calls that are in it */
	bool taken, leaving;
};

#define ALL_TYPES	((1U << (CXLM_NEAR_I64 + 1)) - 1)

/* by lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unused = PTHREAD_COND_INITIALIZER;
static struct slot slot[NR_SLOTS] = {
	[CPU] = { .it.types = ALL_TYPES, .name = "cpu", .taken = true }
};
static unsigned order[NR_SLOTS] = { CPU };
static unsigned nr_order = 1;

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

/*
 * Its threads are not here: nobody is in a back end, nobody waits for one to
 * become unused, so what was leaving stays.
 */
static void in_child(void)
{
	for (unsigned i = 0; i < NR_SLOTS; i++) {
		slot[i].users = 0;
		slot[i].leaving = false;
	}
	pthread_cond_init(&unused, NULL);
	pthread_mutex_unlock(&lock);
}

static void at_fork(void)
{
	pthread_atfork(before_fork, after_fork, in_child);
}

void cm_near_ready(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, at_fork);
}

static bool has_op(unsigned s, enum cm_near_op op)
{
	const struct cxlm_near_backend *it = &slot[s].it;

	if (s == CPU)
		return true;
	switch (op) {
	case CM_NEAR_SCAN_RANGE:
		return it->scan_range;
	case CM_NEAR_SCAN_LIST:
		return it->scan_list;
	case CM_NEAR_SLS:
		return it->sls;
	}
	return false;
}

/* Is this one to be asked? Under lock. */
static bool suits(unsigned s, const struct cm_near_call *call)
{
	if (call->near && *call->near->only ?
		    strcmp(call->near->only, slot[s].name) != 0 :
		    slot[s].it.priority < 0)
		return false;
	return !slot[s].leaving && slot[s].it.types >> call->type & 1 &&
	       has_op(s, call->op);
}

static int ask(unsigned s, const struct cm_near_call *c)
{
	const struct cxlm_near_backend *it = &slot[s].it;

	switch (c->op) {
	case CM_NEAR_SCAN_RANGE:
		return s == CPU ? cm_near_cpu_scan(c) :
				  it->scan_range(it->data, c->column, c->range,
						 c->nr, c->result);
	case CM_NEAR_SCAN_LIST:
		return s == CPU ? cm_near_cpu_scan(c) :
				  it->scan_list(it->data, c->column, c->list,
						c->nr, c->result);
	case CM_NEAR_SLS:
		return s == CPU ? cm_near_cpu_sls(c) :
				  it->sls(it->data, c->table, c->bags, c->sums,
					  c->len);
	}
	errno = ENOTSUP;
	return -1;
}

static void leave(unsigned s)
{
	if (slot[s].users && --slot[s].users == 0)
		pthread_cond_broadcast(&unused);
}

static unsigned place_of(unsigned s)
{
	unsigned at = 0;

	while (at < nr_order && order[at] != s)
		at++;
	return at;
}

int cm_near_serve(const struct cm_near_call *call)
{
	int saved = errno;

	cm_near_ready();
	pthread_mutex_lock(&lock);
	for (unsigned at = 0; at < nr_order; at++) {
		unsigned s = order[at];
		int bad, error;

		if (!suits(s, call))
			continue;
		slot[s].users++;
		pthread_mutex_unlock(&lock);
		errno = 0;
		bad = ask(s, call);
		error = errno ? errno : EIO;
		pthread_mutex_lock(&lock);
		if (!bad && call->near) {
			call->near->calls++;
			strcpy(call->near->served, slot[s].name);
		}
		/* Others may have come and gone; this one could not. */
		at = place_of(s);
		leave(s);
		if (bad && error == ENOTSUP)
			continue;
		pthread_mutex_unlock(&lock);
		errno = bad ? error : saved;
		return bad ? -1 : 0;
	}
	pthread_mutex_unlock(&lock);
	errno = ENOTSUP;
	return -1;
}

static unsigned find(const char *name)
{
	unsigned at = 0;

	while (at < nr_order && strcmp(slot[order[at]].name, name) != 0)
		at++;
	return at;
}

static int add(const struct cxlm_near_backend *backend)
{
	unsigned s = 0, at = 0;

	if (find(backend->name) < nr_order)
		return EEXIST;
	while (s < NR_SLOTS && slot[s].taken)
		s++;
	if (s == NR_SLOTS)
		return ENOSPC;
	slot[s] = (struct slot){ .taken = true };
	memcpy(&slot[s].it, backend, sizeof(slot[s].it));
	strcpy(slot[s].name, backend->name);
	slot[s].it.name = slot[s].name;
	while (at < nr_order &&
	       (slot[order[at]].it.priority > backend->priority ||
		(slot[order[at]].it.priority == backend->priority &&
		 order[at] != CPU)))
		at++;
	memmove(&order[at + 1], &order[at], (nr_order - at) * sizeof(order[0]));
	order[at] = s;
	nr_order++;
	return 0;
}

CM_EXPORT int cxlm_near_register(const struct cxlm_near_backend *backend)
{
	int error;

	if (!backend || backend->size < sizeof(*backend) || !backend->name ||
	    !*backend->name || strlen(backend->name) >= sizeof(slot[0].name) ||
	    !(backend->types & ALL_TYPES) ||
	    (!backend->scan_range && !backend->scan_list && !backend->sls)) {
		errno = EINVAL;
		return -1;
	}
	if (backend->version != CXLM_NEAR_VERSION) {
		errno = ENOTSUP;
		return -1;
	}
	cm_near_ready();
	pthread_mutex_lock(&lock);
	error = add(backend);
	pthread_mutex_unlock(&lock);
	if (error)
		errno = error;
	return error ? -1 : 0;
}

CM_EXPORT int cxlm_near_unregister(const char *name)
{
	unsigned at, s;
	int error = 0;

	if (!name) {
		errno = EINVAL;
		return -1;
	}
	cm_near_ready();
	pthread_mutex_lock(&lock);
	at = find(name);
	if (at == nr_order || slot[order[at]].leaving) {
		error = ENOENT;
	} else if (order[at] == CPU) {
		error = EPERM;
	} else {
		s = order[at];
		slot[s].leaving = true;
		while (slot[s].users)
			pthread_cond_wait(&unused, &lock);
		at = place_of(s);
		nr_order--;
		memmove(&order[at], &order[at + 1],
			(nr_order - at) * sizeof(order[0]));
		slot[s].taken = false;
	}
	pthread_mutex_unlock(&lock);
	if (error)
		errno = error;
	return error ? -1 : 0;
}

CM_EXPORT int cxlm_near_backend_info(unsigned index,
				     struct cxlm_near_backend_info *info)
{
	struct cxlm_near_backend_info is = { 0 };
	bool found = false;

	if (!info || info->size < sizeof(is)) {
		errno = EINVAL;
		return -1;
	}
	cm_near_ready();
	pthread_mutex_lock(&lock);
	for (unsigned at = 0; at < nr_order && !found; at++) {
		unsigned s = order[at];

		if (slot[s].leaving || index--)
			continue;
		found = true;
		strcpy(is.name, slot[s].name);
		is.priority = slot[s].it.priority;
		is.types = slot[s].it.types & ALL_TYPES;
		is.scan_range = has_op(s, CM_NEAR_SCAN_RANGE);
		is.scan_list = has_op(s, CM_NEAR_SCAN_LIST);
		is.sls = has_op(s, CM_NEAR_SLS);
	}
	pthread_mutex_unlock(&lock);
	if (!found) {
		errno = ENOENT;
		return -1;
	}
	is.size = info->size;
	memcpy(info, &is, sizeof(is));
	return 0;
}

CM_EXPORT int cxlm_near_stat(cxlm_near *near, struct cxlm_near_stat *stat)
{
	struct cxlm_near_stat is = { 0 };

	if (!near || !stat || stat->size < sizeof(is)) {
		errno = EINVAL;
		return -1;
	}
	is.size = stat->size;
	is.threads = near->nr_threads;
	is.parts = atomic_load(&near->parts);
	is.bound = atomic_load(&near->bound);
	pthread_mutex_lock(&lock);
	is.calls = near->calls;
	strcpy(is.backend, near->served);
	pthread_mutex_unlock(&lock);
	memcpy(stat, &is, sizeof(is));
	return 0;
}
