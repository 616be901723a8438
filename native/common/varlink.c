/* A bounded client connection; see varlink.h. */
#include "varlink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define MS_PER_S 1000
#define US_PER_MS 1000

/*
 * Bounds the next connect(2) or send(2) by what is left of the deadline. Not by a non-blocking connect and poll(2): a unix socket whose
 * backlog is full answers that with EAGAIN, and there is nothing to poll for (connect(2), ERRORS), while a blocking connect waits for
 * its turn and honours SO_SNDTIMEO (socket(7)).
 */
static int bound_by_deadline(struct varlink *connection)
{
	int left = deadline_left(&connection->deadline);
	struct timeval timeout = { .tv_sec = left / MS_PER_S, .tv_usec = (left % MS_PER_S) * US_PER_MS };

	/* A timeout of zero would mean to wait for ever. */
	if (left == 0)
		return ETIMEDOUT;
	if (left == connection->bound)
		return 0;
	if (setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return errno;
	connection->bound = left;
	return 0;
}

static int connect_to(struct varlink *connection, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strnlen(path, sizeof(address.sun_path));

	if (length == sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	for (;;) {
		int error = bound_by_deadline(connection);

		if (error != 0)
			return error;
		if (connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			return 0;
		if (errno == EAGAIN)
			return ETIMEDOUT;
		/* A signal handler ran; a unix socket is then as it was before, so connecting again is right. */
		if (errno != EINTR)
			return errno;
	}
}

int varlink_open(struct varlink *connection, const char *path, struct varlink_bounds bounds, char *buffer, size_t size)
{
	int error;

	*connection = (struct varlink){
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.deadline = deadline_after(bounds.milliseconds),
		.buffer = buffer,
		.size = size,
		.budget = bounds.bytes,
	};
	if (connection->fd < 0)
		return errno;
	error = connect_to(connection, path);
	if (error != 0)
		varlink_close(connection);
	return error;
}

int varlink_send(struct varlink *connection, const char *message, size_t length)
{
	while (length > 0) {
		int error = bound_by_deadline(connection);
		ssize_t sent;

		if (error != 0)
			return error;
		/* MSG_NOSIGNAL: a peer that is gone must not kill a program that only asked who somebody is. */
		sent = send(connection->fd, message, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		message += sent;
		length -= (size_t)sent;
	}
	return 0;
}

/* Receives behind what the buffer has. EAGAIN: there is nothing yet. */
static int receive_now(struct varlink *connection)
{
	size_t room = connection->size - connection->end;
	ssize_t received = recv(connection->fd, connection->buffer + connection->end, room, MSG_DONTWAIT);

	if (received < 0)
		return errno == EINTR ? EAGAIN : errno;
	if (received == 0)
		return ECONNRESET;
	if ((size_t)received > connection->budget)
		return EMSGSIZE;
	connection->budget -= (size_t)received;
	connection->end += (size_t)received;
	return 0;
}

/* Waits until there is something to receive, and receives it. */
static int receive_some(struct varlink *connection)
{
	struct pollfd readable = { .fd = connection->fd, .events = POLLIN };
	int error;

	do {
		int left = deadline_left(&connection->deadline);

		if (left == 0)
			return ETIMEDOUT;
		if (poll(&readable, 1, left) < 0 && errno != EINTR)
			return errno;
		error = receive_now(connection);
	} while (error == EAGAIN);
	return error;
}

/* Moves what is not yet handed out to the front of the buffer, so that the rest of its message has room. */
static void make_room(struct varlink *connection)
{
	size_t kept = connection->end - connection->start;

	memmove(connection->buffer, connection->buffer + connection->start, kept);
	connection->scanned -= connection->start;
	connection->start = 0;
	connection->end = kept;
}

int varlink_receive(struct varlink *connection, const char **message, size_t *length)
{
	for (;;) {
		char *unread = connection->buffer + connection->scanned;
		char *nul = memchr(unread, '\0', connection->end - connection->scanned);
		int error;

		if (nul != NULL) {
			*message = connection->buffer + connection->start;
			*length = (size_t)(nul - *message);
			connection->start += *length + 1;
			connection->scanned = connection->start;
			return 0;
		}
		connection->scanned = connection->end;
		if (connection->start > 0 && connection->end == connection->size)
			make_room(connection);
		if (connection->end == connection->size)
			return EMSGSIZE;
		error = receive_some(connection);
		if (error != 0)
			return error;
	}
}

void varlink_close(struct varlink *connection)
{
	/* Not again after EINTR: Linux has released the descriptor by then (close(2), NOTES). */
	(void)close(connection->fd);
	connection->fd = -1;
}
