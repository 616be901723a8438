/* Servers for tests; see server.h. */
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define RECORD_BYTES 512
#define METHOD "{\"method\":\"io.systemd.UserDatabase.Get%sRecord\",\"parameters\":{"
#define SERVICE "\"service\":\"io.dynuser.DynamicUser\"}"
#define NO_RECORD "{\"error\":\"io.systemd.UserDatabase.NoRecordFound\",\"parameters\":{}}"

void send_all(int fd, const void *bytes, size_t length)
{
	const char *rest = bytes;

	while (length > 0) {
		ssize_t sent = send(fd, rest, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		rest += sent;
		length -= (size_t)sent;
	}
}

void send_message(int fd, const char *text)
{
	send_all(fd, text, strlen(text) + 1);
}

static void send_record(int fd, bool group, const struct identity *who, const char *continues)
{
	char text[RECORD_BYTES];

	if (group)
		(void)snprintf(text, sizeof(text),
			       "{\"parameters\":{\"record\":{\"groupName\":\"%s\",\"gid\":%u,\"description\":"
			       "\"Dynamic Group\",\"disposition\":\"dynamic\",\"service\":\"%s\"}}%s}",
			       who->name, who->uid, DYNUSER_SERVICE, continues);
	else
		(void)snprintf(text, sizeof(text),
			       "{\"parameters\":{\"record\":{\"userName\":\"%s\",\"uid\":%u,\"gid\":%u,\"realName\":"
			       "\"Dynamic User\",\"homeDirectory\":\"/\",\"shell\":\"/usr/sbin/nologin\",\"locked\":"
			       "true,\"disposition\":\"dynamic\",\"service\":\"%s\"}}%s}",
			       who->name, who->uid, who->uid, DYNUSER_SERVICE, continues);
	send_message(fd, text);
}

/* The requests that the module may send, to the byte: for a number, for a name, for all. */
static bool asks_for_number(const char *request, bool group, uid_t uid)
{
	char expected[REQUEST_BYTES];

	(void)snprintf(expected, sizeof(expected), METHOD "\"%s\":%u," SERVICE "}", group ? "Group" : "User",
		       group ? "gid" : "uid", uid);
	return strcmp(request, expected) == 0;
}

static bool asks_for_name(const char *request, bool group, const char *name)
{
	char expected[REQUEST_BYTES];

	(void)snprintf(expected, sizeof(expected), METHOD "\"%s\":\"%s\"," SERVICE "}", group ? "Group" : "User",
		       group ? "groupName" : "userName", name);
	return strcmp(request, expected) == 0;
}

static bool asks_for_all(const char *request, bool group)
{
	char expected[REQUEST_BYTES];

	(void)snprintf(expected, sizeof(expected), METHOD SERVICE ",\"more\":true}", group ? "Group" : "User");
	return strcmp(request, expected) == 0;
}

static bool serve_kind(int fd, const char *request, bool group)
{
	bool all = asks_for_all(request, group);

	for (size_t i = 0; i < USERS; i++) {
		if (all)
			send_record(fd, group, &users[i], i + 1 < USERS ? ",\"continues\":true" : "");
		else if (asks_for_number(request, group, users[i].uid) ||
			 asks_for_name(request, group, users[i].name)) {
			send_record(fd, group, &users[i], "");
			return true;
		}
	}
	return all;
}

void receive_request(int fd, char *request)
{
	size_t length = 0;

	memset(request, 0, REQUEST_BYTES);
	while (length < REQUEST_BYTES - 1 && memchr(request, '\0', length) == NULL) {
		ssize_t received = recv(fd, request + length, REQUEST_BYTES - 1 - length, 0);

		if (received <= 0)
			return;
		length += (size_t)received;
	}
}

void serve_users(int fd)
{
	char request[REQUEST_BYTES];

	receive_request(fd, request);
	if (!serve_kind(fd, request, false) && !serve_kind(fd, request, true))
		send_message(fd, NO_RECORD);
}

static void serve(int listener, behaviour *behave)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		behave(fd);
		(void)close(fd);
	}
}

struct server server_start(const struct runtime *runtime, behaviour *behave, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct server server;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", runtime->path, DYNUSER_SOCKET);
	(void)unlink(address.sun_path);
	CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "%m");
	CHECK(chmod(address.sun_path, 0666) == 0 && listen(listener, backlog) == 0, "%m");
	server.pid = fork();
	CHECK(server.pid >= 0, "%m");
	if (server.pid == 0) {
		/* A test that fails exits at once; its server must not stay. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener, behave);
	}
	CHECK(close(listener) == 0, "%m");
	return server;
}

void server_stop(const struct server *server)
{
	CHECK(kill(server->pid, SIGKILL) == 0 && waitpid(server->pid, NULL, 0) == server->pid, "%m");
}
