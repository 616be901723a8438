/* See streams.h. */
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "descriptor.h"
#include "inherited.h"
#include "open_file.h"
#include "protocol/base64.h"
#include "terminal.h"

#define FIRST_FREE 3
#define NEW_FILE_MODE 0666U
#define JOURNAL "/run/systemd/journal/stdout"
/* As systemd asks for: a service should not wait for the journal. */
#define JOURNAL_BUFFER_BYTES (8 * 1024 * 1024)

static const char *const names[STREAMS_MAX] = { "StandardInput", "StandardOutput", "StandardError" };
static const int accesses[] = { O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR };

struct opening {
	const struct plan *plan;
	unsigned int sockets;
	const char *program;
	/* the stream that is connected to the journal, and with which flags; null: none */
	const struct stream *journal;
	char *variable;
};

static int open_null(const struct stream *stream)
{
	int file = open("/dev/null", (stream->number == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_CLOEXEC);

	if (file < 0)
		fail_errno(errno, "%s=: cannot open /dev/null", names[stream->number]);
	return file;
}

static int open_path(const struct stream *stream, mode_t mask)
{
	int access = accesses[stream->access];
	int flags = access | (access == O_RDONLY ? 0 : O_CREAT) | (stream->append ? O_APPEND : 0) |
		    (stream->truncate ? O_TRUNC : 0);
	int file = open_file_of(names[stream->number], stream->path, flags, NEW_FILE_MODE & ~mask, NULL);

	if (file < 0)
		fail_errno(errno, "%s=: cannot open %s", names[stream->number], stream->path);
	return file;
}

/* A file without a name, which the service can only read: its size and what it holds are sealed. */
static int make_data(const struct stream *stream)
{
	size_t room = BASE64_BYTES(strlen(stream->data)), count;
	unsigned char *bytes = malloc(room);
	int file = memfd_create("data-fd", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (bytes == NULL || file < 0)
		fail_errno(errno, "%s=: cannot create a file in memory", names[stream->number]);
	count = base64_read(stream->data, bytes);
	if (count == SIZE_MAX)
		fail(STATUS_LAUNCHER, "%s=: the data of the daemon's plan is not base64", names[stream->number]);
	if (!write_all(file, bytes, count))
		fail_errno(errno, "%s=: cannot write its data", names[stream->number]);
	if (lseek(file, 0, SEEK_SET) != 0 ||
	    fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
		fail_errno(errno, "%s=: cannot seal its data", names[stream->number]);
	free(bytes);
	return file;
}

static int copy_of(const struct stream *stream, int from)
{
	int copy = fcntl(from, F_DUPFD_CLOEXEC, FIRST_FREE);

	if (copy < 0)
		fail_errno(errno, "%s=: cannot copy descriptor %d", names[stream->number], from);
	return copy;
}

/* A socket that was passed, or as with inetd the one that standard input is. */
static int take_socket(const struct opening *opening, const struct stream *stream)
{
	struct stat status;

	if (opening->sockets > 1)
		fail(STATUS_LAUNCHER, "%s=socket: %u sockets were passed (LISTEN_FDS); pass one", names[stream->number],
		     opening->sockets);
	if (opening->sockets == 1)
		return copy_of(stream, inherited_socket(0));
	if (fstat(STDIN_FILENO, &status) != 0 || !S_ISSOCK(status.st_mode))
		fail(STATUS_LAUNCHER,
		     "%s=socket: no socket was passed; start this from a program that listens, and passes a connection (LISTEN_FDS, or standard input)",
		     names[stream->number]);
	return copy_of(stream, STDIN_FILENO);
}

static int take_named(const struct opening *opening, const struct stream *stream)
{
	int found = inherited_named(opening->sockets, stream->name);

	if (found < 0)
		fail(STATUS_LAUNCHER,
		     "%s=fd:%s: no descriptor of that name was passed (LISTEN_FDS and LISTEN_FDNAMES); pass it, or name another",
		     names[stream->number], stream->name);
	return copy_of(stream, found);
}

/* As the user, since the journal takes from the kernel who connects. -1: there is no journal. */
static int connect_as_user(const struct plan *plan)
{
	int connection = -1;

	if (setegid(plan->gid) == 0 && seteuid(plan->uid) == 0)
		connection = open_socket(JOURNAL, NULL);
	if (seteuid(0) != 0 || setegid(0) != 0)
		fail_errno(errno, "cannot become root again");
	return connection;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* What the journal expects first: identifier, unit, priority, and what to do with lines (systemd's journald-stream.c). */
static void introduce(const struct opening *opening, const struct stream *stream, int connection)
{
	if (dprintf(connection, "%s\n\n%u\n%d\n0\n%d\n%d\n",
		    stream->identifier != NULL ? stream->identifier : base_name(opening->program), stream->priority,
		    stream->level_prefix, stream->to_kernel, stream->to_console) < 0)
		fail_errno(errno, "%s=: cannot write to the journal", names[stream->number]);
}

static void announce(struct opening *opening, int connection)
{
	struct stat status;

	if (fstat(connection, &status) != 0 ||
	    asprintf(&opening->variable, "JOURNAL_STREAM=%llu:%llu", (unsigned long long)status.st_dev,
		     (unsigned long long)status.st_ino) < 0)
		fail_errno(errno, "cannot tell the service of the journal");
}

/* -1: without a journal the stream stays as it is, for whoever supervises the launcher. */
static int open_journal(struct opening *opening, const struct stream *stream)
{
	const struct stream *present = opening->journal;
	int connection, size = JOURNAL_BUFFER_BYTES;

	if (present != NULL && present->to_kernel == stream->to_kernel && present->to_console == stream->to_console)
		return copy_of(stream, (int)present->number);
	connection = connect_as_user(opening->plan);
	if (connection < 0)
		return -1;
	if (shutdown(connection, SHUT_RD) != 0)
		fail_errno(errno, "%s=: cannot connect to the journal", names[stream->number]);
	/* Fails if the launcher does not have the capability for it; then the size is the usual one. */
	(void)setsockopt(connection, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	introduce(opening, stream, connection);
	opening->journal = stream;
	announce(opening, connection);
	return connection;
}

static int open_stream(struct opening *opening, const struct stream *stream)
{
	switch (stream->kind) {
	case STREAM_NULL:
		return open_null(stream);
	case STREAM_FILE:
		return open_path(stream, opening->plan->umask);
	case STREAM_DATA:
		return make_data(stream);
	case STREAM_TERMINAL:
		return terminal_open(names[stream->number], stream->path,
				     stream->number == STDIN_FILENO ? O_RDWR : O_WRONLY, stream->control);
	case STREAM_SOCKET:
		return take_socket(opening, stream);
	case STREAM_NAMED:
		return take_named(opening, stream);
	case STREAM_JOURNAL:
		return open_journal(opening, stream);
	case STREAM_COPY:
		return copy_of(stream, (int)stream->from);
	}
	return -1;
}

char *streams_open(const struct plan *plan, unsigned int sockets, const char *program)
{
	struct opening opening = { .plan = plan, .sockets = sockets, .program = program };

	if (plan->has_terminal)
		terminal_prepare(&plan->terminal);
	for (size_t i = 0; i < plan->streams_count; i++) {
		const struct stream *stream = &plan->streams[i];
		int opened = open_stream(&opening, stream);

		if (opened < 0)
			continue;
		if (stream->number == STDERR_FILENO)
			fail_keep_stream();
		if (dup2(opened, (int)stream->number) < 0)
			fail_errno(errno, "%s=: cannot be used as descriptor %u", names[stream->number],
				   stream->number);
		(void)close(opened);
	}
	return opening.variable;
}
