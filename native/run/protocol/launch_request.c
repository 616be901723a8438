/* See launch_request.h. */
#include "launch_request.h"

#include <errno.h>
#include <string.h>

#include "cli/fail.h"
#include "utf8.h"

/* JSON is UTF-8 (RFC 8259, section 8.1). */
static void need_utf8(const char *option, const char *value)
{
	if (!utf8_is_well_formed(value, strlen(value)))
		fail(STATUS_LAUNCHER, "%s: '%s' is not UTF-8", option, value);
}

static void write_text(struct json_writer *writer, const char *option, const char *name, const char *value)
{
	if (value == NULL)
		return;
	need_utf8(option, value);
	json_write_raw(writer, ",");
	json_write_string(writer, name);
	json_write_raw(writer, ":");
	json_write_string(writer, value);
}

static void write_texts(struct json_writer *writer, const char *option, const char *name, const struct strings *list)
{
	if (list->count == 0)
		return;
	json_write_raw(writer, ",");
	json_write_string(writer, name);
	json_write_raw(writer, ":[");
	for (size_t i = 0; i < list->count; i++) {
		need_utf8(option, list->items[i]);
		json_write_raw(writer, i == 0 ? "" : ",");
		json_write_string(writer, list->items[i]);
	}
	json_write_raw(writer, "]");
}

static void write_parameters(struct json_writer *writer, const struct options *options, bool may_mount)
{
	json_write_raw(writer, may_mount ? "\"mayMount\":true" : "\"mayMount\":false");
	write_text(writer, "--unit", "unit", options->unit);
	write_texts(writer, "--property", "properties", &options->properties);
	write_texts(writer, "--setenv", "setEnvironment", &options->environment);
	write_text(writer, "--unit-file", "unitFile", options->unit_file);
	write_text(writer, "--instance", "instance", options->instance);
	if (options->clear_environment)
		json_write_raw(writer, ",\"inheritEnvironment\":false");
	if (options->ignore_unknown)
		json_write_raw(writer, ",\"ignoreUnknown\":true");
	if (options->untrusted)
		json_write_raw(writer, ",\"untrusted\":true");
	if (options->explain)
		json_write_raw(writer, ",\"explain\":true");
	if (options->isolation != ISOLATION_DEFAULT)
		json_write_raw(writer, options->isolation == ISOLATION_FULL ? ",\"isolation\":\"full\"" :
									      ",\"isolation\":\"bestEffort\"");
}

void launch_request_write(struct json_writer *writer, const struct options *options, bool may_mount, const struct answers *answers)
{
	json_write_end(writer);
	json_write_raw(writer, "{\"method\":\"io.dynuser.Allocator.Launch\",\"more\":true,\"parameters\":{");
	write_parameters(writer, options, may_mount);
	if (answers->text.length > 0) {
		json_write_raw(writer, ",\"answers\":[");
		json_write_bytes(writer, answers->text.text, answers->text.length);
		json_write_raw(writer, "]");
	}
	json_write_raw(writer, "}}");
	json_write_bytes(writer, "", 1);
	if (writer->error == EMSGSIZE)
		fail(STATUS_LAUNCHER, "the options have more than %u bytes", REQUEST_BYTES_MAX);
	if (writer->error != 0)
		fail_errno(writer->error, "cannot write the request");
}
