/*
 * Owns the tests' varlink servers: one that serves the users of users.h as the daemon does, and those that a client
 * must survive. Each is a child process at the socket of a runtime directory.
 */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <sys/types.h>

#include "users.h"

/* Serves one client, connected as fd, which the server closes afterwards. */
typedef void behaviour(int fd);

struct server {
	pid_t pid;
};

/* Starts a server with that backlog (listen(2)); it is ready when this returns. */
struct server server_start(const struct runtime *runtime, behaviour *behave, int backlog);
void server_stop(const struct server *server);

/* Receives what a client asks, up to the NUL or its end. It has REQUEST_BYTES. */
#define REQUEST_BYTES 1024
void receive_request(int fd, char *request);
/* Sends all of it, as far as the client wants it. */
void send_all(int fd, const void *bytes, size_t length);
/* Sends text and the NUL. */
void send_message(int fd, const char *text);
/* A behaviour: the truth about the users of users.h. */
void serve_users(int fd);

#endif
