/*
 * Classic BPF by hand (seccomp(2)): for each ABI a search tree over the numbers of calls, whose leaves have their own ends. Why
 * not one test after the other: when a filter is installed the kernel tries it with every number that there is, to know those
 * that are always allowed. The numbers are those of the kernel's tables, which never change. See seccomp_filter.h.
 */
#include "seccomp_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"

#define NONE (-1)
/* __X32_SYSCALL_BIT: set in calls of the x32 ABI, whose numbers are otherwise those of x86-64. */
#define X32_BIT 0x40000000U
/* Of O_TMPFILE the part that is not O_DIRECTORY, the same everywhere but on alpha and parisc. */
#define TMPFILE_FLAG 020000000U
#define SPECIAL_BITS ((unsigned int)(S_ISUID | S_ISGID))

#define ALLOW SECCOMP_RET_ALLOW
#define DENY (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)

/* Numbers of calls; NONE where the ABI does not have one. */
struct abi {
	unsigned int architecture;
	int chmod, fchmod, fchmodat, fchmodat2, mkdir, mkdirat, mknod, mknodat, creat, open, openat, openat2;
	/* A second ioctl(2): that of x32 has a number of its own, unlike the calls above. */
	int ioctl, ioctl_x32;
};

/* arch/x86/entry/syscalls, arch/arm/tools/syscall.tbl, include/uapi/asm-generic/unistd.h of Linux. */
#define X86_64 { AUDIT_ARCH_X86_64, 90, 91, 268, 452, 83, 258, 133, 259, 85, 2, 257, 437, 16, 514 }
#define I386 { AUDIT_ARCH_I386, 15, 94, 306, 452, 39, 296, 14, 297, 8, 5, 295, 437, 54, NONE }
#define AARCH64 { AUDIT_ARCH_AARCH64, NONE, 52, 53, 452, NONE, 34, NONE, 33, NONE, NONE, 56, 437, 29, NONE }
#define ARM { AUDIT_ARCH_ARM, 15, 94, 333, 452, 39, 323, 14, 324, 8, 5, 322, 437, 54, NONE }

#if defined(__x86_64__)
static const struct abi abis[] = { X86_64, I386 };
#elif defined(__aarch64__)
static const struct abi abis[] = { AARCH64, ARM };
#else
static const struct abi abis[] = { { 0 } };
#define UNKNOWN_PROCESSOR
#endif

struct program {
	struct sock_filter *at;
	size_t length;
};

static void put(struct program *program, unsigned int code, unsigned int value, unsigned char yes, unsigned char no)
{
	program->at[program->length++] = (struct sock_filter){ .code = (unsigned short)code, .jt = yes, .jf = no, .k = value };
}

static void put_load(struct program *program, size_t offset)
{
	put(program, BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset, 0, 0);
}

static void put_return(struct program *program, unsigned int value)
{
	put(program, BPF_RET | BPF_K, value, 0, 0);
}

/*
 * Modes, flags, and the request of ioctl(2) are 32 bits: the kernel takes the lower half of an argument, and so does the filter,
 * whatever the upper half is. On little-endian processors it is the first.
 */
static size_t argument(unsigned int index)
{
	return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);
}

enum test {
	/* The call itself is refused. */
	TEST_CALL,
	/* The argument has a mode. */
	TEST_MODE,
	/* The same, but the mode counts only if a file may be made: flags is the argument before it. */
	TEST_OPEN_MODE,
	/* The argument is a request of ioctl(2). */
	TEST_REQUEST
};

/* What is tested of a call. */
struct rule {
	int number;
	enum test test;
	unsigned int argument;
	unsigned int part;
};

#define RULES_MAX 14U

static int by_number(const void *one, const void *other)
{
	return ((const struct rule *)one)->number - ((const struct rule *)other)->number;
}

static size_t rules_of(const struct abi *abi, unsigned int parts, struct rule rules[RULES_MAX])
{
	const struct rule all[RULES_MAX] = {
		{ abi->chmod, TEST_MODE, 1, FILTER_SPECIAL_FILES },
		{ abi->fchmod, TEST_MODE, 1, FILTER_SPECIAL_FILES },
		{ abi->fchmodat, TEST_MODE, 2, FILTER_SPECIAL_FILES },
		{ abi->fchmodat2, TEST_MODE, 2, FILTER_SPECIAL_FILES },
		{ abi->mkdir, TEST_MODE, 1, FILTER_SPECIAL_FILES },
		{ abi->mkdirat, TEST_MODE, 2, FILTER_SPECIAL_FILES },
		{ abi->mknod, TEST_MODE, 1, FILTER_SPECIAL_FILES },
		{ abi->mknodat, TEST_MODE, 2, FILTER_SPECIAL_FILES },
		{ abi->creat, TEST_MODE, 1, FILTER_SPECIAL_FILES },
		{ abi->open, TEST_OPEN_MODE, 2, FILTER_SPECIAL_FILES },
		{ abi->openat, TEST_OPEN_MODE, 3, FILTER_SPECIAL_FILES },
		{ abi->openat2, TEST_CALL, 0, FILTER_SPECIAL_FILES },
		{ abi->ioctl, TEST_REQUEST, 1, FILTER_TERMINAL },
		{ abi->ioctl_x32, TEST_REQUEST, 1, FILTER_TERMINAL },
	};
	size_t count = 0;

	for (size_t i = 0; i < RULES_MAX; i++) {
		if (all[i].number != NONE && (all[i].part & parts) != 0)
			rules[count++] = all[i];
	}
	qsort(rules, count, sizeof(*rules), by_number);
	return count;
}

static void put_mode_test(struct program *program, const struct rule *rule)
{
	if (rule->test == TEST_OPEN_MODE) {
		put_load(program, argument(rule->argument - 1));
		put(program, BPF_JMP | BPF_JSET | BPF_K, (unsigned int)O_CREAT | TMPFILE_FLAG, 0, 3);
	}
	put_load(program, argument(rule->argument));
	put(program, BPF_JMP | BPF_JSET | BPF_K, SPECIAL_BITS, 0, 1);
	put_return(program, DENY);
}

static void put_request_test(struct program *program, const struct rule *rule)
{
	put_load(program, argument(rule->argument));
	put(program, BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0);
	put(program, BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 1);
	put_return(program, DENY);
}

/* The accumulator has the call's number. The last instruction is where the jumps of those before it lead: to allow. */
static void put_rule(struct program *program, const struct rule *rule)
{
	size_t test = program->length;

	put(program, BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)rule->number, 0, 0);
	switch (rule->test) {
	case TEST_CALL:
		put_return(program, ABSENT);
		break;
	case TEST_MODE:
	case TEST_OPEN_MODE:
		put_mode_test(program, rule);
		break;
	case TEST_REQUEST:
		put_request_test(program, rule);
		break;
	}
	program->at[test].jf = (unsigned char)(program->length - test - 1);
	put_return(program, ALLOW);
}

static void put_tree(struct program *program, const struct rule *rules, size_t count)
{
	size_t half = count / 2, test = program->length;

	if (count == 1) {
		put_rule(program, rules);
		return;
	}
	put(program, BPF_JMP | BPF_JGE | BPF_K, (unsigned int)rules[half].number, 0, 0);
	put_tree(program, rules, half);
	program->at[test].jt = (unsigned char)(program->length - test - 1);
	put_tree(program, rules + half, count - half);
}

static void put_abi(struct program *program, const struct abi *abi, unsigned int parts)
{
	struct rule rules[RULES_MAX];
	size_t test = program->length;

	/* How far it is to the next ABI is known at the end. */
	put(program, BPF_JMP | BPF_JEQ | BPF_K, abi->architecture, 0, 0);
	put_load(program, offsetof(struct seccomp_data, nr));
	if (abi->architecture == AUDIT_ARCH_X86_64)
		put(program, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, 0, 0);
	put_tree(program, rules, rules_of(abi, parts, rules));
	program->at[test].jf = (unsigned char)(program->length - test - 1);
}

size_t seccomp_filter_write(struct sock_filter instructions[FILTER_LENGTH_MAX], unsigned int parts)
{
	struct program program = { .at = instructions };

#ifdef UNKNOWN_PROCESSOR
	return 0;
#endif
	put_load(&program, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < sizeof(abis) / sizeof(abis[0]); i++)
		put_abi(&program, &abis[i], parts);
	/* An ABI that this kernel has learned since. */
	put_return(&program, ABSENT);
	return program.length;
}

/* TIOCSTI and TIOCLINUX are for the controlling terminal alone, unless the process has CAP_SYS_ADMIN (TIOCSTI(2const)). */
static bool has_terminal(void)
{
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (terminal >= 0)
		(void)close(terminal);
	/* Without a controlling terminal it is ENXIO (tty(4)); what else there may be says nothing. */
	return terminal >= 0 || errno != ENXIO;
}

static _Noreturn void fail_without_filter(unsigned int parts, int error)
{
	if ((parts & FILTER_SPECIAL_FILES) != 0) {
		if (error == 0)
			fail(STATUS_LAUNCHER, "RestrictSUIDSGID= cannot be had on this processor yet; turn it off");
		if (error == EACCES)
			fail(STATUS_LAUNCHER, "RestrictSUIDSGID= without NoNewPrivileges= needs the capability CAP_SYS_ADMIN");
		fail_errno(error, "cannot install the seccomp filter of RestrictSUIDSGID=");
	}
	if (error == EACCES)
		fail(STATUS_LAUNCHER,
		     "the service could type into this terminal: to forbid it takes NoNewPrivileges=yes or the capability CAP_SYS_ADMIN; set one of them, or start without a terminal (setsid(1))");
	fail(STATUS_LAUNCHER, "the service could type into this terminal: there is no seccomp filter here (%s); start without a terminal (setsid(1))",
	     error == 0 ? "none for this processor" : fail_words(error));
}

void seccomp_filter_install(unsigned int parts)
{
	struct sock_filter instructions[FILTER_LENGTH_MAX];
	struct sock_fprog program = { .filter = instructions };
	int error = 0;

	if (parts == 0)
		return;
	program.len = (unsigned short)seccomp_filter_write(instructions, parts);
	if (program.len != 0) {
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program) == 0) {
			if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
				fail(STATUS_LAUNCHER, "the kernel did not install the seccomp filter of the service");
			return;
		}
		error = errno;
	}
	if (parts != FILTER_TERMINAL || has_terminal())
		fail_without_filter(parts, error);
}
