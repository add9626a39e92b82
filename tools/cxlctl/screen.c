/* SPDX-License-Identifier: BSD-2-Clause */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <unistd.h>

#define ENTER		"\033[?1049h\033[?25l"
#define LEAVE		"\033[?25h\033[?1049l"
#define HOME		"\033[H"
#define CLEAR_REST	"\033[J"

static struct {
	bool terminal;		/* standard output is ours to draw on */
	bool keys;		/* so is standard input */
	struct termios before;
	sigset_t signals, old_signals;
	int signal_fd, timer_fd;
} screen = { .signal_fd = -1, .timer_fd = -1 };

static void take_terminal(void)
{
	struct termios raw;

	screen.keys = tcgetattr(STDIN_FILENO, &screen.before) == 0;
	if (screen.keys) {
		raw = screen.before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		/* stops a background job with SIGTTOU, as it should */
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	}
	printf(ENTER);
	fflush(stdout);
}

static void give_terminal(void)
{
	/* modes first: who sees the sequences finds the terminal as it was */
	if (screen.keys)
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen.before);
	printf(LEAVE);
	fflush(stdout);
}

int screen_begin(unsigned period_ms, bool use_terminal)
{
	const int taken[] = { SIGINT,  SIGTERM, SIGHUP,
			      SIGQUIT, SIGTSTP, SIGWINCH };
	struct itimerspec period = {
		.it_interval = { (time_t)(period_ms / 1000),
				 (long)(period_ms % 1000) * 1000000 },
	};

	period.it_value = period.it_interval;
	sigemptyset(&screen.signals);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct sigaction old;

		/* what nohup ignores stays ignored */
		if (sigaction(taken[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaddset(&screen.signals, taken[i]);
	}
	sigprocmask(SIG_BLOCK, &screen.signals, &screen.old_signals);
	screen.signal_fd = signalfd(-1, &screen.signals,
				    SFD_CLOEXEC | SFD_NONBLOCK);
	screen.timer_fd = timerfd_create(CLOCK_MONOTONIC,
					 TFD_CLOEXEC | TFD_NONBLOCK);
	if (screen.signal_fd < 0 || screen.timer_fd < 0 ||
	    timerfd_settime(screen.timer_fd, 0, &period, NULL) < 0)
		return -errno;
	screen.terminal = use_terminal;
	if (use_terminal)
		take_terminal();
	return 0;
}

void screen_end(void)
{
	if (screen.terminal)
		give_terminal();
	screen.terminal = false;
	sigprocmask(SIG_SETMASK, &screen.old_signals, NULL);
}

void screen_size(unsigned *rows, unsigned *columns)
{
	struct winsize size;

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	if (size.ws_row)
		*rows = size.ws_row;
	if (size.ws_col)
		*columns = size.ws_col;
}

void screen_clear(void)
{
	if (screen.terminal)
		printf(HOME);
}

void screen_show(void)
{
	if (screen.terminal)
		printf(CLEAR_REST);
	fflush(stdout);
}

/* Ctrl-Z: stop as if we had not caught it, and come back drawing. */
static void stop(void)
{
	sigset_t only;

	if (screen.terminal)
		give_terminal();
	sigemptyset(&only);
	sigaddset(&only, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	raise(SIGTSTP);
	sigprocmask(SIG_BLOCK, &only, NULL);
	if (screen.terminal)
		take_terminal();
}

static enum screen_event take_signal(int *signal)
{
	struct signalfd_siginfo info;

	if (read(screen.signal_fd, &info, sizeof(info)) != sizeof(info))
		return SCREEN_EVENTS;
	*signal = (int)info.ssi_signo;
	if (*signal == SIGWINCH)
		return SCREEN_RESIZED;
	if (*signal != SIGTSTP)
		return SCREEN_INTERRUPTED;
	stop();
	return SCREEN_RESIZED;
}

enum screen_event screen_wait(char *key, int *signal)
{
	struct pollfd fds[3] = {
		{ .fd = screen.signal_fd, .events = POLLIN },
		{ .fd = screen.timer_fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	enum screen_event event = SCREEN_EVENTS;
	uint64_t ticks;

	do {
		fds[2].fd = screen.keys ? STDIN_FILENO : -1;
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents)
			event = take_signal(signal);
		else if (fds[2].revents && read(STDIN_FILENO, key, 1) == 1)
			event = SCREEN_KEY;
		else if (fds[2].revents)	/* the terminal is gone */
			screen.keys = false;
		else if (fds[1].revents &&
			 read(screen.timer_fd, &ticks, sizeof(ticks)) > 0)
			event = SCREEN_TICK;
	} while (event == SCREEN_EVENTS);
	return event;
}
