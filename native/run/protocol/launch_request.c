/* See launch_request.h. */
#include "launch_request.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/fail.h"
#include "digits.h"
#include "json.h"
#include "privileges/access_rules.h"

/* JSON is UTF-8 (RFC 8259, section 8.1). */
static void need_utf8(const char *option, const char *value)
{
	if (!json_is_utf8(value, strlen(value)))
		fail(STATUS_LAUNCHER, "%s: '%s' is not UTF-8", option, value);
}

static void write_text(struct json_writer *writer, const char *option, const char *name, const char *value)
{
	if (value != NULL)
		need_utf8(option, value);
	json_write_member(writer, name, value);
}

static void write_texts(struct json_writer *writer, const char *option, const char *name, const struct strings *list)
{
	if (list->count == 0)
		return;
	json_write_name(writer, name);
	for (size_t i = 0; i < list->count; i++) {
		need_utf8(option, list->items[i]);
		json_write_raw(writer, i == 0 ? "[" : ",");
		json_write_string(writer, list->items[i]);
	}
	json_write_raw(writer, "]");
}

static void write_number(struct json_writer *writer, const char *name, unsigned int number)
{
	char digits[DIGITS_MAX];

	if (number == 0)
		return;
	(void)digits_put(digits, number, 10);
	json_write_name(writer, name);
	json_write_raw(writer, digits);
}

static void write_boolean(struct json_writer *writer, const char *name, bool value)
{
	json_write_name(writer, name);
	json_write_raw(writer, value ? "true" : "false");
}

static void write_parameters(struct json_writer *writer, const struct options *options, bool may_mount)
{
	json_write_raw(writer, may_mount ? "\"mayMount\":true" : "\"mayMount\":false");
	write_text(writer, "--unit", "unit", options->unit);
	write_texts(writer, "--property", "properties", &options->properties);
	write_texts(writer, "--setenv", "setEnvironment", &options->environment);
	write_text(writer, "--unit-file", "unitFile", options->unit_file);
	write_text(writer, "--instance", "instance", options->instance);
	write_text(writer, "--stop", "phase", options->phase);
	write_text(writer, "--stop-post", "ended", options->ended);
	write_number(writer, "mainPid", options->main_pid);
	write_number(writer, "landlock", may_mount ? 0 : access_rules_version());
	if (options->clear_environment)
		write_boolean(writer, "inheritEnvironment", false);
	if (options->ignore_unknown)
		write_boolean(writer, "ignoreUnknown", true);
	if (options->untrusted)
		write_boolean(writer, "untrusted", true);
	if (options->explain)
		write_boolean(writer, "explain", true);
	write_text(writer, "COMMAND", "program", options->program);
	if (options->passwd_overlay != OVERLAY_DEFAULT)
		write_boolean(writer, "passwdOverlay", options->passwd_overlay == OVERLAY_YES);
	if (options->isolation != ISOLATION_DEFAULT)
		write_text(writer, "--isolation", "isolation",
			   options->isolation == ISOLATION_FULL ? "full" : "bestEffort");
}

void launch_request_write(struct json_writer *writer, const struct options *options, bool may_mount,
			  const struct answers *answers)
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

/* Parameters of Launch, by the option that gives each. */
static const struct {
	const char *field;
	const char *option;
} parameters[] = {
	{ "unit", "--unit=" },		{ "unitFile", "--unit-file=" },
	{ "instance", "--instance=" },	{ "setEnvironment", "--setenv=" },
	{ "untrusted", "--untrusted" }, { "mainPid", "--main-pid=" },
	{ "ended", "--stop-post=" },	{ "passwdOverlay", "--passwd-overlay" },
};

/* The option by which the property or parameter was given, or null. */
static const char *option_for(const struct options *options, const char *field)
{
	for (size_t i = 0; i < SHORTHANDS; i++) {
		if (options->shorthands[i].option != NULL && strcmp(options->shorthands[i].property, field) == 0)
			return options->shorthands[i].option;
	}
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		if (strcmp(parameters[i].field, field) == 0)
			return parameters[i].option;
	}
	return NULL;
}

/* Names of properties begin with a capital letter, and parameters of the protocol do not. */
static bool is_property(const char *name)
{
	return isupper((unsigned char)name[0]) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == strlen(name);
}

void field_label_write(const struct options *options, const char *field, char *text, size_t size)
{
	/*
	 * "/etc/x.service:3: User" is the property of a unit file, "--untrusted: User" that of an option, and "/etc/x.env:3" a line of
	 * another file.
	 */
	const char *colon = field[0] == '/' || field[0] == '-' ? strstr(field, ": ") : NULL;
	const char *option = option_for(options, field);
	const char *name = colon == NULL ? field : colon + 2;
	int length;

	if (option != NULL)
		length = snprintf(text, size, "%s: ", option);
	else if (is_property(name))
		length = snprintf(text, size, "%s=: ", field);
	else
		length = field[0] == '/' ? snprintf(text, size, "%s: ", field) : 0;
	if (length <= 0 || (size_t)length >= size)
		text[0] = '\0';
}
