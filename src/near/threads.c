/* SPDX-License-Identifier: BSD-2-Clause */
/* threads - an object, and its threads on the CPUs near the data */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "near/near.h"

static void bind_near(struct cm_near_thread *me, int node)
{
	struct cm_near_cpus cpus;

	if (node < 0 || node == me->node)
		return;
	me->node = node;
	me->bound = cm_near_cpus_of("/sys", node, &me->near->allowed, &cpus) &&
		    !sched_setaffinity(0, sizeof(cpus), (cpu_set_t *)&cpus);
}

/*
 * Its share of the parts, which are in the order of nodes: so threads divide
 * among nodes as the data does, and few have to go from one to another.
 */
static void work(struct cm_near_thread *me)
{
	struct cxlm_near *near = me->near;
	unsigned from = (uint64_t)near->nr_parts * me->number /
			near->nr_threads;
	unsigned to = (uint64_t)near->nr_parts * (me->number + 1) /
		      near->nr_threads;

	for (; from < to; from++) {
		struct cm_near_part *part = &near->part[near->order[from]];

		bind_near(me, part->node);
		if (part->node >= 0 && me->bound)
			atomic_fetch_add_explicit(&near->bound, 1,
						  memory_order_relaxed);
		near->fn(near->arg, part);
	}
}

static void *thread(void *arg)
{
	struct cm_near_thread *me = arg;
	struct cxlm_near *near = me->near;

	pthread_setname_np(pthread_self(), "cxlm-near");
	pthread_mutex_lock(&near->lock);
	for (;;) {
		while (!near->end && near->round == me->seen)
			pthread_cond_wait(&near->go, &near->lock);
		if (near->end)
			break;
		me->seen = near->round;
		pthread_mutex_unlock(&near->lock);
		work(me);
		pthread_mutex_lock(&near->lock);
		if (--near->busy == 0)
			pthread_cond_signal(&near->done);
	}
	pthread_mutex_unlock(&near->lock);
	return NULL;
}

static void end_threads(struct cxlm_near *near)
{
	pthread_mutex_lock(&near->lock);
	near->end = true;
	pthread_cond_broadcast(&near->go);
	pthread_mutex_unlock(&near->lock);
	for (unsigned i = 0; i < near->nr_threads; i++)
		pthread_join(near->thread[i].id, NULL);
}

static int start_threads(struct cxlm_near *near, unsigned nr)
{
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; near->nr_threads < nr; near->nr_threads++) {
		struct cm_near_thread *t = &near->thread[near->nr_threads];

		t->near = near;
		t->number = near->nr_threads;
		t->node = -1;
		error = pthread_create(&t->id, NULL, thread, t);
		if (error)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		end_threads(near);
	return error;
}

static void release(struct cxlm_near *near)
{
	free(near->part);
	free(near->order);
	free(near);
}

CM_EXPORT cxlm_near *cxlm_near_create(const struct cxlm_near_attr *attr)
{
	unsigned nr = attr ? attr->threads : 0, parts = nr * CM_NEAR_PARTS;
	const char *only = attr ? attr->backend : NULL;
	struct cxlm_near *near;
	int error;

	if ((attr && attr->size < sizeof(*attr)) || nr > CM_NEAR_MAX_THREADS ||
	    (only && (!*only || strlen(only) >= sizeof(near->only)))) {
		errno = EINVAL;
		return NULL;
	}
	cm_near_ready();
	near = calloc(1, sizeof(*near) + nr * sizeof(near->thread[0]));
	if (!near)
		return NULL;
	near->part = calloc(nr ? parts : 1, sizeof(near->part[0]));
	near->order = calloc(nr ? parts : 1, sizeof(near->order[0]));
	if (!near->part || !near->order) {
		release(near);
		errno = ENOMEM;
		return NULL;
	}
	near->pid = getpid();
	if (only)
		strcpy(near->only, only);
	pthread_mutex_init(&near->turn, NULL);
	pthread_mutex_init(&near->lock, NULL);
	pthread_cond_init(&near->go, NULL);
	pthread_cond_init(&near->done, NULL);
	if (sched_getaffinity(0, sizeof(near->allowed),
			      (cpu_set_t *)&near->allowed))
		memset(&near->allowed, 0, sizeof(near->allowed));
	error = start_threads(near, nr);
	if (error) {
		release(near);
		errno = error;
		return NULL;
	}
	return near;
}

CM_EXPORT void cxlm_near_destroy(cxlm_near *near)
{
	int saved = errno;

	if (!near)
		return;
	if (near->pid == getpid())
		end_threads(near);
	release(near);
	errno = saved;
}

void cm_near_begin(struct cm_near_crew *crew, struct cxlm_near *near)
{
	crew->near = NULL;
	crew->part = &crew->own;
	crew->max_parts = 1;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &crew->cancel);
	if (!near || !near->nr_threads || near->pid != getpid())
		return;
	pthread_mutex_lock(&near->turn);
	crew->near = near;
	crew->part = near->part;
	crew->max_parts = near->nr_threads * CM_NEAR_PARTS;
}

unsigned cm_near_parts(const struct cm_near_crew *crew, uint64_t most)
{
	unsigned threads = crew->max_parts / CM_NEAR_PARTS;

	if (most >= crew->max_parts)
		return crew->max_parts;
	return most > threads && threads ? most - most % threads : most;
}

/* Parts of the lowest node first, then of the next; inside a node as they are. */
static void sort_by_node(struct cxlm_near *near, unsigned nr)
{
	int node = INT_MIN;

	for (unsigned done = 0; done < nr;) {
		int next = INT_MAX;

		for (unsigned i = 0; i < nr; i++)
			if (near->part[i].node >= node &&
			    near->part[i].node < next)
				next = near->part[i].node;
		for (unsigned i = 0; i < nr; i++)
			if (near->part[i].node == next)
				near->order[done++] = i;
		node = next + 1;
	}
}

void cm_near_run(struct cm_near_crew *crew, cm_near_fn *fn, void *arg)
{
	struct cxlm_near *near = crew->near;

	if (!near) {
		for (unsigned i = 0; i < crew->nr_parts; i++)
			fn(arg, &crew->part[i]);
		return;
	}
	sort_by_node(near, crew->nr_parts);
	atomic_fetch_add_explicit(&near->parts, crew->nr_parts,
				  memory_order_relaxed);
	pthread_mutex_lock(&near->lock);
	near->nr_parts = crew->nr_parts;
	near->fn = fn;
	near->arg = arg;
	near->busy = near->nr_threads;
	near->round++;
	pthread_cond_broadcast(&near->go);
	while (near->busy)
		pthread_cond_wait(&near->done, &near->lock);
	pthread_mutex_unlock(&near->lock);
}

void cm_near_end(struct cm_near_crew *crew)
{
	int saved = errno;

	if (crew->near)
		pthread_mutex_unlock(&crew->near->turn);
	pthread_setcancelstate(crew->cancel, NULL);
	errno = saved;
}
