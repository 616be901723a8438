/* See launch_reply.h. */
#include "launch_reply.h"

#include <string.h>

#include "plan_reader.h"

/* The parameters are read afterwards, when it is known whether they are those of an error. */
struct envelope {
	char *error;
	struct json_reader parameters;
	bool has_parameters;
	bool continues;
};

static bool keep_place(struct json_reader *reader, struct json_source *source, void *place)
{
	struct json_reader *kept = place;

	(void)source;
	*kept = *reader;
	return json_skip(reader);
}

static const struct json_field envelope_rows[] = {
	FIELD_OPTIONAL_ROW(envelope, "error", error, TEXT),
	FIELD_MARKED_ROW(envelope, "parameters", parameters, .kind = FIELD_CUSTOM, .read = keep_place),
	FIELD_OPTIONAL_ROW(envelope, "continues", continues, BOOLEAN),
};

static const char *const launch_question_kind_words[] = { LAUNCH_QUESTION_KIND_WORDS, NULL };

#define QUESTION_ROW(...) FIELD_ROW(question, __VA_ARGS__),
#define QUESTION_OPTIONAL_ROW(...) FIELD_OPTIONAL_ROW(question, __VA_ARGS__),
#define QUESTION_MARKED_ROW(...) FIELD_MARKED_ROW(question, __VA_ARGS__),
static const struct json_field question_rows[] = { LAUNCH_QUESTION_FIELDS(QUESTION_ROW, QUESTION_OPTIONAL_ROW,
									  QUESTION_MARKED_ROW) };

static bool read_question(struct json_reader *reader, struct json_source *source, void *place)
{
	static const struct json_fields fields = JSON_FIELDS(question_rows, true);

	return json_fields_read(reader, source, &fields, place);
}

static const struct json_list questions_list = { 0, QUESTIONS_MAX, sizeof(struct question), read_question };

static const struct json_field progress_rows[] = {
	FIELD_ROW(progress, "publicPath", path, TEXT),
	FIELD_ROW(progress, "inodes", inodes, NUMBER),
	FIELD_ROW(progress, "changed", changed, NUMBER),
};

static bool read_progress(struct json_reader *reader, struct json_source *source, void *place)
{
	static const struct json_fields fields = JSON_FIELDS(progress_rows, true);

	return json_fields_read(reader, source, &fields, place);
}

static const struct json_field launch_rows[] = {
	FIELD_MARKED_ROW(reply, "progress", progress, .kind = FIELD_CUSTOM, .read = read_progress),
	FIELD_MARKED_ROW(reply, "image", image, .kind = FIELD_CUSTOM, .read = read_image),
	FIELD_OPTIONAL_ROW(reply, "questions", questions, LIST(questions)),
	FIELD_OPTIONAL_ROW(reply, "skipped", skipped, TEXT),
	FIELD_MARKED_ROW(reply, "plan", plan, .kind = FIELD_CUSTOM, .read = plan_read),
	FIELD_OPTIONAL_ROW(reply, "warnings", warnings, TEXTS),
	FIELD_OPTIONAL_ROW(reply, "explanation", explanation, TEXTS),
};

static const struct json_field error_rows[] = {
	FIELD_OPTIONAL_ROW(reply, "field", field, TEXT),
	FIELD_OPTIONAL_ROW(reply, "reason", reason, TEXT),
	FIELD_OPTIONAL_ROW(reply, "parameter", parameter, TEXT),
};

static bool read_parameters(struct json_reader *reader, struct json_source *source, struct reply *reply)
{
	static const struct json_fields launch = JSON_FIELDS(launch_rows, true);
	static const struct json_fields error = JSON_FIELDS(error_rows, true);

	return json_fields_read(reader, source, reply->error == NULL ? &launch : &error, reply);
}

bool reply_read(char *message, size_t length, struct reply *reply, char *where, size_t size)
{
	static const struct json_fields fields = JSON_FIELDS(envelope_rows, true);
	struct json_source source = { .text = message };
	struct envelope envelope = { 0 };
	struct json_reader reader = json_read(message, length);
	bool sound = json_fields_read(&reader, &source, &fields, &envelope) && json_at_end(&reader);

	reply->error = envelope.error;
	reply->continues = envelope.continues;
	if (sound && envelope.has_parameters && !read_parameters(&envelope.parameters, &source, reply)) {
		/* Parameters of an error are only for its message, and may be any. */
		sound = reply->error != NULL;
		reply->field = reply->reason = reply->parameter = NULL;
	}
	where[0] = '\0';
	(void)strncat(where, source.where, size - 1);
	return sound;
}
