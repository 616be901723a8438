/*
 * Why a filter: Node sets every signal to its default when it starts, unblocks SIGUSR1 and installs its own handler, long before
 * a line of JavaScript could install another; the flag --disable-sigusr1 is an error for Node 20. See signals.h.
 */
#include "signals.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/seccomp.h of Linux 4.17: no mitigation that slows down whoever has a filter. */
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif

/* The lower half of the first argument, which is an int: on big-endian processors the second. */
#define FIRST_ARGUMENT \
	(offsetof(struct seccomp_data, args) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0))

static bool install_filter(void)
{
	/* Calls of another ABI have other numbers; Node makes none. 0 as errno: the call returns 0 and is not made (seccomp(2)). */
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIRST_ARGUMENT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGUSR1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(instructions) / sizeof(instructions[0]), instructions };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
		return true;
	/* EINVAL: the kernel does not know the flag, or has no filters. */
	return errno == EINVAL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* The action is tried: a tracer of system calls, or an emulator, may only say that it has set it. */
static bool is_ignored_for_good(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	/* A signal whose action is the default would end this process here. */
	return sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0;
}

bool close_debug_signal(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };
	sigset_t none;

	if (sigaction(SIGUSR1, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0 ||
	    !install_filter() || !is_ignored_for_good())
		return false;
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}
