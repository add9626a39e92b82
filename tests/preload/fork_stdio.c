/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork_stdio - fork while other threads are inside stdio
 *
 * fork takes stdio's list lock, and threads that hold a stream's lock, or the
 * list's, call malloc. Atfork handlers that lock the heap first deadlock
 * (glibc bug 19431; jemalloc and tcmalloc hang here). argv[1] names what the
 * other threads do; a hang ends by SIGALRM.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "check.h"

#define NR_FORKS	60

static atomic_int stop, lines;

/* Long lines: getline reallocs, past any cache, with the stream locked. */
static void *read_long_lines(void *arg)
{
	FILE *f = tmpfile();

	(void)arg;
	for (int i = 0; f && i < 20; i++)
		fprintf(f, "%0*d\n", 1000 << i % 10, 0);
	while (f && !atomic_load(&stop)) {
		char *line = NULL;
		size_t size = 0;

		rewind(f);
		while (getline(&line, &size, f) > 0) {
			atomic_fetch_add(&lines, 1);
			free(line);
			line = NULL;
			size = 0;
		}
		free(line);
	}
	if (f)
		fclose(f);
	return NULL;
}

static void *open_and_close(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		FILE *f = fopen("/dev/null", "r+");

		if (f && setvbuf(f, NULL, _IOFBF, 100000) == 0)
			fputs("text", f);
		if (f)
			fclose(f);
	}
	return NULL;
}

static void *flush_all(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		fflush(NULL);
		/* else fork may wait a minute for the list's lock */
		sched_yield();
	}
	return NULL;
}

static void *print(void *arg)
{
	FILE *f = fopen("/dev/null", "w");

	(void)arg;
	while (f && !atomic_load(&stop)) {
		/* a wide field makes vfprintf malloc its work buffer */
		fprintf(f, "%*d %.*f %s\n", 3000, 1, 200, 1e30, "text");
		fflush(f);
	}
	if (f)
		fclose(f);
	return NULL;
}

static void *memory_streams(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		char *text = NULL;
		size_t n = 0;
		FILE *f = open_memstream(&text, &n);

		for (int i = 0; f && i < 200; i++)
			fprintf(f, "line %d\n", i);
		if (f)
			fclose(f);
		free(text);
	}
	return NULL;
}

static int child(void)
{
	char *line = NULL, *text = NULL;
	size_t size = 0;
	int good = 1;
	FILE *f;

	alarm(10);
	f = fopen("/dev/null", "w");
	good &= f && fprintf(f, "%*d\n", 3000, 1) == 3001;
	good &= fflush(NULL) == 0;
	if (f)
		fclose(f);
	f = fmemopen("one\ntwo\n", 8, "r");
	good &= f && getline(&line, &size, f) == 4;
	if (f)
		fclose(f);
	free(line);
	good &= asprintf(&text, "%0*d", 5000, 1) == 5000;
	free(text);
	return !good;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void *(*run[3])(void *);
	} scene[] = {
		{ "getline", { read_long_lines, read_long_lines, NULL } },
		{ "fflush", { read_long_lines, flush_all, read_long_lines } },
		{ "printf", { print, flush_all, print } },
		{ "memstream", { memory_streams, flush_all, open_and_close } },
	};
	const char *name = argc > 1 ? argv[1] : "";
	pthread_t thread[3];
	unsigned s = 0;
	int good = 1;

	while (s < 4 && strcmp(scene[s].name, name))
		s++;
	if (s == 4)
		return 2;
	alarm(40);
	for (unsigned i = 0; i < 3; i++)
		if (scene[s].run[i])
			pthread_create(&thread[i], NULL, scene[s].run[i], NULL);
	for (int i = 0; good && i < NR_FORKS; i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			_exit(child());
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			note("fork %d: wait status %#x", i, status);
			good = 0;
		}
	}
	atomic_store(&stop, 1);
	for (unsigned i = 0; i < 3; i++)
		if (scene[s].run[i])
			pthread_join(thread[i], NULL);
	check(good, "%d forks while threads are in %s", NR_FORKS, name);
	if (scene[s].run[0] == read_long_lines)
		check(atomic_load(&lines) > NR_FORKS, "lines were read");
	return check_done();
}
