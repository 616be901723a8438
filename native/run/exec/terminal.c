/* tty_ioctl(4), ioctl_console(2), ioctl_tiocsctty(2); see terminal.h. */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/fail.h"
#include "descriptor.h"

#define VIRTUAL "/dev/tty"
#define CONSOLE "/dev/tty0"
/* How long to wait before a terminal that another session has is tried again. */
#define RETRY_NANOSECONDS 100000000L

/* Line by line, with an echo and the usual keys: what stty(1) calls sane. */
static void make_sane(int tty)
{
	static const struct {
		size_t index;
		unsigned char key;
	} keys[] = { { VINTR, 3 },     { VQUIT, 28 }, { VERASE, 127 }, { VKILL, 21 },  { VEOF, 4 },
		     { VSTART, 17 },   { VSTOP, 19 }, { VSUSP, 26 },   { VLNEXT, 22 }, { VWERASE, 23 },
		     { VREPRINT, 18 }, { VEOL, 0 },   { VEOL2, 0 },    { VTIME, 0 },   { VMIN, 1 } };
	struct termios settings;

	/* A terminal that nobody else may open, and a virtual one in graphics mode. */
	(void)ioctl(tty, TIOCNXCL);
	(void)ioctl(tty, KDSETMODE, KD_TEXT);
	if (tcgetattr(tty, &settings) != 0)
		return;
	settings.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | ISTRIP | INLCR | IGNCR | IUCLC | IXOFF);
	settings.c_iflag |= ICRNL | IMAXBEL | IUTF8;
	settings.c_oflag |= OPOST | ONLCR;
	settings.c_cflag |= CREAD;
	settings.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		settings.c_cc[keys[i].index] = keys[i].key;
	(void)tcsetattr(tty, TCSANOW, &settings);
	(void)tcflush(tty, TCIOFLUSH);
}

static void set_size(const struct terminal *terminal, int tty)
{
	struct winsize size;

	if ((!terminal->has_rows && !terminal->has_columns) || ioctl(tty, TIOCGWINSZ, &size) != 0)
		return;
	if (terminal->has_rows)
		size.ws_row = (unsigned short)terminal->rows;
	if (terminal->has_columns)
		size.ws_col = (unsigned short)terminal->columns;
	if (ioctl(tty, TIOCSWINSZ, &size) != 0)
		say("TTYRows= and TTYColumns= are not applied to %s: %s", terminal->path, fail_words(errno));
}

/* The one that is shown cannot be freed. */
static void clear(const char *path)
{
	const size_t prefix = sizeof(VIRTUAL) - 1;
	long number = strncmp(path, VIRTUAL, prefix) == 0 ? strtol(path + prefix, NULL, 10) : 0;
	int console;

	if (number <= 0 || number > MAX_NR_CONSOLES)
		return;
	console = open(CONSOLE, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (console < 0)
		return;
	(void)ioctl(console, VT_DISALLOCATE, (int)number);
	(void)close(console);
}

void terminal_prepare(const struct terminal *terminal)
{
	int tty = open(terminal->path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (tty < 0) {
		say("TTYPath=%s cannot be prepared: %s", terminal->path, fail_words(errno));
		return;
	}
	if (!isatty(tty)) {
		say("TTYPath=%s is not a terminal", terminal->path);
		(void)close(tty);
		return;
	}
	if (terminal->hangup)
		(void)ioctl(tty, TIOCVHANGUP);
	(void)close(tty);
	if (terminal->clear)
		clear(terminal->path);
	/* What was hung up can no longer be used. */
	tty = open(terminal->path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (tty < 0)
		return;
	if (terminal->reset)
		make_sane(tty);
	set_size(terminal, tty);
	(void)close(tty);
}

/* Whether this process leads a session, which alone can have a controlling terminal, or does so now. */
static bool leads_session(void)
{
	return getsid(0) == getpid() || setsid() >= 0;
}

static bool has_control(void)
{
	int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	close_quietly(terminal);
	return terminal >= 0;
}

static void take_control(const char *property, const char *path, int tty, enum stream_control control)
{
	const struct timespec pause = { .tv_nsec = RETRY_NANOSECONDS };

	/* A session has one at most: that of a shell or a supervisor stays. */
	if (!leads_session() || has_control())
		return;
	while (ioctl(tty, TIOCSCTTY, control == CONTROL_FORCE) != 0) {
		if (errno != EPERM)
			fail_errno(errno, "%s=: cannot take the terminal %s", property, path);
		/* It is that of another session. */
		if (control != CONTROL_WAIT)
			fail(STATUS_LAUNCHER, "%s=: another session has the terminal %s", property, path);
		(void)nanosleep(&pause, NULL);
	}
}

int terminal_open(const char *property, const char *path, int flags, enum stream_control control)
{
	int tty = open(path, flags | O_NOCTTY | O_CLOEXEC);

	if (tty < 0)
		fail_errno(errno, "%s=: cannot open the terminal %s", property, path);
	if (!isatty(tty))
		fail(STATUS_LAUNCHER, "%s=: %s is not a terminal; name one with TTYPath=", property, path);
	if (control != CONTROL_NONE)
		take_control(property, path, tty, control);
	return tty;
}
