/* See launch_reply.h. */
#include "launch_reply.h"

#include <string.h>

#include "plan_reader.h"

#define AT(structure, field) .offset = offsetof(struct structure, field)
#define PRESENT(structure, field) .present = offsetof(struct structure, field) + 1
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The parameters are read afterwards, when it is known whether they are those of an error. */
struct envelope {
	char *error;
	struct json_reader parameters;
	bool has_parameters;
	bool continues;
};

static bool keep_place(struct json_reader *reader, struct json_source *source, const struct json_field *field, void *place)
{
	struct json_reader *kept = place;

	(void)source;
	(void)field;
	*kept = *reader;
	return json_skip(reader);
}

static const struct json_field envelope_rows[] = {
	{ "error", FIELD_TEXT, true, AT(envelope, error) },
	{ "parameters", FIELD_CUSTOM, true, AT(envelope, parameters), PRESENT(envelope, has_parameters), .read = keep_place },
	{ "continues", FIELD_BOOLEAN, true, AT(envelope, continues) },
};

static const char *const launch_question_kind_words[] = { LAUNCH_QUESTION_KIND_WORDS, NULL };

#define QUESTION_ROW(...) FIELD_ROW(question, __VA_ARGS__),
static const struct json_field question_rows[] = { LAUNCH_QUESTION_FIELDS(QUESTION_ROW, , ) };

struct questions {
	struct json_source *source;
	struct reply *reply;
};

static bool read_question(struct json_reader *reader, void *context)
{
	static const struct json_fields fields = { question_rows, COUNT(question_rows), true };
	struct questions *questions = context;
	struct reply *reply = questions->reply;

	if (reply->question_count == QUESTIONS_MAX)
		return false;
	return json_fields_read(reader, questions->source, &fields, &reply->questions[reply->question_count++]);
}

static bool read_questions(struct json_reader *reader, struct json_source *source, const struct json_field *field, void *place)
{
	struct questions questions = { .source = source, .reply = place };

	(void)field;
	return json_array(reader, read_question, &questions);
}

static const struct json_field launch_rows[] = {
	{ "questions", FIELD_CUSTOM, true, .offset = 0, .read = read_questions },
	{ "plan", FIELD_CUSTOM, true, AT(reply, plan), PRESENT(reply, has_plan), .read = plan_field },
	{ "warnings", FIELD_TEXTS, true, AT(reply, warnings) },
	{ "explanation", FIELD_TEXTS, true, AT(reply, explanation) },
};

static const struct json_field error_rows[] = {
	{ "field", FIELD_TEXT, true, AT(reply, field) },
	{ "reason", FIELD_TEXT, true, AT(reply, reason) },
};

static bool read_parameters(struct json_reader *reader, struct json_source *source, struct reply *reply)
{
	static const struct json_fields launch = { launch_rows, COUNT(launch_rows), true };
	static const struct json_fields error = { error_rows, COUNT(error_rows), true };

	return json_fields_read(reader, source, reply->error == NULL ? &launch : &error, reply);
}

bool reply_read(char *message, size_t length, struct reply *reply, char *where, size_t size)
{
	static const struct json_fields fields = { envelope_rows, COUNT(envelope_rows), true };
	struct json_source source = { .text = message, .start = message };
	struct envelope envelope = { 0 };
	struct json_reader reader = json_read(message, length);
	bool sound = json_fields_read(&reader, &source, &fields, &envelope) && json_at_end(&reader);

	reply->error = envelope.error;
	reply->continues = envelope.continues;
	if (sound && envelope.has_parameters && !read_parameters(&envelope.parameters, &source, reply)) {
		/* Parameters of an error are only for its message, and may be any. */
		sound = reply->error != NULL;
		reply->field = reply->reason = NULL;
	}
	where[0] = '\0';
	(void)strncat(where, source.where, size - 1);
	return sound;
}
