/* SPDX-License-Identifier: BSD-2-Clause */
/* small_altstack - a handler maps memory on 8 KiB of its own (SIGSTKSZ) */
#include <signal.h>
#include <sys/mman.h>

#include "check.h"

#define STACK	((size_t)8192)

static volatile sig_atomic_t nr;

static void handle(int signal)
{
	char *m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)signal;
	m = mremap(m, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
	m[1 << 20] = 1;
	nr = nr + !munmap(m, 2 << 20);
}

int main(void)
{
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_ONSTACK };
	stack_t alt = { .ss_size = STACK };
	char *map = mmap(NULL, STACK + 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t free_bytes = 0;

	if (map == MAP_FAILED || mprotect(map, 4096, PROT_NONE))
		return 98;
	alt.ss_sp = map + 4096;
	memset(alt.ss_sp, 0xa5, STACK);
	if (sigaltstack(&alt, NULL)) {
		check(1, "sigaltstack # SKIP the kernel's frame is larger");
		return check_done();
	}
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	while (free_bytes < STACK && map[4096 + free_bytes] == (char)0xa5)
		free_bytes++;
	note("%zu of %zu bytes used", STACK - free_bytes, STACK);
	check(nr == 1, "a handler on an 8 KiB stack maps memory");
	return check_done();
}
