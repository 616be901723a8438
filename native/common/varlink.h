/*
 * A client connection to a varlink service, with every wait and every length bounded. It moves messages (JSON text, NUL-terminated on
 * the wire) without reading them. It never raises SIGPIPE, never allocates, and its descriptor is close-on-exec. Functions that can
 * fail return 0 or an errno number; errno itself is clobbered.
 */
#ifndef DYNUSER_VARLINK_H
#define DYNUSER_VARLINK_H

#include <stddef.h>

#include "deadline.h"

struct varlink {
	int fd;
	struct deadline deadline;
	/* where messages are received: the caller's memory, whose size bounds one message, NUL included */
	char *buffer;
	size_t size;
	/* the bytes that were received and not yet handed out, and up to where they hold no NUL */
	size_t start, end, scanned;
	/* how many more bytes the peer may send in all */
	size_t budget;
	/* what sending is bounded by already, in milliseconds; 0: by nothing */
	int bound;
};

/* The bounds of one connection. */
struct varlink_bounds {
	unsigned int milliseconds; /* from the start of connecting to the last byte of the last reply */
	size_t bytes;		   /* that the peer may send in all */
};

/*
 * Connects to the socket at path. buffer (size bytes, at least 1) must live until varlink_close(); it may be put
 * into the connection later, before anything is received.
 * Fails with ENOENT, ECONNREFUSED, EACCES and the like if there is no service, and ETIMEDOUT. Nothing is left open on failure.
 */
int varlink_open(struct varlink *connection, const char *path, struct varlink_bounds bounds, char *buffer, size_t size);

/* Sends one message of length bytes, the terminating NUL counted. ETIMEDOUT, EPIPE, ECONNRESET. */
int varlink_send(struct varlink *connection, const char *message, size_t length);

/*
 * Receives the next message: *message points into the buffer, until the next call; *length excludes the NUL.
 * ETIMEDOUT: the deadline passed. EMSGSIZE: longer than the buffer, or the budget is used up.
 * ECONNRESET: the peer closed before the message was whole.
 */
int varlink_receive(struct varlink *connection, const char **message, size_t *length);

/* Closes the connection; once for each varlink_open() that succeeded. */
void varlink_close(struct varlink *connection);

#endif
