/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bandwidth_share - weights that are published while the program runs
 *
 * usage: bandwidth_share FILE
 *
 * Publishes weights as an agent would, by a rename over FILE, waits until new
 * blocks follow them, and counts what comes after that. Asks the kernel nothing:
 * a block's tier is its address.
 */
#include <time.h>

#include "tiers.h"

#define NR 100000

static void publish(const char *path, const char *weights)
{
	char new[512];
	int fd;

	snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, weights, strlen(weights)) < 0 || close(fd) ||
	    rename(new, path)) {
		check_write("Bail out! cannot publish\n");
		_exit(1);
	}
}

static double share(size_t nr)
{
	double bytes[2] = { 0, 0 };
	static void *block[NR];

	for (size_t i = 0; i < nr; i++) {
		size_t size = 16 + i * 7919 % 4000;

		block[i] = malloc(size);
		bytes[tier_of(block[i]) == CXL] += (double)size;
	}
	for (size_t i = 0; i < nr; i++)
		free(block[i]);
	return bytes[0] / (bytes[0] + bytes[1]);
}

static long ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int is_near(double have, double want)
{
	return have > want - 0.01 && have < want + 0.01;
}

/* Allocates until a round has the ratio: the look comes while it does. */
static void follows(const char *path, const char *weights, double want)
{
	long start = ms(), took;
	double have;

	publish(path, weights);
	do {
		have = share(NR / 10);
		took = ms() - start;
	} while (!is_near(have, want) && took < 10000);
	note("%.3s after %ld ms", weights, took);
	have = share(NR);
	check(is_near(have, want), "%.3s: ddr takes %.3f of the bytes (%.3f)",
	      weights, have, want);
}

int main(int argc, char **argv)
{
	if (!tiers_found() || argc < 2)
		return check_done();
	check(share(NR) == 1, "nothing published: priority");
	follows(argv[1], "1:1\n", 0.5);
	follows(argv[1], "9:1\n", 0.9);
	follows(argv[1], "0:5\n", 0);
	follows(argv[1], "1:3\n", 0.25);
	/* What is no weights is as nothing published. */
	follows(argv[1], "1:3:4\n", 1);
	follows(argv[1], "2:2\n", 0.5);
	follows(argv[1], "0:0\n", 1);
	return check_done();
}
