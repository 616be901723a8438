/* See seccomp_filter.h. */
#include "seccomp_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"
#include "descriptor.h"
#include "dynuser.h"
#include "privileges.h"
#include "protocol/base64.h"

#define PROGRAM_BYTES (FILTER_LENGTH_MAX * sizeof(struct sock_filter))

size_t seccomp_filter_read(const char *text, struct sock_filter program[FILTER_LENGTH_MAX])
{
	static unsigned char bytes[BASE64_BYTES(BASE64_LENGTH(PROGRAM_BYTES))];
	size_t count;

	if (strlen(text) > BASE64_LENGTH(PROGRAM_BYTES))
		return 0;
	count = base64_read(text, bytes);
	if (count > PROGRAM_BYTES || count % sizeof(*program) != 0)
		return 0;
	memcpy(program, bytes, count);
	return count / sizeof(*program);
}

/* TIOCSTI and TIOCLINUX are for the controlling terminal alone, unless the process has CAP_SYS_ADMIN (TIOCSTI(2const)). */
static bool has_terminal(void)
{
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	close_quietly(terminal);
	/* Without a controlling terminal it is ENXIO (tty(4)); what else there may be says nothing. */
	return terminal >= 0 || errno != ENXIO;
}

static _Noreturn void fail_without_filter(const struct plan *plan, int error)
{
	if (!plan->filter_is_for_terminal)
		fail_errno(error, "cannot install the seccomp filter of the service");
	if (error == EACCES)
		fail(STATUS_LAUNCHER,
		     "the service could type into this terminal: to forbid it takes NoNewPrivileges=yes or the capability CAP_SYS_ADMIN; set one of them, or start without a terminal (setsid(1))");
	fail(STATUS_LAUNCHER,
	     "the service could type into this terminal: there is no seccomp filter here (%s); start without a terminal (setsid(1))",
	     error == 0 ? "none for this processor" : fail_words(error));
}

static int load(const struct sock_fprog *program)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, program) != 0)
		return errno;
	if (syscall(DYNUSER_FILTER_PROBE) != -1 || errno != DYNUSER_FILTER_PROBE_ERRNO)
		fail(STATUS_LAUNCHER, "the kernel did not install the seccomp filter of the service");
	return 0;
}

/* Returns 0, or an errno number. */
static int install(const struct plan *plan)
{
	struct sock_filter instructions[FILTER_LENGTH_MAX];
	struct sock_fprog program = { .filter = instructions };
	int error;

	program.len = (unsigned short)seccomp_filter_read(plan->filter, instructions);
	if (program.len == 0)
		fail(STATUS_LAUNCHER, "the daemon's plan has a seccomp filter that cannot be read");
	error = load(&program);
	if (error != EACCES || plan->filter_is_for_terminal)
		return error;
	forbid_new_privileges();
	return load(&program);
}

void seccomp_filter_install(const struct plan *plan)
{
	bool has_filter = plan->filter != NULL;
	int error = has_filter ? install(plan) : 0;

	if ((has_filter && error == 0) || (!has_filter && !plan->filter_is_for_terminal))
		return;
	if (!plan->filter_is_for_terminal || has_terminal())
		fail_without_filter(plan, error);
}
