/* See reply.h. */
#include "reply.h"

#include <string.h>

#include "json.h"

/* Longer than any known error name; a longer one is an error, too. */
#define ERROR_NAME_BYTES 128U

/* What was read so far. JSON_BROKEN as fit: not yet. */
struct number {
	bool seen;
	enum json_fit fit;
	uint32_t value;
};

struct record {
	enum record_kind kind;
	struct number uid, gid;
	bool name_seen;
	enum json_fit name_fit;
	char name[DYNUSER_NAME_MAX + 1];
};

/* One name of a membership. JSON_BROKEN as fit: not yet. */
struct name {
	bool seen;
	enum json_fit fit;
};

struct envelope {
	struct record record;
	struct name user, group;
	struct membership membership;
	json_member *parameters;
	bool error_seen, continues_seen, parameters_seen, record_seen;
	bool continues;
};

/* True once, so that a repeated member is refused: nobody knows which of the two is meant. */
static bool first_time(bool *seen)
{
	bool first = !*seen;

	*seen = true;
	return first;
}

static bool read_number(struct json_reader *reader, struct number *number)
{
	if (!first_time(&number->seen))
		return false;
	number->fit = json_uint32(reader, &number->value);
	return number->fit != JSON_BROKEN;
}

static bool record_member(struct json_reader *reader, const char *key, void *context)
{
	struct record *record = context;
	bool user = record->kind == RECORD_USER;

	if (strcmp(key, user ? "userName" : "groupName") == 0) {
		if (!first_time(&record->name_seen))
			return false;
		record->name_fit = json_string(reader, record->name, sizeof(record->name));
		return record->name_fit != JSON_BROKEN;
	}
	if (user && strcmp(key, "uid") == 0)
		return read_number(reader, &record->uid);
	if (strcmp(key, "gid") == 0)
		return read_number(reader, &record->gid);
	return json_skip(reader);
}

static bool parameters_member(struct json_reader *reader, const char *key, void *context)
{
	struct envelope *envelope = context;

	if (strcmp(key, "record") == 0)
		return first_time(&envelope->record_seen) && json_object(reader, record_member, &envelope->record);
	return json_skip(reader);
}

static bool envelope_member(struct json_reader *reader, const char *key, void *context)
{
	struct envelope *envelope = context;
	char error[ERROR_NAME_BYTES];

	if (strcmp(key, "error") == 0)
		return first_time(&envelope->error_seen) && json_string(reader, error, sizeof(error)) != JSON_BROKEN;
	if (strcmp(key, "continues") == 0)
		return first_time(&envelope->continues_seen) && json_boolean(reader, &envelope->continues);
	if (strcmp(key, "parameters") == 0)
		return first_time(&envelope->parameters_seen) && json_object(reader, envelope->parameters, envelope);
	return json_skip(reader);
}

/* Whether the record is of a dynamic user. A group has one number; the second one of a user may be missing. */
static bool record_identity(const struct record *record, struct identity *who)
{
	const struct number *number = record->kind == RECORD_USER ? &record->uid : &record->gid;

	if (number->fit != JSON_FIT || !uid_is_possible(number->value))
		return false;
	if (record->gid.seen && (record->gid.fit != JSON_FIT || record->gid.value != number->value))
		return false;
	if (record->name_fit != JSON_FIT || !name_is_possible(record->name))
		return false;
	*who = identity_of(number->value, record->name);
	return true;
}

bool reply_read(const char *text, size_t length, enum record_kind kind, struct reply *reply)
{
	struct json_reader reader = json_read(text, length);
	struct envelope envelope = { .record = { .kind = kind }, .parameters = parameters_member };

	if (!json_object(&reader, envelope_member, &envelope) || !json_at_end(&reader))
		return false;
	if (!envelope.error_seen && !envelope.record_seen)
		return false;
	*reply = (struct reply){ .is_error = envelope.error_seen, .continues = envelope.continues };
	reply->has_identity = !reply->is_error && record_identity(&envelope.record, &reply->who);
	return true;
}

static bool read_name(struct json_reader *reader, struct name *name, char text[DYNUSER_NAME_MAX + 1])
{
	if (!first_time(&name->seen))
		return false;
	name->fit = json_string(reader, text, DYNUSER_NAME_MAX + 1);
	return name->fit != JSON_BROKEN;
}

static bool membership_member(struct json_reader *reader, const char *key, void *context)
{
	struct envelope *envelope = context;

	if (strcmp(key, "userName") == 0)
		return read_name(reader, &envelope->user, envelope->membership.user);
	if (strcmp(key, "groupName") == 0)
		return read_name(reader, &envelope->group, envelope->membership.group);
	return json_skip(reader);
}

bool reply_read_membership(const char *text, size_t length, struct membership_reply *reply)
{
	struct json_reader reader = json_read(text, length);
	struct envelope envelope = { .parameters = membership_member };

	if (!json_object(&reader, envelope_member, &envelope) || !json_at_end(&reader))
		return false;
	if (!envelope.error_seen && !(envelope.user.seen && envelope.group.seen))
		return false;
	*reply = (struct membership_reply){
		.is_error = envelope.error_seen,
		.continues = envelope.continues,
		.membership = envelope.membership,
	};
	reply->has_membership = !reply->is_error && envelope.user.fit == JSON_FIT && envelope.group.fit == JSON_FIT &&
				name_is_possible(envelope.membership.user) &&
				name_is_possible(envelope.membership.group);
	return true;
}
