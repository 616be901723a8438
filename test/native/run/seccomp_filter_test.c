/*
 * The installation of seccomp filters: base64 is read as RFC 4648 has it and nothing else, a filter that does not answer the probe is
 * not believed in, and one that does is in force. No arguments.
 */
#include "privileges/seccomp_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "cli/fail.h"
#include "dynuser.h"

/* One instruction: all calls are allowed. */
#define ALLOW "BgAAAAAA/38="

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* As the daemon writes it. */
static void encode(const struct sock_filter *program, size_t length, char *text)
{
	const unsigned char *bytes = (const unsigned char *)program;
	size_t size = length * sizeof(*program);

	for (size_t i = 0; i < size; i += 3) {
		unsigned int rest = (unsigned int)(size - i), bits = 0;

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < rest ? bytes[i + j] : 0U);
		*text++ = digits[bits >> 18 & 63];
		*text++ = digits[bits >> 12 & 63];
		*text++ = rest > 1 ? digits[bits >> 6 & 63] : '=';
		*text++ = rest > 2 ? digits[bits & 63] : '=';
	}
	*text = '\0';
}

static void test_reading(void)
{
	static struct sock_filter program[FILTER_LENGTH_MAX + 1], found[FILTER_LENGTH_MAX];
	static char text[(FILTER_LENGTH_MAX + 1) * sizeof(*program) * 2];
	static const char *const bad[] = { "",
					   "=",
					   "==",
					   "====",
					   "BgAAAAAA/38",
					   ALLOW "=",
					   ALLOW "AAAA",
					   "BgAAAAAA/3 =",
					   "BgAAAAA\n/38=",
					   "BgAA=AAA/38=",
					   "BgAAAAAA",
					   "BgAAAAAA/-8=",
					   "AAAA" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(seccomp_filter_read(bad[i], found) == 0, "%s", bad[i]);
	CHECK(seccomp_filter_read(ALLOW, found) == 1 && found[0].code == (BPF_RET | BPF_K) &&
		      found[0].k == SECCOMP_RET_ALLOW,
	      "one instruction");
	for (size_t i = 0; i <= FILTER_LENGTH_MAX; i++)
		program[i] = (struct sock_filter){ .code = (unsigned short)(i * 3),
						   .jt = (unsigned char)(i * 5),
						   .jf = (unsigned char)(i * 7),
						   .k = (unsigned int)i * 0x01234567U };
	for (size_t length = 1; length <= FILTER_LENGTH_MAX; length = length < 9 ? length + 1 : length * 2) {
		size_t all = length * 2 > FILTER_LENGTH_MAX ? FILTER_LENGTH_MAX : length;

		encode(program, all, text);
		CHECK(seccomp_filter_read(text, found) == all && memcmp(program, found, all * sizeof(*program)) == 0,
		      "%zu", all);
	}
	encode(program, FILTER_LENGTH_MAX + 1, text);
	CHECK(seccomp_filter_read(text, found) == 0, "one too many");
}

/* The exit status of a child that installs a filter, or minus the signal that ended it; 0: getppid fails with EPERM below it. */
static int install(const char *filter, bool privileges)
{
	pid_t child = fork();
	int status = -1;

	CHECK(child >= 0, "%s", strerror(errno));
	if (child == 0) {
		const struct plan plan = { .filter = filter };

		if (!privileges)
			CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "%s", strerror(errno));
		seccomp_filter_install(&plan);
		_exit(syscall(SYS_getppid) == -1 && errno == EPERM ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child, "%s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int main(void)
{
	const struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DYNUSER_FILTER_PROBE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | DYNUSER_FILTER_PROBE_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	char text[256];

	test_reading();
	encode(program, sizeof(program) / sizeof(program[0]), text);
	CHECK(install(text, false) == 0, "%d", install(text, false));
	CHECK(install(text, true) == 0, "no_new_privs is set where it has to be: %d", install(text, true));
	CHECK(install(NULL, false) == 1, "no filter");
	/* What they say is not for whoever reads the results of tests. */
	(void)close(STDERR_FILENO);
	if (install(ALLOW, false) != STATUS_LAUNCHER || install("AAAA", false) != STATUS_LAUNCHER)
		return 1;
	return 0;
}
