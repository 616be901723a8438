/*
 * Two ways to the same numbers. PIDFD_GET_INFO (Linux 6.13, with pidfds of threads since 6.9) is one short call, and its
 * pidfd some three; /proc/<pid>/status (proc_pid_status(5)) is there on every kernel, but formats some sixty lines for the
 * two that are wanted.
 */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/pidfd.h, for headers older than 6.13. The first published size of the structure, 64 bytes, has all we read. */
struct pidfd_information {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
_Static_assert(sizeof(struct pidfd_information) == 64, "PIDFD_INFO_SIZE_VER0");
#define INFORMATION_CREDENTIALS (UINT64_C(1) << 1)
#define GET_INFORMATION _IOWR(0xFF, 11, struct pidfd_information)
#define OPEN_THREAD O_EXCL

/* Name:, Umask:, State: and the ids stand at its start, in far fewer bytes. */
#define STATUS_HEAD 1024

static int read_pidfd(int descriptor, struct credentials *credentials)
{
	struct pidfd_information information = { .mask = INFORMATION_CREDENTIALS };

	if (ioctl(descriptor, GET_INFORMATION, &information) < 0)
		return errno;
	/* A process that is gone but for its pidfd has no credentials any more. */
	if ((information.mask & INFORMATION_CREDENTIALS) == 0)
		return ESRCH;
	*credentials = (struct credentials){
		.uids = { information.ruid, information.euid, information.suid, information.fsuid },
		.gids = { information.rgid, information.egid, information.sgid, information.fsgid },
	};
	return 0;
}

static bool parse_ids(const char *text, const char *label, uint32_t ids[4])
{
	const char *line = strstr(text, label);

	if (line == NULL)
		return false;
	line += strlen(label);
	for (int i = 0; i < 4; i++) {
		char *end = NULL;
		unsigned long long id;

		errno = 0;
		id = strtoull(line, &end, 10);
		if (errno != 0 || end == line || id > UINT32_MAX || *end != (i < 3 ? '\t' : '\n'))
			return false;
		ids[i] = (uint32_t)id;
		line = end;
	}
	return true;
}

static int open_status(int directory, pid_t thread)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%d/status", thread);
	int descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0 && errno == ENOENT)
		errno = ESRCH;
	return descriptor;
}

static int read_status(int descriptor, struct credentials *credentials)
{
	char text[STATUS_HEAD];
	ssize_t length = pread(descriptor, text, sizeof(text) - 1, 0);

	if (length < 0)
		return errno;
	text[length] = '\0';
	/* The labels start lines: a newline in the name of the process is escaped. */
	if (!parse_ids(text, "\nUid:\t", credentials->uids) || !parse_ids(text, "\nGid:\t", credentials->gids))
		return EBADMSG;
	return 0;
}

int credentials_again(int descriptor, enum credentials_source source, struct credentials *credentials)
{
	return source == CREDENTIALS_PIDFD ? read_pidfd(descriptor, credentials) :
					     read_status(descriptor, credentials);
}

/* Opens and reads; what cannot be read is closed, and is -1 then. */
static int take(int opened, enum credentials_source source, struct credentials *credentials, int *descriptor)
{
	*descriptor = opened;
	if (opened < 0)
		return errno;
	int error = credentials_again(opened, source, credentials);

	if (error != 0) {
		close(opened);
		*descriptor = -1;
	}
	return error;
}

static int take_pidfd(pid_t thread, struct credentials *credentials, int *descriptor)
{
	int opened = (int)syscall(SYS_pidfd_open, thread, OPEN_THREAD);

	return take(opened, CREDENTIALS_PIDFD, credentials, descriptor);
}

int credentials_take(int directory, pid_t thread, enum credentials_source *source, struct credentials *credentials,
		     int *descriptor)
{
	if (*source == CREDENTIALS_UNKNOWN) {
		*source = take_pidfd(getpid(), credentials, descriptor) == 0 ? CREDENTIALS_PIDFD : CREDENTIALS_STATUS;
		if (*descriptor >= 0)
			close(*descriptor);
	}
	if (*source == CREDENTIALS_STATUS)
		return take(open_status(directory, thread), CREDENTIALS_STATUS, credentials, descriptor);
	int error = take_pidfd(thread, credentials, descriptor);

	if (error == 0 || error == ESRCH)
		return error;
	/* Whatever else a kernel says of a thread that is just ending, its status file knows better. */
	error = take(open_status(directory, thread), CREDENTIALS_STATUS, credentials, descriptor);
	if (error == 0)
		close(*descriptor);
	*descriptor = -1;
	return error;
}

int credentials_read(int directory, pid_t thread, enum credentials_source *source, struct credentials *credentials)
{
	int descriptor;
	int error = credentials_take(directory, thread, source, credentials, &descriptor);

	if (descriptor >= 0)
		close(descriptor);
	return error;
}

bool credentials_have(const struct credentials *credentials, uint32_t number)
{
	for (int i = 0; i < 4; i++) {
		if (credentials->uids[i] == number || credentials->gids[i] == number)
			return true;
	}
	return false;
}
