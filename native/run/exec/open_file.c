/* One component after the other, each by openat(2) without following; see open_file.h. */
#include "open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/fail.h"
#include "descriptor.h"

/* As many as the kernel follows (path_resolution(7)). */
#define LINKS_MAX 40U
/* "/proc/self/fd/", a number, and a slash. */
#define MAGIC_BYTES 32
/* No descriptor: the walk continues at the target. */
#define LINK_FOLLOWED (-2)
/* How long a socket is waited for, as long as systemd gives a start (TimeoutStartSec=). */
#define WAIT_SECONDS 90

struct walk {
	/* what is still to be walked, and room for the targets of symlinks before it */
	char rest[2 * PATH_MAX];
	/* the symlink that was last seen */
	char link[NAME_MAX + 1];
	unsigned int links;
	int directory;
	/* of a connection to a socket */
	const char *from;
};

/* Takes the first component off the rest; false: nothing is left. */
static bool take_component(struct walk *walk, char *name)
{
	const char *from = walk->rest + strspn(walk->rest, "/");
	size_t size = strcspn(from, "/");

	if (size > NAME_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(name, from, size);
	name[size] = '\0';
	from += size;
	from += strspn(from, "/");
	memmove(walk->rest, from, strlen(from) + 1);
	errno = EISDIR;
	return size > 0;
}

static void step_to(struct walk *walk, int directory)
{
	close_quietly(walk->directory);
	walk->directory = directory;
}

/* Whether the symlink is one of proc(5) to something that is open, which has no path. */
static bool is_magic(int link)
{
	struct statfs file_system;

	return fstatfs(link, &file_system) == 0 && file_system.f_type == PROC_SUPER_MAGIC;
}

/* Puts the target of a symlink before the rest. */
static bool follow(struct walk *walk, int link)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(link, "", target, sizeof(target));
	size_t rest = strlen(walk->rest);

	if (length < 0)
		return false;
	if (++walk->links > LINKS_MAX || (size_t)length + rest + 2 > sizeof(walk->rest)) {
		errno = ELOOP;
		return false;
	}
	memmove(walk->rest + length + 1, walk->rest, rest + 1);
	memcpy(walk->rest, target, (size_t)length);
	walk->rest[length] = '/';
	if (rest == 0)
		walk->rest[length] = '\0';
	if (target[0] != '/')
		return true;
	step_to(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
	return walk->directory >= 0;
}

static int connect_at(const struct walk *walk, const char *name)
{
	char path[MAGIC_BYTES];
	int socket = openat(walk->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), connection;

	if (socket < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", socket);
	connection = open_socket(path, walk->from);
	close_quietly(socket);
	return connection;
}

static int open_component(const struct walk *walk, const char *name, int flags, mode_t mode)
{
	int file = openat(walk->directory, name, flags | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, mode);

	if (file >= 0 || errno != ENXIO)
		return file;
	/* It may be a socket (open(2), ENXIO); for anything else that stays the error. */
	file = connect_at(walk, name);
	if (file < 0 && (errno == ENOTSOCK || errno == EINVAL || errno == ECONNREFUSED))
		errno = ENXIO;
	return file;
}

/* Follows the symlink of that name: opens what it leads to, or puts its target before the rest (LINK_FOLLOWED). */
static int pass_link(struct walk *walk, const char *name, int flags, const char **link)
{
	int found = openat(walk->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), result = -1;
	struct stat status;

	if (found < 0 || fstat(found, &status) != 0) {
		close_quietly(found);
		return -1;
	}
	if (!S_ISLNK(status.st_mode)) {
		errno = ENOTDIR;
	} else if (status.st_uid != 0) {
		(void)stpcpy(walk->link, name);
		*link = walk->link;
		errno = ELOOP;
	} else if (is_magic(found)) {
		result = openat(walk->directory, name, flags | O_NOCTTY | O_CLOEXEC);
	} else if (follow(walk, found)) {
		result = LINK_FOLLOWED;
	}
	close_quietly(found);
	return result;
}

static int walk_to(struct walk *walk, int flags, mode_t mode, const char **link)
{
	char name[NAME_MAX + 1];

	while (take_component(walk, name)) {
		bool is_last = walk->rest[0] == '\0';
		int how = is_last ? flags : O_PATH | O_DIRECTORY;
		int found = open_component(walk, name, how, mode);

		/* The errors for a symlink: ENOTDIR if a directory was expected. */
		if (found < 0 && (errno == ELOOP || errno == ENOTDIR))
			found = pass_link(walk, name, how, link);
		if (found == LINK_FOLLOWED)
			continue;
		if (found < 0 || is_last)
			return found;
		step_to(walk, found);
	}
	return -1;
}

int open_file(const char *path, int flags, mode_t mode, const char *from, const char **link)
{
	static struct walk walk;
	mode_t mask = umask(0);
	int file;

	*link = NULL;
	walk.links = 0;
	walk.from = from;
	walk.directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if ((size_t)snprintf(walk.rest, PATH_MAX, "%s", path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		file = -1;
	} else {
		file = walk.directory < 0 ? -1 : walk_to(&walk, flags, mode, link);
	}
	close_quietly(walk.directory);
	(void)umask(mask);
	return file;
}

int open_file_of(const char *property, const char *path, int flags, mode_t mode, const char *from)
{
	const char *link;
	int file = open_file(path, flags, mode, from, &link);

	if (link != NULL)
		fail(STATUS_LAUNCHER,
		     "%s=: %s leads through the symlink \"%s\", which is not root's, and root must not follow it; name the file itself",
		     property, path, link);
	return file;
}

static bool bind_to(int connection, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);

	if (length >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	/* Abstract names begin with a NUL, and end with the address (unix(7)). */
	memcpy(address.sun_path + 1, name, length);
	return bind(connection, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) == 0;
}

static bool set_bound(int connection, int option, time_t seconds)
{
	const struct timeval bound = { .tv_sec = seconds };

	return setsockopt(connection, SOL_SOCKET, option, &bound, sizeof(bound)) == 0;
}

bool socket_bound_reading(int connection)
{
	return set_bound(connection, SO_RCVTIMEO, WAIT_SECONDS);
}

int open_socket(const char *path, const char *from)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int connection;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)stpcpy(address.sun_path, path);
	connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Whoever listens may have no room: connect(2) waits as long as send(2) may. */
	if (connection >= 0 &&
	    (!set_bound(connection, SO_SNDTIMEO, WAIT_SECONDS) || (from != NULL && !bind_to(connection, from)) ||
	     connect(connection, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	     !set_bound(connection, SO_SNDTIMEO, 0))) {
		close_quietly(connection);
		connection = -1;
	}
	return connection;
}
