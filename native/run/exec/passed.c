/* See passed.h. */
#include "passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "environment.h"
#include "inherited.h"
#include "open_file.h"

static const int accesses[] = { O_RDONLY, O_RDWR };

/* A connection is the service's standard stream, and not to be taken for a socket that listens. */
static bool has_socket_stream(const struct plan *plan)
{
	for (size_t i = 0; i < plan->streams_count; i++) {
		if (plan->streams[i].kind == STREAM_SOCKET)
			return true;
	}
	return false;
}

/* Above all numbers at which descriptors are passed. */
static int open_above(const struct open_file *file, int least)
{
	int flags = accesses[file->access] | (file->append ? O_APPEND : 0) | (file->truncate ? O_TRUNC : 0);
	int opened = open_file_of("OpenFile", file->path, flags, 0, NULL);
	int moved = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, least);

	if (moved >= 0) {
		(void)close(opened);
		return moved;
	}
	if (!file->optional)
		fail_errno(errno, "OpenFile=: cannot open %s", file->path);
	say("OpenFile=: cannot open %s: %s; it is left out", file->path, fail_words(errno));
	return -1;
}

void passed_open(const struct plan *plan, unsigned int sockets, struct passed *passed)
{
	int least;

	passed->files = 0;
	passed->sockets = has_socket_stream(plan) ? 0 : sockets;
	least = inherited_socket(sockets) + (int)plan->open_files_count;
	for (size_t i = 0; i < plan->open_files_count; i++) {
		int opened = open_above(&plan->open_files[i], least);

		if (opened < 0)
			continue;
		passed->names[passed->files] = plan->open_files[i].name;
		passed->descriptors[passed->files++] = opened;
	}
}

/* Names, one for each socket: as they were passed, or what systemd calls those without one. */
static void write_socket_names(FILE *text, unsigned int sockets)
{
	const char *names = getenv("LISTEN_FDNAMES");
	unsigned int count = names == NULL ? 0 : 1;

	for (const char *at = names; at != NULL && *at != '\0'; at++)
		count += *at == ':';
	if (count == sockets)
		(void)fputs(names == NULL ? "" : names, text);
	for (unsigned int i = 0; count != sockets && i < sockets; i++)
		(void)fprintf(text, "%sunknown", i == 0 ? "" : ":");
}

static char *name_all(const struct passed *passed)
{
	char *names = NULL;
	size_t size;
	FILE *text = open_memstream(&names, &size);

	if (text == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	(void)fputs("LISTEN_FDNAMES=", text);
	write_socket_names(text, passed->sockets);
	for (unsigned int i = 0; i < passed->files; i++)
		(void)fprintf(text, "%s%s", passed->sockets + i == 0 ? "" : ":", passed->names[i]);
	if (fclose(text) != 0)
		fail(STATUS_LAUNCHER, "out of memory");
	return names;
}

static char *count_variable(const char *name, unsigned long number)
{
	char *variable = NULL;

	if (asprintf(&variable, "%s=%lu", name, number) < 0)
		fail(STATUS_LAUNCHER, "out of memory");
	return variable;
}

char **passed_on(const struct passed *passed, const struct plan *plan, char **environment)
{
	int next = inherited_socket(passed->sockets);

	inherited_pass_on(passed->sockets);
	fail_move_stream(next + (int)passed->files);
	for (unsigned int i = 0; i < passed->files; i++) {
		/* Without FD_CLOEXEC. What had that number is the launcher's own, and no longer needed. */
		if (dup2(passed->descriptors[i], next + (int)i) < 0)
			fail_errno(errno, "OpenFile=: cannot pass %s", passed->names[i]);
	}
	if (passed->files == 0)
		return has_socket_stream(plan) ? environment_without_sockets(environment) : environment;
	environment = environment_with(plan, environment, count_variable("LISTEN_PID", (unsigned long)getpid()));
	environment =
		environment_with(plan, environment, count_variable("LISTEN_FDS", passed->sockets + passed->files));
	return environment_with(plan, environment, name_all(passed));
}
