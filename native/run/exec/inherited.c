/*
 * The mask and the actions of all signals are reset, as by systemd, those of ignored ones too: what nohup(1) or a supervisor ignores for
 * itself must not be ignored by the service. See inherited.h.
 */
#include "inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"
#include "digits.h"

#define STREAMS 3
#define BITS_PER_BYTE 8
/* SD_LISTEN_FDS_START of sd_listen_fds(3). */
#define FIRST_SOCKET 3U
/* Far more than anybody passes; a larger number is a mistake. */
#define SOCKETS_MAX 4096U

static void open_streams(void)
{
	for (;;) {
		int descriptor = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (descriptor < 0)
			fail_errno(errno, "cannot open /dev/null for a closed stream");
		if (descriptor >= STREAMS) {
			(void)close(descriptor);
			return;
		}
		/* It got the number of the closed stream, and the service keeps it. */
		if (fcntl(descriptor, F_SETFD, 0) != 0)
			fail_errno(errno, "cannot keep /dev/null open");
	}
}

static bool streams_are_open(void)
{
	for (int stream = 0; stream < STREAMS; stream++) {
		if (fcntl(stream, F_GETFD) < 0)
			return false;
	}
	return true;
}

/*
 * By the kernel's own call, since sigaction(3) refuses the signals that a C library reserves, and the service's library may be another
 * one. The default action is a structure of zeros on every processor.
 */
static void reset_signals(void)
{
	static const unsigned char standard[sizeof(struct sigaction)];
	sigset_t none;

	/* Fails for those that cannot be changed (SIGKILL, SIGSTOP). */
	for (int number = 1; number < _NSIG; number++)
		(void)syscall(SYS_rt_sigaction, number, standard, NULL, _NSIG / BITS_PER_BYTE);
	(void)sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		fail_errno(errno, "cannot unblock the signals");
}

static unsigned int sockets_for_us(void)
{
	if (digits_read(getenv("LISTEN_PID"), (unsigned long)__INT_MAX__) != (unsigned long)getpid())
		return 0;
	return (unsigned int)digits_read(getenv("LISTEN_FDS"), SOCKETS_MAX);
}

/* The flag needs Linux 5.11; other calls of the launcher need 5.12. */
static void close_at_exec(void)
{
	if (syscall(SYS_close_range, (unsigned int)STREAMS, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
		fail_errno(errno, "cannot mark the inherited descriptors (close_range; Linux 5.11 or later is needed)");
}

unsigned int inherited_take(void)
{
	if (!streams_are_open())
		open_streams();
	reset_signals();
	close_at_exec();
	return sockets_for_us();
}

int inherited_socket(unsigned int index)
{
	return (int)(FIRST_SOCKET + index);
}

void inherited_pass_on(unsigned int sockets)
{
	for (unsigned int i = 0; i < sockets; i++) {
		if (fcntl(inherited_socket(i), F_SETFD, 0) != 0)
			fail_errno(errno, "LISTEN_FDS=%u, but descriptor %d cannot be passed on", sockets,
				   inherited_socket(i));
	}
}

int inherited_named(unsigned int sockets, const char *name)
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t length = strlen(name);

	for (unsigned int i = 0; names != NULL && i < sockets; i++) {
		size_t size = strcspn(names, ":");

		if (size == length && memcmp(names, name, size) == 0)
			return inherited_socket(i);
		names = names[size] == '\0' ? NULL : names + size + 1;
	}
	return -1;
}

bool inherited_is_variable(const char *variable)
{
	static const char *const names[] = { "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}
