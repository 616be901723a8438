/* See field_label.h. */
#include "field_label.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Parameters of Launch, by the option that gives each. */
static const struct {
	const char *field;
	const char *option;
} parameters[] = {
	{ "unit", "--unit=" },
	{ "unitFile", "--unit-file=" },
	{ "instance", "--instance=" },
	{ "setEnvironment", "--setenv=" },
	{ "untrusted", "--untrusted" },
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
	return isupper((unsigned char)name[0]) && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == strlen(name);
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
		length = snprintf(text, size, "%s%s", field[0] == '/' ? field : "", field[0] == '/' ? ": " : "");
	if (length < 0 || (size_t)length >= size)
		text[0] = '\0';
}
