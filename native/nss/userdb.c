/* See userdb.h. */
#include "userdb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "varlink.h"

#define SOCKET_PATH_BYTES (RUNTIME_DIRECTORY_MAX + sizeof("/" DYNUSER_SOCKET))

/* The request for one record, or for all. Nothing in it needs an escape: names have a strict grammar. */
#define REQUEST_HEAD "{\"method\":\"io.systemd.UserDatabase.Get%sRecord\",\"parameters\":{"
#define REQUEST_TAIL "\"service\":\"" DYNUSER_SERVICE "\"}"

static const char *noun(enum record_kind kind)
{
	return kind == RECORD_USER ? "User" : "Group";
}

/*
 * Errors of connecting that mean that we have no daemon, which is not a failure: EAFNOSUPPORT and EPERM come from sandboxes that filter
 * socket(2) (systemd.exec(5), RestrictAddressFamilies=).
 */
static bool is_away(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ECONNREFUSED:
	case EACCES:
	case EPERM:
	case EAFNOSUPPORT:
	case EPROTOTYPE:
		return true;
	default:
		return false;
	}
}

static int connect_and_ask(struct varlink *connection, const char *runtime, struct varlink_bounds bounds,
			   const char *request, char *buffer, size_t size)
{
	char path[SOCKET_PATH_BYTES];
	int error;

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_SOCKET, runtime);
	error = varlink_open(connection, path, bounds, buffer, size);
	if (error != 0)
		return is_away(error) ? ENOENT : error;
	error = varlink_send(connection, request, strlen(request) + 1);
	if (error != 0)
		varlink_close(connection);
	return error == EPIPE ? ECONNRESET : error;
}

static int receive_reply(struct varlink *connection, enum record_kind kind, struct reply *reply)
{
	const char *text;
	size_t length;
	int error = varlink_receive(connection, &text, &length);

	if (error != 0)
		return error == EMSGSIZE ? EPROTO : error;
	return reply_read(text, length, kind, reply) ? 0 : EPROTO;
}

static bool is_asked_for(const struct query *query, const struct identity *who)
{
	return query->name == NULL ? who->uid == query->uid : strcmp(who->name, query->name) == 0;
}

int userdb_find(const char *runtime, const struct query *query, unsigned int milliseconds, struct identity *who)
{
	const struct varlink_bounds bounds = { .milliseconds = milliseconds, .bytes = REPLY_MAX };
	bool is_user = query->kind == RECORD_USER;
	char request[REQUEST_MAX], buffer[REPLY_MAX];
	struct varlink connection;
	struct reply reply;
	int error;

	if (query->name == NULL)
		(void)snprintf(request, sizeof(request), REQUEST_HEAD "\"%s\":%u," REQUEST_TAIL "}", noun(query->kind),
			       is_user ? "uid" : "gid", (unsigned int)query->uid);
	else
		(void)snprintf(request, sizeof(request), REQUEST_HEAD "\"%s\":\"%s\"," REQUEST_TAIL "}",
			       noun(query->kind), is_user ? "userName" : "groupName", query->name);
	error = connect_and_ask(&connection, runtime, bounds, request, buffer, sizeof(buffer));
	if (error != 0)
		return error;
	error = receive_reply(&connection, query->kind, &reply);
	varlink_close(&connection);
	if (error != 0)
		return error;
	/* We did not ask for more than one. */
	if (reply.continues)
		return EPROTO;
	if (!reply.has_record || !is_asked_for(query, &reply.who))
		return ENOENT;
	*who = reply.who;
	return 0;
}

/* Receives the replies up to the final one, so many at most. An error as the first reply: nobody is there. */
static int receive_list(struct varlink *connection, enum record_kind kind, size_t most, userdb_visitor *visit,
			void *context)
{
	for (size_t count = 0; count < most; count++) {
		struct reply reply;
		int error = receive_reply(connection, kind, &reply);

		if (error != 0)
			return error;
		/* An error after records: the list is not whole, and half a list is worse than none. */
		if (reply.is_error)
			return count == 0 && !reply.continues ? 0 : EPROTO;
		if (reply.has_record)
			visit(&reply, context);
		if (!reply.continues)
			return 0;
	}
	return EPROTO;
}

int userdb_list(const char *runtime, enum record_kind kind, char *buffer, size_t size, userdb_visitor *visit,
		void *context)
{
	const struct varlink_bounds bounds = { .milliseconds = LIST_WAIT_MS, .bytes = LIST_BYTES_MAX };
	char request[REQUEST_MAX];
	struct varlink connection;
	int error;

	(void)snprintf(request, sizeof(request), REQUEST_HEAD REQUEST_TAIL ",\"more\":true}", noun(kind));
	error = connect_and_ask(&connection, runtime, bounds, request, buffer, size);
	if (error != 0)
		return error;
	error = receive_list(&connection, kind, LIST_RECORDS_MAX, visit, context);
	varlink_close(&connection);
	return error;
}

int userdb_memberships(const char *runtime, const char *user, const char *group, userdb_visitor *visit, void *context)
{
	const struct varlink_bounds bounds = { .milliseconds = LOOKUP_WAIT_MS, .bytes = MEMBERSHIPS_MAX * REPLY_MAX };
	char request[REQUEST_MAX], buffer[REPLY_MAX];
	struct varlink connection;
	int error;

	(void)snprintf(
		request, sizeof(request),
		"{\"method\":\"io.systemd.UserDatabase.GetMemberships\",\"parameters\":{\"%s\":\"%s\"," REQUEST_TAIL
		",\"more\":true}",
		user != NULL ? "userName" : "groupName", user != NULL ? user : group);
	error = connect_and_ask(&connection, runtime, bounds, request, buffer, sizeof(buffer));
	if (error != 0)
		return error;
	error = receive_list(&connection, RECORD_MEMBERSHIP, MEMBERSHIPS_MAX, visit, context);
	varlink_close(&connection);
	return error;
}
