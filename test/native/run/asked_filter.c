/*
 * Has the kernel run a seccomp filter for system calls, none of which is made: what the filter allows is refused by another one. From
 * standard input it reads, as the machine has them, the number of the filter's instructions (32 bits), these, the number of calls (32
 * bits), and for each its number and five arguments (64 bits each). For each call it prints an error number, 0 if it is allowed, or "kill".
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTRUCTIONS_MAX 4096U
#define CALLS_MAX 100000U
#define ARGUMENTS 5
/* The sixth argument of the calls that are asked about, and the error of those that the filter allows. No filter has it. */
#define MARK 0x6d61726bL
#define ALLOWED ENOTUNIQ
#define POLL_MICROSECONDS 1000

struct call {
	int64_t number;
	uint64_t arguments[ARGUMENTS];
};

/* What the child has found, and how far it is. */
struct record {
	volatile uint32_t next;
	volatile int errors[CALLS_MAX];
};

static struct sock_filter instructions[INSTRUCTIONS_MAX];
static struct call calls[CALLS_MAX];
static struct record *record;

static int fail(const char *what)
{
	(void)fprintf(stderr, "asked_filter: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

/* Reads a number of things, and then them. */
static int read_all(void *things, size_t size, uint32_t most, uint32_t *count)
{
	return fread(count, sizeof(*count), 1, stdin) == 1 && *count > 0 && *count <= most &&
	       fread(things, size, *count, stdin) == *count;
}

static int install(struct sock_filter *filter, uint32_t length)
{
	struct sock_fprog program = { .len = (unsigned short)length, .filter = filter };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0UL, &program) == 0;
}

/* From here on nothing may be called that makes a call: whatever it is, the filter may forbid it. */
static _Noreturn void ask(uint32_t length, uint32_t count, pid_t parent)
{
	struct sock_filter none[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ALLOWED),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	/* It never ends by itself. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) != 0 || !install(none, sizeof(none) / sizeof(*none)) ||
	    !install(instructions, length))
		_exit(fail("the kernel does not take the filter"));
	while (record->next < count) {
		const struct call *call = &calls[record->next];
		const uint64_t *a = call->arguments;
		long result = syscall((long)call->number, a[0], a[1], a[2], a[3], a[4], MARK);

		record->errors[record->next] = result == -1 ? errno : -1;
		record->next++;
	}
	for (;;)
		continue;
}

int main(void)
{
	const struct rlimit no_core = { 0, 0 };
	pid_t parent = getpid();
	uint32_t length, count;

	if (!read_all(instructions, sizeof(*instructions), INSTRUCTIONS_MAX, &length) ||
	    !read_all(calls, sizeof(*calls), CALLS_MAX, &count))
		return fail("standard input is not as it should be");
	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (record == MAP_FAILED || setrlimit(RLIMIT_CORE, &no_core) != 0)
		return fail("begin");
	while (record->next < count) {
		pid_t child = fork();
		int status = 0;

		if (child == -1)
			return fail("fork");
		if (child == 0)
			ask(length, count, parent);
		while (record->next < count && waitpid(child, &status, WNOHANG) == 0)
			(void)usleep(POLL_MICROSECONDS);
		if (record->next == count) {
			(void)kill(child, SIGKILL);
			(void)waitpid(child, NULL, 0);
		} else if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
			(void)fprintf(stderr, "asked_filter: call %u ended its process with status %x\n", record->next,
				      (unsigned int)status);
			return EXIT_FAILURE;
		} else {
			record->errors[record->next] = -SIGSYS;
			record->next++;
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		if (record->errors[i] == -SIGSYS)
			(void)puts("kill");
		else
			(void)printf("%d\n", record->errors[i] == ALLOWED ? 0 : record->errors[i]);
	}
	return EXIT_SUCCESS;
}
