/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memcached_load - memcached's load: memcached_load SOCKET REQUESTS
 *
 * Sets all of 100,000 keys, then random batches of sets and gets, one to three,
 * until there were REQUESTS; 64 pipelined on each of 8 connections in turn.
 * Everything fits, so every get must return what was set last. Then tells the
 * server to end, and prints the nanoseconds it took. A server that does not
 * listen yet is waited for.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	KEYS = 100000,
	BATCH = 64,
	CLIENTS = 8,
	VALUE_MAX = 4096
};

static uint8_t version[KEYS];
static FILE *in[CLIENTS], *out[CLIENTS];
static uint64_t state = 88172645463325252u;

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("memcached_load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

static uint32_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 20;
}

/* A key's value of its version: sizes from 16 B on, small ones likelier. */
static size_t value(uint32_t key, char *buf)
{
	uint32_t x = (key + 1) * 2654435761u + version[key] * 40503u;
	size_t n = 16 + (x >> 8) % (1u << (6 + x % 7));

	if (n > VALUE_MAX)
		n = VALUE_MAX;
	memset(buf, 'a' + x % 26, n);
	n += sprintf(buf + n, "%u", x);
	return n;
}

static void set(FILE *to, FILE *from, const uint32_t *keys)
{
	char buf[VALUE_MAX + 16], line[64];

	for (int i = 0; i < BATCH; i++) {
		size_t n;

		version[keys[i]]++;
		n = value(keys[i], buf);
		fprintf(to, "set key:%u 0 0 %zu\r\n", keys[i], n);
		fwrite(buf, 1, n, to);
		fputs("\r\n", to);
	}
	fflush(to);
	for (int i = 0; i < BATCH; i++)
		if (!fgets(line, sizeof line, from) ||
		    strcmp(line, "STORED\r\n") != 0)
			die("key %u is not stored", keys[i]);
}

static void get(FILE *to, FILE *from, const uint32_t *keys)
{
	char buf[VALUE_MAX + 16], back[VALUE_MAX + 32], line[64], head[64];

	for (int i = 0; i < BATCH; i++)
		fprintf(to, "get key:%u\r\n", keys[i]);
	fflush(to);
	for (int i = 0; i < BATCH; i++) {
		size_t n = value(keys[i], buf);

		sprintf(head, "VALUE key:%u 0 %zu\r\n", keys[i], n);
		if (!fgets(line, sizeof line, from) ||
		    strcmp(line, head) != 0 ||
		    fread(back, 1, n + 7, from) != n + 7 ||
		    memcmp(back, buf, n) != 0 ||
		    memcmp(back + n, "\r\nEND\r\n", 7) != 0)
			die("key %u is not what was set", keys[i]);
	}
}

/* The socket knows who listens: spawn's child, not spawn. */
static void end_server(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
	    kill(peer.pid, SIGTERM) != 0)
		die("the server is not to be ended");
}

/*
 * Again and again until it listens: the socket's name, which could be waited
 * for, is there a moment before. What is timed begins after.
 */
static void connect_all(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	strncpy(at.sun_path, path, sizeof at.sun_path - 1);
	for (int i = 0; i < CLIENTS; i++) {
		struct timespec pause = { .tv_nsec = 5000000 };
		int fd = socket(AF_UNIX, SOCK_STREAM, 0), tries = 2000;

		while (connect(fd, (void *)&at, sizeof at) != 0)
			if (!tries-- || nanosleep(&pause, NULL) != 0)
				die("no connection to %s", path);
		in[i] = fdopen(fd, "r");
		out[i] = fdopen(dup(fd), "w");
		if (!in[i] || !out[i])
			die("no stream");
		setvbuf(out[i], NULL, _IOFBF, BATCH * (VALUE_MAX + 64));
	}
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	uint32_t keys[BATCH];
	long requests;

	if (argc != 3)
		die("usage: memcached_load SOCKET REQUESTS");
	requests = atol(argv[2]);
	connect_all(argv[1]);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (long done = 0; done < requests; done += BATCH) {
		int c = done / BATCH % CLIENTS;

		for (int i = 0; i < BATCH; i++)
			keys[i] = done < KEYS ? (done + i) % KEYS :
						next() % KEYS;
		if (done < KEYS || next() % 4 == 0)
			set(out[c], in[c], keys);
		else
			get(out[c], in[c], keys);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end_server(fileno(in[0]));
	printf("%lld\n", (end.tv_sec - start.tv_sec) * 1000000000LL +
				 end.tv_nsec - start.tv_nsec);
	return 0;
}
