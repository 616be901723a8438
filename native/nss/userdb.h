/*
 * Owns the questions to the varlink socket of the daemon (io.systemd.UserDatabase), one connection for each, closed
 * before the answer is given. Nothing is believed that was not checked, and nothing is waited for beyond bounds.h.
 *
 * The functions return 0, or
 *   ENOENT      there is no such user; or no daemon is there to ask: no socket, nobody listening, no right to connect,
 *               unix sockets filtered away
 *   ETIMEDOUT   it did not answer in time
 *   ECONNRESET  it closed before its answer was whole
 *   EPROTO      its answer is none: broken, too long, or too many
 *   or what else the kernel said.
 */
#ifndef DYNUSER_NSS_USERDB_H
#define DYNUSER_NSS_USERDB_H

#include "reply.h"

/* The record of a number that is possible. A record of another number is no answer: ENOENT. */
int userdb_by_uid(const char *runtime, enum record_kind kind, uid_t uid, struct identity *who);

/* The same by a name that is possible. */
int userdb_by_name(const char *runtime, enum record_kind kind, const char *name, struct identity *who);

/* Takes one user of a list. */
typedef void userdb_visitor(const struct identity *who, void *context);

/*
 * Calls visit for every user, at most LIST_RECORDS_MAX times, in the order of the daemon; replies are received in
 * size bytes at buffer. Records that are no dynamic user's are passed over: one strange record must not hide the
 * others. No user at all is 0. After an error, what was visited is not the whole list.
 */
int userdb_list(const char *runtime, enum record_kind kind, char *buffer, size_t size, userdb_visitor *visit,
		void *context);

#endif
