/*
 * Owns the reading of one varlink reply to GetUserRecord or GetGroupRecord: bytes of a peer in, checked values out.
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

#endif
