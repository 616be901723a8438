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

struct name {
	bool seen;
	enum json_fit fit;
	char text[DYNUSER_NAME_MAX + 1];
};

struct envelope {
	enum record_kind kind;
	struct number uid, gid;
	struct name user, group;
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

static bool read_name(struct json_reader *reader, struct name *name)
{
	if (!first_time(&name->seen))
		return false;
	name->fit = json_string(reader, name->text, sizeof(name->text));
	return name->fit != JSON_BROKEN;
}

static bool record_member(struct json_reader *reader, const char *key, void *context)
{
	struct envelope *envelope = context;
	bool is_membership = envelope->kind == RECORD_MEMBERSHIP;

	if ((is_membership || envelope->kind == RECORD_USER) && strcmp(key, "userName") == 0)
		return read_name(reader, &envelope->user);
	if ((is_membership || envelope->kind == RECORD_GROUP) && strcmp(key, "groupName") == 0)
		return read_name(reader, &envelope->group);
	if (envelope->kind == RECORD_USER && strcmp(key, "uid") == 0)
		return read_number(reader, &envelope->uid);
	if (!is_membership && strcmp(key, "gid") == 0)
		return read_number(reader, &envelope->gid);
	return json_skip(reader);
}

static bool parameters_member(struct json_reader *reader, const char *key, void *context)
{
	struct envelope *envelope = context;

	if (strcmp(key, "record") == 0)
		return first_time(&envelope->record_seen) && json_object(reader, record_member, envelope);
	return json_skip(reader);
}

static bool envelope_member(struct json_reader *reader, const char *key, void *context)
{
	struct envelope *envelope = context;
	/* A membership has no record around it. */
	json_member *parameters = envelope->kind == RECORD_MEMBERSHIP ? record_member : parameters_member;
	char error[ERROR_NAME_BYTES];

	if (strcmp(key, "error") == 0)
		return first_time(&envelope->error_seen) && json_string(reader, error, sizeof(error)) != JSON_BROKEN;
	if (strcmp(key, "continues") == 0)
		return first_time(&envelope->continues_seen) && json_boolean(reader, &envelope->continues);
	if (strcmp(key, "parameters") == 0)
		return first_time(&envelope->parameters_seen) && json_object(reader, parameters, envelope);
	return json_skip(reader);
}

static bool is_possible(const struct name *name)
{
	return name->fit == JSON_FIT && name_is_possible(name->text);
}

/* Whether the record is of a dynamic user. A group has one number; the second one of a user may be missing. */
static bool has_identity(const struct envelope *envelope)
{
	bool is_user = envelope->kind == RECORD_USER;
	const struct number *number = is_user ? &envelope->uid : &envelope->gid;

	return number->fit == JSON_FIT && uid_is_possible(number->value) &&
	       (!envelope->gid.seen || (envelope->gid.fit == JSON_FIT && envelope->gid.value == number->value)) &&
	       is_possible(is_user ? &envelope->user : &envelope->group);
}

bool reply_read(const char *text, size_t length, enum record_kind kind, struct reply *reply)
{
	struct json_reader reader = json_read(text, length);
	struct envelope envelope = { .kind = kind };
	bool is_membership = kind == RECORD_MEMBERSHIP;

	if (!json_object(&reader, envelope_member, &envelope) || !json_at_end(&reader))
		return false;
	if (!envelope.error_seen && !(is_membership ? envelope.user.seen && envelope.group.seen : envelope.record_seen))
		return false;
	*reply = (struct reply){ .is_error = envelope.error_seen, .continues = envelope.continues };
	if (reply->is_error)
		return true;
	reply->has_record =
		is_membership ? is_possible(&envelope.user) && is_possible(&envelope.group) : has_identity(&envelope);
	if (!reply->has_record)
		return true;
	if (kind == RECORD_USER)
		reply->who = identity_of(envelope.uid.value, envelope.user.text);
	if (kind == RECORD_GROUP)
		reply->who = identity_of(envelope.gid.value, envelope.group.text);
	if (is_membership) {
		memcpy(reply->membership.user, envelope.user.text, sizeof(envelope.user.text));
		memcpy(reply->membership.group, envelope.group.text, sizeof(envelope.group.text));
	}
	return true;
}
