/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info_race - settings written by several threads, read by others, by cxlctl
 * and by forked children, while memory is allocated: none is half of one
 *
 *	info_race MS		TAP
 */
#include <cxlmalloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static _Atomic int stop;
static _Atomic unsigned long written, busy, refused, read_ok, torn, events;

/* Both limits are always one number. */
static void *write_conf(void *arg)
{
	unsigned n = *(unsigned *)arg;
	char text[80];

	while (!atomic_load(&stop)) {
		n = n % 900 + 7;
		snprintf(text, sizeof(text), "ddr.limit=%um,cxl.limit=%um%s",
			 100 + n, 100 + n,
			 n & 1 ? ",order=ddr:cxl" : ",order=cxl:ddr");
		if (cxlm_ctl("conf", NULL, NULL, text, strlen(text)) == 0)
			atomic_fetch_add(&written, 1);
		else if (errno == EBUSY)
			atomic_fetch_add(&busy, 1);
		else
			atomic_fetch_add(&refused, 1);
		/* Others have their turn, however busy the machine is. */
		usleep(100);
	}
	return NULL;
}

static int is_whole(const char *conf)
{
	const char *a = strstr(conf, "ddr.limit="), *b;

	b = strstr(conf, "cxl.limit=");
	return a && b && strcspn(a + 10, ",") == strcspn(b + 10, ",") &&
	       !strncmp(a + 10, b + 10, strcspn(a + 10, ","));
}

static void read_once(void)
{
	char text[8192];
	size_t len = sizeof(text);

	if (cxlm_ctl("conf", text, &len, NULL, 0))
		atomic_fetch_add(errno == EBUSY ? &busy : &refused, 1);
	else if (is_whole(text))
		atomic_fetch_add(&read_ok, 1);
	else
		atomic_fetch_add(&torn, 1);
}

static void *read_conf(void *arg)
{
	(void)arg;
	for (unsigned i = 0; !atomic_load(&stop); i++) {
		read_once();
		if (i % 64 == 0)
			usleep(100);
	}
	return NULL;
}

static void *read_others(void *arg)
{
	struct cxlm_tier_info info = { .size = sizeof(info) };
	char text[64];
	size_t len;
	uint64_t n;

	(void)arg;
	while (!atomic_load(&stop)) {
		usleep(1000);
		len = sizeof(text);
		if (cxlm_ctl("order", text, &len, NULL, 0) ||
		    (strcmp(text, "ddr:cxl") && strcmp(text, "cxl:ddr")))
			atomic_fetch_add(&torn, 1);
		len = sizeof(n);
		if (cxlm_ctl("tier.ddr.allocs", &n, &len, NULL, 0) ||
		    cxlm_tier_info(1, &info))
			atomic_fetch_add(&refused, 1);
	}
	return NULL;
}

static void *allocate(void *arg)
{
	void *p[64];

	(void)arg;
	while (!atomic_load(&stop)) {
		for (int i = 0; i < 64; i++)
			p[i] = malloc(1000 + (size_t)i * 1000);
		for (int i = 0; i < 64; i++)
			free(p[i]);
	}
	return NULL;
}

/* Opened, read and closed under the feet of those who tell. */
static void *listen_to(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		int fd = cxlm_events_open(), r;
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (fd < 0) {
			atomic_fetch_add(&refused, 1);
			continue;
		}
		for (int i = 0; i < 20 && poll(&p, 1, 1000) == 1; i++) {
			r = cxlm_events_read(fd);
			if (r < 0 || r & ~15)
				atomic_fetch_add(&torn, 1);
			else
				atomic_fetch_add(&events, r != 0);
		}
		if (cxlm_events_close(fd))
			atomic_fetch_add(&refused, 1);
	}
	return NULL;
}

static int in_child(void)
{
	unsigned long before = atomic_load(&torn) + atomic_load(&refused);
	int limit = 2000, r;

	read_once();
	/* Whoever held settings when it was forked is not here to yield. */
	do
		r = cxlm_ctl("conf", NULL, NULL, "ddr.limit=1g,cxl.limit=1g",
			     25);
	while (r && errno == EBUSY && limit--);
	if (r)
		return 2;
	read_once();
	return atomic_load(&torn) + atomic_load(&refused) != before;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Everybody has had a turn, on a busy machine, too. */
static int is_enough(void)
{
	return atomic_load(&written) > 100 && atomic_load(&read_ok) > 100 &&
	       atomic_load(&events) > 10;
}

static int bad_children(double at_least)
{
	double start = seconds(), now;
	int bad = 0, status;
	pid_t pid;

	do {
		pid = fork();
		if (pid == 0) {
			alarm(20);
			_exit(in_child());
		}
		if (waitpid(pid, &status, 0) != pid || status) {
			note("a child's status is %#x", (unsigned)status);
			bad++;
		}
		usleep(20000);
		now = seconds();
	} while (now - start < at_least ||
		 (!is_enough() && now - start < at_least + 30));
	return bad;
}

int main(int argc, char **argv)
{
	void *(*const what[])(void *) = { write_conf,  write_conf, read_conf,
					  read_others, allocate,   listen_to };
	enum {
		NR = sizeof(what) / sizeof(what[0])
	};
	unsigned seed[NR];
	pthread_t thread[NR];
	int bad;

	/* From here on both limits are one. */
	check(cxlm_ctl("conf", NULL, NULL, "ddr.limit=1g,cxl.limit=1g", 25) ==
		      0,
	      "a first change");
	for (unsigned i = 0; i < NR; i++) {
		seed[i] = i * 451;
		pthread_create(&thread[i], NULL, what[i], &seed[i]);
	}
	bad = bad_children(argc > 1 ? atof(argv[1]) / 1000 : 1);
	atomic_store(&stop, 1);
	for (unsigned i = 0; i < NR; i++)
		pthread_join(thread[i], NULL);
	note("%lu written, %lu read, %lu busy, %lu events",
	     atomic_load(&written), atomic_load(&read_ok), atomic_load(&busy),
	     atomic_load(&events));
	check(is_enough(), "settings are written, read and told");
	check(atomic_load(&torn) == 0, "none is half of one");
	check(atomic_load(&refused) == 0,
	      "none is refused, but while another is made");
	check(bad == 0, "a child forked at any time goes on");
	return check_done();
}
