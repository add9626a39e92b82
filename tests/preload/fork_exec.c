/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork_exec - the other ways to make a child, from a busy process; atfork
 * handlers that allocate; fork in a signal handler
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "check.h"

extern char **environ;

static atomic_int stop, handler_calls, handler_bad;

static void *allocate(void *arg)
{
	uint32_t state = (uint32_t)(size_t)arg + 1;

	while (!atomic_load(&stop)) {
		char *p = malloc(1 + next_random(&state) % 100000);

		p[0] = 1;
		p = realloc(p, 1 + next_random(&state) % 100000);
		p[0] = 1;
		free(p);
	}
	return NULL;
}

__attribute__((noinline)) static pid_t vfork_true(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execlp("true", "true", (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void vfork_and_exec(void)
{
	int good = 1;

	for (int i = 0; i < 50; i++) {
		int status = 1;
		pid_t pid = vfork_true();

		good &= waitpid(pid, &status, 0) == pid && status == 0;
	}
	check(good, "vfork and exec");
}

static void spawn(void)
{
	char *argv[] = { "sh", "-c", "exit 3", NULL };
	int good = 1;

	for (int i = 0; i < 30; i++) {
		posix_spawn_file_actions_t actions;
		int status = 1;
		pid_t pid;

		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0,
						 0);
		good &= !posix_spawnp(&pid, "sh", &actions, NULL, argv,
				      environ);
		good &= waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			WEXITSTATUS(status) == 3;
		posix_spawn_file_actions_destroy(&actions);
	}
	check(good, "posix_spawn");
}

static void system_and_popen(void)
{
	int good = 1;

	for (int i = 0; i < 20; i++)
		good &= WEXITSTATUS(system("exit 9")) == 9;
	check(good, "system");
	good = 1;
	for (int i = 0; i < 20; i++) {
		char *line = NULL;
		size_t size = 0;
		FILE *f = popen("printf 'a line\\nanother\\n'", "r");

		good &= f && getline(&line, &size, f) == 7;
		good &= f && getline(&line, &size, f) == 8 &&
			!strcmp(line, "another\n");
		free(line);
		good &= f && pclose(f) == 0;
	}
	check(good, "popen");
}

static void on_fork(void)
{
	char *p[50];

	for (size_t i = 0; i < 50; i++) {
		p[i] = malloc(i % 10 ? i * 300 + 1 : 1 << 20);
		if (p[i])
			p[i][i * 300] = 1;
		else
			atomic_fetch_add(&handler_bad, 1);
	}
	for (size_t i = 0; i < 50; i++)
		free(p[i]);
	atomic_fetch_add(&handler_calls, 1);
}

static void handlers_that_allocate(void)
{
	int good = 1, *early;

	pthread_atfork(on_fork, on_fork, on_fork);
	for (int i = 0; i < 40; i++) {
		int status = 1;
		pid_t pid = fork();

		if (pid == 0) {
			alarm(20);
			on_fork();
			_exit(atomic_load(&handler_bad) != 0);
		}
		good &= pid > 0 && waitpid(pid, &status, 0) == pid &&
			status == 0;
	}
	check(good && !atomic_load(&handler_bad) &&
		      atomic_load(&handler_calls) >= 80,
	      "atfork handlers may allocate");
	*(void **)&early = dlsym(RTLD_DEFAULT, "early_forks");
	check(early && *early >= 80,
	      "so may handlers registered before the library's");
}

static atomic_int forks_in_handler, bad_in_handler;

static void fork_in_handler(int number)
{
	int status = 1, saved = errno;
	pid_t pid = fork();

	(void)number;
	if (pid == 0) {
		free(malloc(5000));
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		atomic_fetch_add(&bad_in_handler, 1);
	atomic_fetch_add(&forks_in_handler, 1);
	errno = saved;
}

/*
 * The signalled thread computes, others allocate: the case that an allocator
 * can serve. Interrupting malloc itself and forking there is not promised.
 */
static void fork_in_a_signal_handler(void)
{
	struct sigaction action = { .sa_handler = fork_in_handler };

	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 30; i++)
		pthread_kill(pthread_self(), SIGUSR1);
	check(atomic_load(&forks_in_handler) == 30 &&
		      !atomic_load(&bad_in_handler),
	      "fork in a signal handler outside malloc");
}

int main(void)
{
	pthread_t thread[3];

	alarm(60);
	for (size_t i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, allocate, (void *)i);
	vfork_and_exec();
	spawn();
	system_and_popen();
	handlers_that_allocate();
	fork_in_a_signal_handler();
	atomic_store(&stop, 1);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	return check_done();
}
