/* See idmap.h. */
#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "digits.h"

/* A pid and the longest name below it. */
#define NAME_BYTES 32
#define LINES_BYTES 96
/* The child calls three functions that need next to nothing. */
#define STACK_BYTES 16384

static int open_of_process(int proc, pid_t process, const char *file, int flags)
{
	char name[NAME_BYTES];

	(void)stpcpy(stpcpy(digits_put(name, (uint32_t)process, 10), "/"), file);
	return openat(proc, name, flags | O_CLOEXEC);
}

int idmap_write(int proc, pid_t process, const char *file, uint32_t inside, uint32_t outside)
{
	char lines[LINES_BYTES];
	char *end = lines;
	int descriptor, error;
	ssize_t written;

	/* Rows must not overlap (user_namespaces(7)): a row for root's own files is the only one. */
	if (inside != 0 && outside != 0)
		end = stpcpy(end, "0 0 1\n");
	end = stpcpy(digits_put(stpcpy(digits_put(end, inside, 10), " "), outside, 10), " 1\n");
	descriptor = open_of_process(proc, process, file, O_WRONLY);
	if (descriptor < 0)
		return -1;
	/* All of it in one write, and only once (user_namespaces(7)). */
	written = write(descriptor, lines, (size_t)(end - lines));
	error = errno;
	(void)close(descriptor);
	errno = error;
	return written > 0 ? 0 : -1;
}

/* Shares the memory of the launcher, so it must do nothing that changes any. */
static int wait_for_the_end(void *parent)
{
	/* A launcher that is killed meanwhile must leave nothing. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != *(pid_t *)parent)
		_exit(1);
	for (;;)
		(void)pause();
}

static int open_namespace(int proc, pid_t child, const struct id_map *map)
{
	if (idmap_write(proc, child, "uid_map", map->disk_uid, map->uid) != 0 ||
	    idmap_write(proc, child, "gid_map", map->disk_gid, map->gid) != 0)
		return -1;
	return open_of_process(proc, child, "ns/user", O_RDONLY);
}

static int make_namespace(int proc, const struct id_map *map)
{
	static char stack[STACK_BYTES] __attribute__((aligned(64)));
	static pid_t self;
	pid_t child;
	int namespace, error;

	self = getpid();
	/* CLONE_VM: no copy of page tables for a child that does nothing. */
	child = clone(wait_for_the_end, stack + sizeof(stack), CLONE_NEWUSER | CLONE_VM | SIGCHLD, &self);
	if (child < 0)
		return -1;
	namespace = open_namespace(proc, child, map);
	error = errno;
	/* A child that cannot be killed must not be waited for; it ends with the launcher. */
	if (kill(child, SIGKILL) != 0)
		return -1;
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
	errno = error;
	return namespace;
}

int idmap_namespace(struct idmaps *known, int proc, const struct id_map *map)
{
	int namespace;

	for (size_t i = 0; i < known->count; i++) {
		if (memcmp(&known->maps[i], map, sizeof(*map)) == 0)
			return known->namespaces[i];
	}
	namespace = make_namespace(proc, map);
	if (namespace >= 0 && known->count < IDMAPS_MAX) {
		known->maps[known->count] = *map;
		known->namespaces[known->count++] = namespace;
	}
	return namespace;
}
