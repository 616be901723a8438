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

#define ENVELOPE_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	OPTIONAL("error", error, TEXT) \
	MARKED("parameters", parameters, .kind = FIELD_CUSTOM, .read = keep_place) \
	OPTIONAL("continues", continues, BOOLEAN)
static JSON_READER(read_envelope, envelope, ENVELOPE_FIELDS, true);

static JSON_READER(read_question, question, LAUNCH_QUESTION_FIELDS, true);
static const struct json_list questions_list = { 0, QUESTIONS_MAX, .read = read_question };

#define PROGRESS_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("publicPath", path, TEXT) \
	REQUIRED("inodes", inodes, NUMBER) \
	REQUIRED("changed", changed, NUMBER)
static JSON_READER(read_progress, progress, PROGRESS_FIELDS, true);

#define LAUNCH_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	MARKED("progress", progress, OBJECT(progress)) \
	MARKED("image", image, OBJECT(image)) \
	OPTIONAL("questions", questions, LIST(questions, struct question)) \
	OPTIONAL("skipped", skipped, TEXT) \
	MARKED("plan", plan, OBJECT(plan)) \
	OPTIONAL("warnings", warnings, TEXTS) \
	OPTIONAL("explanation", explanation, TEXTS)
static JSON_READER(read_launch, reply, LAUNCH_FIELDS, true);

#define ERROR_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	OPTIONAL("field", field, TEXT) \
	OPTIONAL("reason", reason, TEXT) \
	OPTIONAL("parameter", parameter, TEXT)
static JSON_READER(read_error, reply, ERROR_FIELDS, true);

bool reply_read(char *message, size_t length, struct reply *reply, char *where, size_t size)
{
	struct json_source source = { .text = message };
	struct envelope envelope = { 0 };
	struct json_reader reader = json_read(message, length);
	bool sound = read_envelope(&reader, &source, &envelope) && json_at_end(&reader);

	reply->error = envelope.error;
	reply->continues = envelope.continues;
	json_field_reader *read_parameters = reply->error == NULL ? read_launch : read_error;

	if (sound && envelope.has_parameters && !read_parameters(&envelope.parameters, &source, reply)) {
		/* The parameters of an error are only for its message, and need not match. */
		sound = reply->error != NULL;
		reply->field = reply->reason = reply->parameter = NULL;
	}
	where[0] = '\0';
	(void)strncat(where, source.where, size - 1);
	return sound;
}
