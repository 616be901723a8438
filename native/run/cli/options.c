/*
 * Not by getopt_long(3): it accepts abbreviations of long options, which would change their meaning as options are added, and has no
 * options that are refused. See options.h.
 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "option_table.h"
#include "usage.h"

#define HINT "; see dynuser-run --help"

/* Joins two texts in allocated memory. */
static char *joined(const char *first, const char *second)
{
	char *made = malloc(strlen(first) + strlen(second) + 1);

	if (made == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	(void)stpcpy(stpcpy(made, first), second);
	return made;
}

static void add(struct strings *list, char *item)
{
	if (!strings_add(list, item))
		fail(STATUS_LAUNCHER, "the command line has too many options");
}

static char *present_directory(void)
{
	char *directory = getcwd(NULL, 0);

	if (directory == NULL)
		fail_errno(errno, "cannot get the working directory");
	return directory;
}

static char *absolute(const char *path)
{
	return path[0] == '/' ? joined(path, "") : joined(joined(present_directory(), "/"), path);
}

static const struct shorthand no_shorthands[SHORTHANDS] = {
	[SHORTHAND_USER] = { "User", NULL },
	[SHORTHAND_GROUP] = { "Group", NULL },
	[SHORTHAND_DIRECTORY] = { "WorkingDirectory", NULL },
	[SHORTHAND_TYPE] = { "Type", NULL },
};

/* A property given by the option that stands for it. */
static void add_shorthand(struct options *options, size_t which, const char *option, const char *value)
{
	struct shorthand *shorthand = &options->shorthands[which];

	shorthand->option = option;
	add(&options->properties, joined(joined(shorthand->property, "="), value));
}

/* The value of WorkingDirectory=, where % would begin a specifier (systemd.unit(5)): systemd-run's option has none. */
static void add_working_directory(struct options *options, const char *option, const char *directory)
{
	const char *path = absolute(directory);
	char *value = malloc(2 * strlen(path) + 1);
	char *at = value;

	if (value == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	for (; *path != '\0'; path++) {
		if (*path == '%')
			*at++ = '%';
		*at++ = *path;
	}
	*at = '\0';
	add_shorthand(options, SHORTHAND_DIRECTORY, option, value);
}

/* NAME alone passes on the launcher's own variable, as with systemd-run(1); it is empty where there is none. */
static void add_variable(struct options *options, const char *assignment)
{
	const char *value = strchr(assignment, '=') != NULL ? NULL : getenv(assignment);

	if (assignment[0] == '\0' || assignment[0] == '=')
		fail(STATUS_LAUNCHER, "--setenv: '%s' has no variable name" HINT, assignment);
	if (strchr(assignment, '=') != NULL)
		add(&options->environment, joined(assignment, ""));
	else
		add(&options->environment, joined(joined(assignment, "="), value == NULL ? "" : value));
}

static void add_property(struct options *options, const char *property)
{
	if (property[0] == '=' || strchr(property, '=') == NULL)
		fail(STATUS_LAUNCHER, "--property: '%s' is not NAME=VALUE" HINT, property);
	for (size_t i = 0; i < SHORTHANDS; i++) {
		size_t length = strlen(options->shorthands[i].property);

		if (strncmp(property, options->shorthands[i].property, length) == 0 && property[length] == '=')
			options->shorthands[i].option = NULL;
	}
	add(&options->properties, joined(property, ""));
}

static enum isolation read_isolation(const char *value)
{
	if (strcmp(value, "full") == 0)
		return ISOLATION_FULL;
	if (strcmp(value, "best-effort") == 0)
		return ISOLATION_BEST_EFFORT;
	fail(STATUS_LAUNCHER, "--isolation: '%s' must be full or best-effort" HINT, value);
}

static void apply(struct options *options, enum option_code code, const char *value)
{
	switch (code) {
	case OPTION_PROPERTY:
		add_property(options, value);
		break;
	case OPTION_UNIT:
		options->unit = value;
		break;
	case OPTION_USER:
		add_shorthand(options, SHORTHAND_USER, "--uid=", value);
		break;
	case OPTION_GROUP:
		add_shorthand(options, SHORTHAND_GROUP, "--gid=", value);
		break;
	case OPTION_SETENV:
		add_variable(options, value);
		break;
	case OPTION_WORKING_DIRECTORY:
		add_working_directory(options, "--working-directory=", value);
		break;
	case OPTION_SAME_DIRECTORY:
		add_working_directory(options, "--same-dir", present_directory());
		break;
	case OPTION_SERVICE_TYPE:
		add_shorthand(options, SHORTHAND_TYPE, "--service-type=", value);
		break;
	case OPTION_UNIT_FILE:
		options->unit_file = absolute(value);
		break;
	case OPTION_INSTANCE:
		options->instance = value;
		break;
	case OPTION_IGNORE_UNKNOWN:
		options->ignore_unknown = true;
		break;
	case OPTION_ISOLATION:
		options->isolation = read_isolation(value);
		break;
	case OPTION_UNTRUSTED:
		options->untrusted = true;
		break;
	case OPTION_EXPLAIN:
		options->explain = true;
		break;
	case OPTION_CLEAR_ENVIRONMENT:
		options->clear_environment = true;
		break;
	case OPTION_HELP:
		usage_help();
	case OPTION_VERSION:
		usage_version();
	case OPTION_NO_EXPANSION:
		/* "no" is what happens anyway: arguments are never expanded. */
		if (strcmp(value, "no") != 0 && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
			fail(STATUS_LAUNCHER, "--expand-environment=%s is not supported: the arguments of a command are passed as they are" HINT, value);
		break;
	case OPTION_IGNORED:
	case OPTION_REFUSED:
		break;
	}
}

/* The option that a word names; fails if it is unknown or not supported. */
static const struct option_entry *known(const char *name, size_t length, const char *word)
{
	const struct option_entry *entry = option_named(name, length);

	if (entry == NULL)
		fail(STATUS_LAUNCHER, "unknown option %s" HINT, word);
	if (entry->code == OPTION_REFUSED)
		fail(STATUS_LAUNCHER, "--%s of systemd-run is not supported: %s" HINT, entry->name, entry->reason);
	return entry;
}

/* Reads a long option; returns how many words it took. */
static int read_long(struct options *options, char **words)
{
	const char *name = words[0] + 2;
	size_t length = strcspn(name, "=");
	const struct option_entry *entry = known(name, length, words[0]);
	const char *value = name[length] == '=' ? name + length + 1 : NULL;

	if (entry->value == VALUE_NONE && value != NULL)
		fail(STATUS_LAUNCHER, "--%s takes no value" HINT, entry->name);
	if (entry->value != VALUE_NEEDED || value != NULL) {
		apply(options, entry->code, value);
		return 1;
	}
	if (words[1] == NULL)
		fail(STATUS_LAUNCHER, "--%s needs a value" HINT, entry->name);
	apply(options, entry->code, words[1]);
	return 2;
}

/* Reads a word of short options, the last of which may have a value; returns how many words it took. */
static int read_short(struct options *options, char **words)
{
	for (const char *letter = words[0] + 1; *letter != '\0'; letter++) {
		const struct option_entry *entry = option_lettered(*letter);

		if (entry == NULL)
			fail(STATUS_LAUNCHER, "unknown option -%c" HINT, *letter);
		(void)known(entry->name, strlen(entry->name), words[0]);
		if (entry->value != VALUE_NEEDED) {
			apply(options, entry->code, NULL);
			continue;
		}
		if (letter[1] != '\0') {
			apply(options, entry->code, letter + 1);
			return 1;
		}
		if (words[1] == NULL)
			fail(STATUS_LAUNCHER, "-%c needs a value" HINT, *letter);
		apply(options, entry->code, words[1]);
		return 2;
	}
	return 1;
}

static void check(const struct options *options)
{
	if (options->unit_file != NULL && options->command[0] != NULL)
		fail(STATUS_LAUNCHER, "--unit-file says what to run; remove the command" HINT);
	if (options->unit_file == NULL && options->command[0] == NULL && !options->explain)
		fail(STATUS_LAUNCHER, "no command to run; name a program" HINT);
	if (options->instance != NULL && options->unit_file == NULL)
		fail(STATUS_LAUNCHER, "--instance needs --unit-file" HINT);
	if (options->command[0] != NULL && options->command[0][0] == '\0')
		fail(STATUS_NOT_FOUND, "the name of the command is empty");
}

struct options options_read(int argc, char **argv)
{
	struct options options = { 0 };
	char **words = argc > 0 ? argv + 1 : argv;

	memcpy(options.shorthands, no_shorthands, sizeof(no_shorthands));
	while (words[0] != NULL && words[0][0] == '-' && words[0][1] != '\0') {
		if (strcmp(words[0], "--") == 0) {
			words++;
			break;
		}
		words += words[0][1] == '-' ? read_long(&options, words) : read_short(&options, words);
	}
	options.command = words;
	check(&options);
	return options;
}
