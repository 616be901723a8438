/*
 * The seccomp filter, call by call and by every ABI that this processor has: special modes are refused, all others are not, and
 * where no file is made a mode means nothing; of ioctl(2) the requests that type into a terminal are refused, whatever is in the
 * upper half of the argument. Each part of the filter does nothing of the other's. No arguments.
 */
#include "privileges/seccomp_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define NONE (-1)
#define TMPFILE (020000000 | O_DIRECTORY)
#define X32_BIT 0x40000000L

typedef long system_call(long number, long one, long two, long three, long four);

/* The call's error number, or 0. */
static long native(long number, long one, long two, long three, long four)
{
	return syscall(number, one, two, three, four, 0, 0) < 0 ? errno : 0;
}

static void expect(system_call *call, long number, const long arguments[4], long error, const char *what)
{
	long found;

	if (number == NONE)
		return;
	found = call(number, arguments[0], arguments[1], arguments[2], arguments[3]);
	CHECK((error == EPERM) == (found == EPERM), "%s (%ld): %s", what, number, strerror((int)found));
	CHECK(error != ENOSYS || found == ENOSYS, "%s (%ld): %s", what, number, strerror((int)found));
}

struct numbers {
	long chmod, fchmod, fchmodat, fchmodat2, mkdir, mkdirat, mknod, mknodat, creat, open, openat, openat2, ioctl, ioctl_x32;
};

#define BOTH (FILTER_SPECIAL_FILES | FILTER_TERMINAL)
/* What the kernel does not look at: an argument has 64 bits, and a request of ioctl(2) 32. */
#define UPPER (sizeof(long) == 8 ? 0x5A5A5A5A00000000L : 0L)

/* The path leads nowhere, so that nothing is made: what gets past the filter fails otherwise. */
static void test_abi(system_call *call, const struct numbers *at, const char *path)
{
	static const long special[] = { S_ISUID, S_ISGID, S_ISUID | S_ISGID | 0777, S_ISGID | S_ISVTX };
	static const long plain[] = { 0, 0777, S_ISVTX | 0777 };
	const long p = (long)path;

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]) + sizeof(plain) / sizeof(plain[0]); i++) {
		bool is_special = i < sizeof(special) / sizeof(special[0]);
		long m = is_special ? special[i] : plain[i - sizeof(special) / sizeof(special[0])];
		long error = is_special ? EPERM : 0;

		expect(call, at->chmod, (const long[]){ p, m, 0, 0 }, error, "chmod");
		expect(call, at->fchmod, (const long[]){ 1000, m, 0, 0 }, error, "fchmod");
		expect(call, at->fchmodat, (const long[]){ AT_FDCWD, p, m, 0 }, error, "fchmodat");
		expect(call, at->fchmodat2, (const long[]){ AT_FDCWD, p, m, 0 }, error, "fchmodat2");
		expect(call, at->mkdir, (const long[]){ p, m, 0, 0 }, error, "mkdir");
		expect(call, at->mkdirat, (const long[]){ AT_FDCWD, p, m, 0 }, error, "mkdirat");
		expect(call, at->mknod, (const long[]){ p, S_IFREG | m, 0, 0 }, error, "mknod");
		expect(call, at->mknodat, (const long[]){ AT_FDCWD, p, S_IFREG | m, 0 }, error, "mknodat");
		expect(call, at->creat, (const long[]){ p, m, 0, 0 }, error, "creat");
		expect(call, at->open, (const long[]){ p, O_CREAT | O_WRONLY, m, 0 }, error, "open O_CREAT");
		expect(call, at->open, (const long[]){ p, TMPFILE | O_RDWR, m, 0 }, error, "open O_TMPFILE");
		expect(call, at->open, (const long[]){ p, O_RDONLY | O_DIRECTORY, m, 0 }, 0, "open");
		expect(call, at->openat, (const long[]){ AT_FDCWD, p, O_CREAT | O_WRONLY, m }, error, "openat O_CREAT");
		expect(call, at->openat, (const long[]){ AT_FDCWD, p, TMPFILE | O_RDWR, m }, error, "openat O_TMPFILE");
		expect(call, at->openat, (const long[]){ AT_FDCWD, p, O_RDONLY, m }, 0, "openat");
	}
	expect(call, at->openat2, (const long[]){ AT_FDCWD, p, p, 24 }, ENOSYS, "openat2");
}

/* No such descriptor: what gets past the filter fails otherwise. */
static void test_terminal(system_call *call, long number, long upper)
{
	static const struct {
		long request;
		bool types;
		const char *what;
	} all[] = { { TIOCSTI, true, "TIOCSTI" },     { TIOCLINUX, true, "TIOCLINUX" },	   { TIOCGWINSZ, false, "TIOCGWINSZ" },
		    { TIOCSTI - 1, false, "before" }, { TIOCLINUX + 1, false, "behind" }, { TIOCSTI | 0x80000000L, false, "bit 31" } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		expect(call, number, (const long[]){ 1000, all[i].request | upper, 0, 0 }, all[i].types ? EPERM : 0, all[i].what);
}

#if defined(__x86_64__)
/* The 32-bit way into the kernel, which is there for 64-bit programs too; addresses have to be below 4 GiB. */
static long i386(long number, long one, long two, long three, long four)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(one), "c"(two), "d"(three), "S"(four) : "memory", "r8", "r9", "r10", "r11");
	return (int)result < 0 ? -(int)result : 0;
}

static long x32(long number, long one, long two, long three, long four)
{
	return native(number | X32_BIT, one, two, three, four);
}

static const struct numbers x86_64_numbers = { 90, 91, 268, 452, 83, 258, 133, 259, 85, 2, 257, 437, 16, 514 };
static const struct numbers i386_numbers = { 15, 94, 306, 452, 39, 296, 14, 297, 8, 5, 295, 437, 54, NONE };
#define NATIVE_NUMBERS x86_64_numbers
#elif defined(__aarch64__)
static const struct numbers aarch64_numbers = { NONE, 52, 53, 452, NONE, 34, NONE, 33, NONE, NONE, 56, 437, 29, NONE };
#define NATIVE_NUMBERS aarch64_numbers
#endif

/* In a child, since a filter is for good. With the exit status of a signal where the ABI is not there. */
static int in_child(void (*test)(const char *path), const char *path)
{
	pid_t child = fork();
	int status = -1;

	CHECK(child >= 0, "%s", strerror(errno));
	if (child == 0) {
		test(path);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child, "%s", strerror(errno));
	return status;
}

static void install(unsigned int parts)
{
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "%s", strerror(errno));
	seccomp_filter_install(parts);
}

static void test_native(const char *path)
{
	/* Without it the calls fail otherwise, so what is seen below is the filter's. */
	CHECK(native(NATIVE_NUMBERS.fchmod, 1000, S_ISUID, 0, 0) == EBADF, "fchmod");
	CHECK(native(NATIVE_NUMBERS.ioctl, 1000, TIOCSTI, 0, 0) == EBADF, "ioctl");
	install(BOTH);
	test_abi(native, &NATIVE_NUMBERS, path);
	test_terminal(native, NATIVE_NUMBERS.ioctl, 0);
	test_terminal(native, NATIVE_NUMBERS.ioctl, UPPER);
}

static void test_special_files_alone(const char *path)
{
	install(FILTER_SPECIAL_FILES);
	test_abi(native, &NATIVE_NUMBERS, path);
	CHECK(native(NATIVE_NUMBERS.ioctl, 1000, TIOCSTI, 0, 0) == EBADF, "ioctl");
}

static void test_terminal_alone(const char *path)
{
	(void)path;
	install(0);
	CHECK(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_DISABLED, "a filter of nothing");
	install(FILTER_TERMINAL);
	test_terminal(native, NATIVE_NUMBERS.ioctl, UPPER);
	CHECK(native(NATIVE_NUMBERS.fchmod, 1000, S_ISUID, 0, 0) == EBADF, "fchmod");
}

#if defined(__x86_64__)
static void test_x32(const char *path)
{
	install(BOTH);
	test_abi(x32, &x86_64_numbers, path);
	/* A kernel without this ABI answers ENOSYS to all that gets past the filter. */
	test_terminal(x32, x86_64_numbers.ioctl, UPPER);
	test_terminal(x32, x86_64_numbers.ioctl_x32, UPPER);
	/* Kernels before 5.4 take the numbers of x32 without its bit, too. */
	test_terminal(native, x86_64_numbers.ioctl_x32, UPPER);
}

static void test_i386(const char *path)
{
	CHECK(i386(i386_numbers.fchmod, 1000, S_ISUID, 0, 0) == EBADF, "fchmod");
	install(BOTH);
	test_abi(i386, &i386_numbers, path);
	test_terminal(i386, i386_numbers.ioctl, 0);
}

static void try_i386(const char *path)
{
	(void)path;
	/* getpid */
	_exit(i386(20, 0, 0, 0, 0) == 0 ? 0 : 1);
}
#endif

/* What the kernel would do: only the instructions that the filter has. */
static unsigned int verdict_on(const struct sock_filter *at, const struct seccomp_data *data)
{
	unsigned int value = 0;

	for (;; at++) {
		bool yes = false;

		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&value, (const char *)data + at->k, sizeof(value));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			value &= at->k;
			continue;
		case BPF_RET | BPF_K:
			return at->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = value == at->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = value >= at->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = (value & at->k) != 0;
			break;
		default:
			CHECK(false, "instruction %x", at->code);
		}
		at += yes ? at->jt : at->jf;
	}
}

static bool is_ruled(const struct numbers *numbers, long number)
{
	const long *all = (const long *)numbers;

	for (size_t i = 0; i < sizeof(*numbers) / sizeof(*all); i++) {
		if (all[i] == number)
			return true;
	}
	return false;
}

/*
 * Every number that there is, with every bit set that a mode or flags can have, and with none; and with the requests of a
 * terminal in the argument that ioctl(2) has them in.
 */
static void test_all_numbers(const struct sock_filter *program, unsigned int architecture, unsigned int bit, const struct numbers *numbers)
{
	static const unsigned long requests[] = { TIOCSTI, TIOCLINUX, TIOCSTI | 0xFFFFFFFF00000000UL };
	struct seccomp_data worst = { .arch = architecture }, best = { .arch = architecture }, typing = { .arch = architecture };

	memset(worst.args, 0xFF, sizeof(worst.args));
	for (long number = 0; number < 1000; number++) {
		bool is_ioctl = number == numbers->ioctl || number == numbers->ioctl_x32;
		bool refused = is_ruled(numbers, number) && !is_ioctl;

		worst.nr = best.nr = typing.nr = (int)((unsigned int)number | bit);
		CHECK((verdict_on(program, &worst) == SECCOMP_RET_ALLOW) != refused, "%ld of %x", number, architecture);
		CHECK((verdict_on(program, &best) == SECCOMP_RET_ALLOW) == (number != numbers->openat2), "%ld of %x", number, architecture);
		for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
			typing.args[1] = requests[i];
			CHECK(!is_ioctl || verdict_on(program, &typing) == (SECCOMP_RET_ERRNO | EPERM), "%ld of %x", number, architecture);
		}
	}
	worst.nr = -1;
	CHECK(verdict_on(program, &worst) == SECCOMP_RET_ALLOW, "-1");
}

int main(void)
{
	struct sock_filter program[FILTER_LENGTH_MAX];
	const struct seccomp_data unknown = { .arch = 1, .nr = 1 };
	char *path = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	CHECK(path != MAP_FAILED, "%s", strerror(errno));
	(void)strcpy(path, "/nowhere/to/be/found");
	CHECK(seccomp_filter_write(program, BOTH) > 0 && seccomp_filter_write(program, BOTH) < FILTER_LENGTH_MAX, "%zu", seccomp_filter_write(program, BOTH));
	CHECK(verdict_on(program, &unknown) == (SECCOMP_RET_ERRNO | ENOSYS), "an ABI that nobody knows");
	CHECK(in_child(test_native, path) == 0, "native");
	CHECK(in_child(test_special_files_alone, path) == 0, "without a terminal");
	CHECK(in_child(test_terminal_alone, path) == 0, "a terminal alone");
#if defined(__aarch64__)
	test_all_numbers(program, AUDIT_ARCH_AARCH64, 0, &aarch64_numbers);
#endif
#if defined(__x86_64__)
	test_all_numbers(program, AUDIT_ARCH_X86_64, 0, &x86_64_numbers);
	test_all_numbers(program, AUDIT_ARCH_X86_64, (unsigned int)X32_BIT, &x86_64_numbers);
	test_all_numbers(program, AUDIT_ARCH_I386, 0, &i386_numbers);
	CHECK(in_child(test_x32, path) == 0, "x32");
	/* A kernel without the 32-bit ABI answers with a signal; then there is nothing to filter. */
	if (in_child(try_i386, path) == 0)
		CHECK(in_child(test_i386, path) == 0, "i386");
	else
		(void)fputs("no 32-bit ABI here: not tried\n", stderr);
#endif
	return 0;
}
