/*
 * Owns the reading of one varlink reply to GetUserRecord, GetGroupRecord or GetMemberships: bytes of a peer in, checked values out.
 * Pure. What the records may hold: systemd, docs/USER_RECORD.md and docs/GROUP_RECORD.md.
 */
#ifndef DYNUSER_NSS_REPLY_H
#define DYNUSER_NSS_REPLY_H

#include "identity.h"

/* Which record is asked for. */
enum record_kind {
	RECORD_USER,
	RECORD_GROUP,
	RECORD_MEMBERSHIP,
};

/* Who is in which group. */
struct membership {
	char user[DYNUSER_NAME_MAX + 1];
	char group[DYNUSER_NAME_MAX + 1];
};

struct reply {
	/* an error reply: the service has no such record, or none to give */
	bool is_error;
	/* more replies to the same call follow */
	bool continues;
	/* the record is one of a dynamic user, or a membership with two possible names; then one of the two has it */
	bool has_record;
	struct identity who;
	struct membership membership;
};

/*
 * Reads length bytes at text. False: this is not such a reply (not JSON, a type that is wrong, a member that we read
 * there twice, no record and no error). A record of which the number or a name cannot be a dynamic user's, or whose
 * GID is not its UID, is a reply without a record.
 */
bool reply_read(const char *text, size_t length, enum record_kind kind, struct reply *reply);

#endif
