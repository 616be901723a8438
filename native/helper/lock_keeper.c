/* See lock_keeper.h. One loop, one connection, a table: whatever a peer sends that is not understood changes nothing. */
#include "lock_keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "descriptor.h"
#include "protocol.h"
#include "role.h"

#define STORE "FDSTORE=1\nFDNAME=uid-"
#define REMOVE "FDSTOREREMOVE=1\nFDNAME=uid-"
#define NAME "uid-%u"
#define END "END"
#define MS_PER_S 1000
#define US_PER_MS 1000

struct kept {
	uint32_t uid;
	int descriptor;
};

static struct kept locks[KEEPER_LOCKS_MAX];
static size_t count;

struct keeper {
	const char *path;
	struct stat socket;
	int listener;
	/* -1: nobody is connected */
	int connection;
};

static void forget(uint32_t uid)
{
	for (size_t i = 0; i < count; i++) {
		if (locks[i].uid == uid) {
			close(locks[i].descriptor);
			locks[i] = locks[--count];
			return;
		}
	}
}

static void keep(uint32_t uid, int descriptor)
{
	forget(uid);
	if (count == KEEPER_LOCKS_MAX)
		close(descriptor);
	else
		locks[count++] = (struct kept){ uid, descriptor };
}

/* The number of a message of one kind, without its last LF. */
static bool parse_message(char *text, size_t length, const char *kind, uint32_t *uid)
{
	size_t prefix = strlen(kind);

	if (length <= prefix || memcmp(text, kind, prefix) != 0 || text[length - 1] != '\n')
		return false;
	text[length - 1] = '\0';
	return strlen(text) == length - 1 && parse_id(text + prefix, uid);
}

/* Returns false if the connection has ended. */
static bool receive(int connection)
{
	char text[KEEPER_MESSAGE_MAX];
	int descriptor;
	ssize_t length = receive_message(connection, text, sizeof(text), MSG_DONTWAIT, &descriptor);
	uint32_t uid;

	/* ECONNRESET: the other side has ended without reading all. It is said once; what it sent is still there. */
	if (length <= 0)
		return length < 0 && (errno == EAGAIN || errno == ECONNRESET || errno == EPROTO);
	if (descriptor >= 0 && parse_message(text, (size_t)length, STORE, &uid)) {
		keep(uid, descriptor);
		return true;
	}
	if (descriptor >= 0)
		close(descriptor);
	else if (parse_message(text, (size_t)length, REMOVE, &uid))
		forget(uid);
	return true;
}

static bool send_all(int connection)
{
	char name[32];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), NAME, locks[i].uid);
		if (!send_message(connection, name, strlen(name), locks[i].descriptor))
			return false;
	}
	return send_message(connection, END, strlen(END), -1);
}

/* The path's directory is root's, and so is the socket; this is what the kernel says in any case. */
static bool is_own_user(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

static void serve(struct keeper *keeper, int connection)
{
	const struct timeval wait = { KEEPER_SEND_MS / MS_PER_S, KEEPER_SEND_MS % MS_PER_S * US_PER_MS };

	if (connection < 0)
		return;
	/* What a daemon has sent that has ended already is read all the same. */
	if (!is_own_user(connection) || setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
	    (!send_all(connection) && errno != EPIPE)) {
		close(connection);
		return;
	}
	/* There is one daemon: what the former one had sent was read before this one connected, or is lost with it. */
	close_quietly(keeper->connection);
	keeper->connection = connection;
}

static bool is_in_place(const struct keeper *keeper)
{
	struct stat now;

	return lstat(keeper->path, &now) == 0 && now.st_dev == keeper->socket.st_dev &&
	       now.st_ino == keeper->socket.st_ino;
}

static bool listen_at(struct keeper *keeper)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(keeper->path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, keeper->path, strlen(keeper->path));
	keeper->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* umask 077: nobody else can connect. What is at the path is of a keeper that is gone. */
	return keeper->listener >= 0 && (unlink(keeper->path) == 0 || errno == ENOENT) &&
	       bind(keeper->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	       listen(keeper->listener, 4) == 0 && lstat(keeper->path, &keeper->socket) == 0;
}

/* Reads all that is there, so that a daemon that ends has everything taken that it sent. */
static void read_connection(struct keeper *keeper)
{
	while (keeper->connection >= 0) {
		errno = 0;
		if (!receive(keeper->connection)) {
			close(keeper->connection);
			keeper->connection = -1;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static int loop(struct keeper *keeper)
{
	while (keeper->connection >= 0 || (count > 0 && is_in_place(keeper))) {
		struct pollfd events[] = { { .fd = keeper->listener, .events = POLLIN },
					   { .fd = keeper->connection, .events = POLLIN } };

		if (poll(events, 2, keeper->connection >= 0 ? -1 : KEEPER_LOOK_MS) < 0 && errno != EINTR)
			return EXIT_FAILURE;
		read_connection(keeper);
		if (events[0].revents != 0)
			serve(keeper, accept4(keeper->listener, NULL, NULL, SOCK_CLOEXEC));
	}
	if (is_in_place(keeper))
		(void)unlink(keeper->path);
	return EXIT_SUCCESS;
}

int lock_keeper_main(int argc, char **argv)
{
	struct keeper keeper = { .listener = -1, .connection = -1 };
	struct rlimit limit;

	if (argc != 1) {
		(void)fprintf(stderr, "dynuser-helper keep-locks is started by dynuserd alone\n");
		return EXIT_USAGE;
	}
	keeper.path = argv[0];
	/* The session and the signals of whoever started the daemon are not its business: it ends as lock_keeper.h says. */
	(void)setsid();
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* It needs no privilege: what it opens and unlinks is its own user's. */
	if (!role_take(ROLE_BARE) || !listen_at(&keeper))
		return EXIT_FAILURE;
	serve(&keeper, KEEPER_CONNECTION);
	return loop(&keeper);
}
