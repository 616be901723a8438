/* Envelope and parameters of a reply; see launch_reply.h. */
#include "launch_reply.h"

#include <string.h>

#include "plan_reader.h"

#define AT(structure, field) .offset = offsetof(struct structure, field)
#define SEEN(structure, field) .seen = offsetof(struct structure, field) + 1
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The parameters are read in a second turn, when it is known whether they are those of an error. */
struct envelope {
	char *error;
	struct json_reader parameters;
	bool has_parameters;
	bool continues;
};

static bool keep_place(struct json_reader *reader, struct reading *reading, const struct member *member, void *place)
{
	struct json_reader *kept = place;

	(void)reading;
	(void)member;
	*kept = *reader;
	return json_skip(reader);
}

static const struct member envelope_rows[] = {
	{ "error", MEMBER_TEXT, true, AT(envelope, error) },
	{ "parameters", MEMBER_CUSTOM, true, AT(envelope, parameters), SEEN(envelope, has_parameters), .read = keep_place },
	{ "continues", MEMBER_BOOLEAN, true, AT(envelope, continues) },
};

static const char *const question_words[] = { "file", "directory", "glob", NULL };

static const struct member question_rows[] = {
	{ "kind", MEMBER_WORD, AT(question, kind), .words = question_words },
	{ "path", MEMBER_TEXT, AT(question, path) },
};

struct questions {
	struct reading *reading;
	struct reply *reply;
};

static bool read_question(struct json_reader *reader, void *context)
{
	static const struct members members = { question_rows, COUNT(question_rows), true };
	struct questions *questions = context;
	struct reply *reply = questions->reply;

	if (reply->question_count == QUESTIONS_MAX)
		return false;
	return members_read(reader, questions->reading, &members, &reply->questions[reply->question_count++]);
}

static bool read_questions(struct json_reader *reader, struct reading *reading, const struct member *member, void *place)
{
	struct questions questions = { .reading = reading, .reply = place };

	(void)member;
	return json_array(reader, read_question, &questions);
}

static const struct member launch_rows[] = {
	{ "questions", MEMBER_CUSTOM, true, .offset = 0, .read = read_questions },
	{ "plan", MEMBER_CUSTOM, true, AT(reply, plan), SEEN(reply, has_plan), .read = plan_member },
	{ "warnings", MEMBER_TEXTS, true, AT(reply, warnings) },
	{ "explanation", MEMBER_TEXTS, true, AT(reply, explanation) },
};

static const struct member error_rows[] = {
	{ "field", MEMBER_TEXT, true, AT(reply, field) },
	{ "reason", MEMBER_TEXT, true, AT(reply, reason) },
};

static bool read_parameters(struct json_reader *reader, struct reading *reading, struct reply *reply)
{
	static const struct members launch = { launch_rows, COUNT(launch_rows), true };
	static const struct members error = { error_rows, COUNT(error_rows), true };

	return members_read(reader, reading, reply->error == NULL ? &launch : &error, reply);
}

bool reply_read(char *message, size_t length, struct reply *reply, char *where, size_t size)
{
	static const struct members members = { envelope_rows, COUNT(envelope_rows), true };
	struct reading reading = { .text = message, .start = message };
	struct envelope envelope = { 0 };
	struct json_reader reader = json_read(message, length);
	bool sound = members_read(&reader, &reading, &members, &envelope) && json_at_end(&reader);

	reply->error = envelope.error;
	reply->continues = envelope.continues;
	if (sound && envelope.has_parameters && !read_parameters(&envelope.parameters, &reading, reply)) {
		/* An error's parameters are whatever its interface says, and only for words. */
		sound = reply->error != NULL;
		reply->field = reply->reason = NULL;
	}
	where[0] = '\0';
	(void)strncat(where, reading.where, size - 1);
	return sound;
}
