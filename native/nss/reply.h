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
};

struct reply {
	/* an error reply: the service has no such record, or none to give */
	bool is_error;
	/* more replies to the same call follow */
	bool continues;
	/* the record is one of a dynamic user, and who is that user */
	bool has_identity;
	struct identity who;
};

/*
 * Reads length bytes at text. False: this is no such reply (no JSON, a type that is wrong, a member that we read
 * there twice, no record and no error). A record of which the number or the name cannot be a dynamic user's, or whose
 * GID is not its UID, is a reply without identity.
 */
bool reply_read(const char *text, size_t length, enum record_kind kind, struct reply *reply);

/* Who is in which group. */
struct membership {
	char user[DYNUSER_NAME_MAX + 1];
	char group[DYNUSER_NAME_MAX + 1];
};

struct membership_reply {
	bool is_error;
	bool continues;
	/* both names are possible ones */
	bool has_membership;
	struct membership membership;
};

/* The same for a reply to GetMemberships. */
bool reply_read_membership(const char *text, size_t length, struct membership_reply *reply);

#endif
