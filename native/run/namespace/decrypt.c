/* See decrypt.h. */
#include "decrypt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fail.h"
#include "descriptor.h"

#define PROGRAM "/usr/bin/systemd-creds"
#define NAME_BYTES 320

static _Noreturn void become(const char *name, int encrypted, int output)
{
	char option[NAME_BYTES], command[] = "decrypt", stream[] = "-", program[] = "systemd-creds";
	char *arguments[] = { program, option, command, stream, stream, NULL };
	char path[] = "PATH=/usr/sbin:/usr/bin";
	char *environment[] = { path, NULL };

	(void)snprintf(option, sizeof(option), "--name=%s", name);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || dup2(encrypted, STDIN_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0)
		_exit(STATUS_LAUNCHER);
	(void)execve(PROGRAM, arguments, environment);
	_exit(is_absence(errno) ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

ssize_t decrypt(const char *name, int encrypted, unsigned char *bytes, size_t size, bool *missing)
{
	int ends[2], status = -1;
	ssize_t count;
	pid_t child;

	if (lseek(encrypted, 0, SEEK_SET) != 0 || pipe2(ends, O_CLOEXEC) != 0)
		fail_errno(errno, "cannot decrypt the credential %s", name);
	child = fork();
	if (child < 0)
		fail_errno(errno, "cannot fork for " PROGRAM);
	if (child == 0)
		become(name, encrypted, ends[1]);
	(void)close(ends[1]);
	count = read_all(ends[0], bytes, size);
	(void)close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	*missing = WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NOT_FOUND;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? count : -1;
}
