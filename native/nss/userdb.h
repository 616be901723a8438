/*
 * Owns the questions to the varlink socket of the daemon (io.systemd.UserDatabase), one connection for each, closed
 * before the answer is given. Nothing is believed that was not checked, and nothing is waited for beyond bounds.h.
 *
 * The functions return 0, or
 *   ENOENT      there is no such user; or no daemon is there to ask: no socket, nobody listening, no right to connect,
 *               unix sockets filtered away
 *   ETIMEDOUT   it did not answer in time
 *   ECONNRESET  it closed before its answer was whole
 *   EPROTO      its answer cannot be used: broken, too long, or too many
 *   or another error of the kernel.
 */
#ifndef DYNUSER_NSS_USERDB_H
#define DYNUSER_NSS_USERDB_H

#include "reply.h"

/* Who has this name, or, if it is null, this number? Both are possible ones. */
struct query {
	enum record_kind kind;
	uid_t uid;
	const char *name;
};

/*
 * The user of a record, within so many milliseconds. A record of another user is not an answer: ENOENT. Before the daemon answers, it
 * looks whether the user still lives, and removes the links of one that does not.
 */
int userdb_find(const char *runtime, const struct query *query, unsigned int milliseconds, struct identity *who);

/* Takes one record of a list. */
typedef void userdb_visitor(const struct reply *reply, void *context);

/*
 * Calls visit for every membership of the user or, if that is null, in the group, both possible names: at most MEMBERSHIPS_MAX times.
 * Returns 0 also if there is none.
 */
int userdb_memberships(const char *runtime, const char *user, const char *group, userdb_visitor *visit, void *context);

/*
 * Calls visit for every user, at most LIST_RECORDS_MAX times, in the order of the daemon; replies are received in
 * size bytes at buffer. Records that are not a dynamic user's are passed over: one strange record must not hide the
 * others. Returns 0 also if there is no user. After an error, what was visited is not the whole list.
 */
int userdb_list(const char *runtime, enum record_kind kind, char *buffer, size_t size, userdb_visitor *visit,
		void *context);

#endif
