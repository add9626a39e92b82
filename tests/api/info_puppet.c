/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info_puppet - does what it is told, a command a line, and answers in one line
 *
 * names		NAME TYPE WRITABLE =VALUE, or !ERROR, a line each; then "."
 * get NAME, set NAME VALUE, swap NAME VALUE, short NAME
 * tier N, node N, nodes
 * hint NAME TIER
 * alloc MIB [BYTES], free, busy, idle
 * open, read N, poll N MS, close N, drop N	of descriptor N
 * child		what a forked child may do with them
 */
#include <cxlmalloc.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT 16384

static char text[TEXT], line[TEXT];
static _Atomic int busy;

static const char *error(void)
{
	static const struct {
		int number;
		const char *name;
	} errors[] = { { ENOENT, "ENOENT" }, { EINVAL, "EINVAL" },
		       { ERANGE, "ERANGE" }, { EPERM, "EPERM" },
		       { EBUSY, "EBUSY" },   { ENODATA, "ENODATA" },
		       { ENODEV, "ENODEV" }, { ENOSPC, "ENOSPC" },
		       { EBADF, "EBADF" },   { EMFILE, "EMFILE" } };

	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == errno)
			return errors[i].name;
	return strerror(errno);
}

static int is_text(const char *name)
{
	if (!strncmp(name, "tier.", 5) && !strstr(name, "binding") &&
	    !strstr(name, "nodes"))
		return 0;
	return strncmp(name, "cgroup.", 7) && strcmp(name, "pid");
}

static void get(const char *name, int as_text)
{
	size_t len = as_text ? sizeof(text) : sizeof(uint64_t);
	uint64_t value;

	errno = 77;
	if (cxlm_ctl(name, as_text ? (void *)text : &value, &len, NULL, 0))
		printf("!%s", error());
	else if (errno != 77)
		printf("!errno changed");
	else if (as_text && strlen(text) + 1 != len)
		printf("!%zu bytes", len);
	else if (as_text)
		printf("=%s", text);
	else
		printf("=%llu", (unsigned long long)value);
}

static void names(void)
{
	struct cxlm_ctl_info info = { .size = sizeof(info) };

	/* Nothing is changed, but cxlctl sees the figures of now. */
	if (cxlm_ctl("conf", NULL, NULL, "", 0))
		printf("!conf %s\n", error());
	for (unsigned i = 0; cxlm_ctl_name(i, &info) == 0; i++) {
		printf("%s\t%d\t%d\t", info.name, info.type, info.writable);
		get(info.name, info.type == CXLM_CTL_STRING);
		printf("\n");
	}
	puts(errno == ENOENT ? "." : "? the last name");
}

static void set(const char *name, const char *value, int swap)
{
	uint64_t number = strtoull(value, NULL, 10), old = 0;
	int as_text = is_text(name), r;
	size_t len = as_text ? sizeof(text) : sizeof(old);
	const void *at = as_text ? (const void *)value : &number;

	if (!strcmp(value, "none"))
		number = CXLM_NO_LIMIT;
	r = cxlm_ctl(name,
		     !swap   ? NULL :
		     as_text ? (void *)text :
			       &old,
		     swap ? &len : NULL, at,
		     as_text ? strlen(value) : sizeof(number));
	if (r)
		printf("!%s\n", error());
	else if (swap && as_text)
		printf("=%s\n", text);
	else if (swap)
		printf("=%llu\n", (unsigned long long)old);
	else
		puts("ok");
}

/* One byte too small: the error, what is needed, and that it is so. */
static void too_short(const char *name)
{
	size_t len = 0, need;

	if (cxlm_ctl(name, NULL, &len, NULL, 0)) {
		printf("!%s\n", error());
		return;
	}
	need = len--;
	memset(text, '~', sizeof(text));
	if (cxlm_ctl(name, text, &len, NULL, 0) == 0)
		puts("taken");
	else
		printf("%s %d %d\n", error(), len == need, text[0] == '~');
}

static void tier(int t)
{
	struct cxlm_tier_info i = { .size = sizeof(i) };

	if (cxlm_tier_info(t, &i)) {
		printf("!%s\n", error());
		return;
	}
	printf("{\"tier\":\"%s\",\"binding\":\"%s\",\"nodes\":[", i.name,
	       i.binding);
	for (unsigned n = 0, any = 0; n < 1024; n++)
		if (i.nodes[n / 64] >> n % 64 & 1)
			printf("%s%u", any++ ? "," : "", n);
	printf("],\"total\":%llu,\"free\":%llu,\"used\":%llu,\"in_use\":%llu,"
	       "\"limit\":%llu,\"available\":%llu,\"resident\":%llu,"
	       "\"misplaced\":%llu,\"read_latency\":%u,\"write_latency\":%u,"
	       "\"read_bandwidth\":%u,\"write_bandwidth\":%u}\n",
	       (unsigned long long)i.total, (unsigned long long)i.free,
	       (unsigned long long)i.used, (unsigned long long)i.in_use,
	       (unsigned long long)i.limit, (unsigned long long)i.available,
	       (unsigned long long)i.resident, (unsigned long long)i.misplaced,
	       i.read_latency, i.write_latency, i.read_bandwidth,
	       i.write_bandwidth);
}

static void node(int n)
{
	struct cxlm_node_info i = { .size = sizeof(i) };

	if (cxlm_node_info(n, &i)) {
		printf("!%s\n", error());
		return;
	}
	printf("{\"node\":%d,\"tier\":%d,\"total\":%llu,\"free\":%llu,"
	       "\"resident\":%llu,\"read_latency\":%u,\"write_latency\":%u,"
	       "\"read_bandwidth\":%u,\"write_bandwidth\":%u}\n",
	       i.node, i.tier, (unsigned long long)i.total,
	       (unsigned long long)i.free, (unsigned long long)i.resident,
	       i.read_latency, i.write_latency, i.read_bandwidth,
	       i.write_bandwidth);
}

/* Memory is allocated, and a slow path comes by, all the time. */
static void *work(void *arg)
{
	void *p[64];

	(void)arg;
	while (atomic_load(&busy)) {
		for (int i = 0; i < 64; i++)
			p[i] = malloc(16384 + (size_t)i * 64);
		for (int i = 0; i < 64; i++)
			free(p[i]);
		usleep(1000);
	}
	return NULL;
}

static int fds[32], nr_fds;

static void open_one(void)
{
	int fd = cxlm_events_open();

	if (fd < 0)
		printf("!%s\n", error());
	else if (nr_fds == 32 || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
		puts("!not closed on exec");
	else
		printf("%d\n", (fds[nr_fds] = fd, nr_fds++));
}

static int polled(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

/* Digits: a bad read is 9, not to be read 0. */
static void child(void)
{
	int status = 0, n = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int parents = cxlm_events_read(fds[0]) == -1 && errno == EBADF;
		int own = cxlm_events_open();
		uint64_t limit = 1 << 30;

		n |= parents ? 0 : 1;
		n |= own >= 0 ? 0 : 2;
		n |= cxlm_ctl("tier.ddr.limit", NULL, NULL, &limit, 8) ? 4 : 0;
		n |= polled(own, 0) == 1 ? 0 : 8;
		n |= cxlm_events_read(own) == CXLM_EVENT_LIMIT ? 0 : 16;
		n |= cxlm_events_close(own) == 0 ? 0 : 32;
		n |= cxlm_events_close(fds[0]) == 0 ? 0 : 64;
		_exit(n);
	}
	waitpid(pid, &status, 0);
	printf("%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void *blocks[4096];
static int nr_blocks;

static void alloc(int mib, size_t size)
{
	int before = nr_blocks, on[3] = { 0 };

	for (size_t i = 0; i < ((size_t)mib << 20) / size && nr_blocks < 4096;
	     i++) {
		void *p = malloc(size);

		if (!p)
			break;
		memset(p, 1, size);
		blocks[nr_blocks++] = p;
		on[cxlm_tier_of(p) + 1]++;
	}
	printf("%d blocks: %d ddr, %d cxl\n", nr_blocks - before, on[1], on[2]);
}

static void command(char *word, char *a, char *b)
{
	static pthread_t thread;
	int n = atoi(a), r;

	if (!strcmp(word, "names")) {
		names();
	} else if (!strcmp(word, "get")) {
		get(a, is_text(a));
		puts("");
	} else if (!strcmp(word, "set") || !strcmp(word, "swap")) {
		set(a, b, word[1] == 'w');
	} else if (!strcmp(word, "short")) {
		too_short(a);
	} else if (!strcmp(word, "tier")) {
		tier(n);
	} else if (!strcmp(word, "node")) {
		node(n);
	} else if (!strcmp(word, "nodes")) {
		printf("%d\n", cxlm_nr_nodes());
	} else if (!strcmp(word, "hint")) {
		printf("%d\n",
		       cxlm_hint(strcmp(a, "NULL") ? a : NULL, atoi(b)));
	} else if (!strcmp(word, "alloc")) {
		alloc(n, atoi(b) ? (size_t)atoi(b) : 65536);
	} else if (!strcmp(word, "free")) {
		while (nr_blocks)
			free(blocks[--nr_blocks]);
		puts("ok");
	} else if (!strcmp(word, "busy")) {
		atomic_store(&busy, 1);
		puts(pthread_create(&thread, NULL, work, NULL) ? "!" : "ok");
	} else if (!strcmp(word, "idle")) {
		atomic_store(&busy, 0);
		pthread_join(thread, NULL);
		puts("ok");
	} else if (!strcmp(word, "open")) {
		open_one();
	} else if (!strcmp(word, "read")) {
		r = cxlm_events_read(n < nr_fds ? fds[n] : n);
		r < 0 ? printf("!%s\n", error()) : printf("%d\n", r);
	} else if (!strcmp(word, "poll")) {
		printf("%d\n", polled(fds[n], atoi(b)));
	} else if (!strcmp(word, "close")) {
		r = cxlm_events_close(n < nr_fds ? fds[n] : n);
		puts(r ? error() : "ok");
	} else if (!strcmp(word, "drop")) {
		/* A file of the program's own takes the number. */
		close(fds[n]);
		printf("%d\n", open("/dev/null", O_RDWR) == fds[n]);
	} else if (!strcmp(word, "child")) {
		child();
	} else {
		puts("?");
	}
}

int main(void)
{
	static char out[65536];

	alarm(300);
	setvbuf(stdout, out, _IOFBF, sizeof(out));
	while (fgets(line, sizeof(line), stdin)) {
		char *words[3] = { line, "", "" };

		line[strcspn(line, "\n")] = '\0';
		for (int i = 1; i < 3; i++) {
			char *blank = strchr(words[i - 1], ' ');

			if (!blank)
				break;
			*blank = '\0';
			words[i] = blank + 1;
		}
		command(words[0], words[1], words[2]);
		fflush(stdout);
	}
	return 0;
}
