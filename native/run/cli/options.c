/*
 * All options, by name, and what becomes of those of systemd-run(1). Not by getopt_long(3): it accepts abbreviations of long options,
 * which would change their meaning as options are added, and has no options that are refused. See options.h.
 */
#include "options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digits.h"
#include "dynuser.h"
#include "fail.h"
#include "json.h"

#define HINT "; see dynuser-run --help"
/* What a kernel may have as the largest is 4194304 (PID_MAX_LIMIT). */
#define PID_MAX 999999999UL

/* Those of systemd-run are of version 257 (systemd-run(1)). */
enum option_code {
	/* sets the text, or the switch, at its place in struct options */
	OPTION_TEXT,
	OPTION_SWITCH,
	/* stands for a property, by its place in shorthands; word is what messages call it */
	OPTION_SHORTHAND,
	/* names a phase by its word */
	OPTION_PHASE,
	OPTION_PROPERTY,
	OPTION_SETENV,
	OPTION_WORKING_DIRECTORY,
	OPTION_SAME_DIRECTORY,
	OPTION_UNIT_FILE,
	OPTION_MAIN_PID,
	OPTION_ISOLATION,
	OPTION_PASSWD_OVERLAY,
	OPTION_CHECK,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_NO_EXPANSION,
	/* of systemd-run, without a meaning for a process that becomes the program */
	OPTION_IGNORED,
	/* of systemd-run, and not supported; word says why */
	OPTION_REFUSED,
};

/* VALUE_OPTIONAL: only after "=". */
enum option_value { VALUE_NONE, VALUE_NEEDED, VALUE_OPTIONAL };

struct option_entry {
	const char *name;
	char letter;
	enum option_code code;
	enum option_value value;
	const char *word;
	size_t place;
};

#define IGNORED(name, letter, value) { name, letter, OPTION_IGNORED, value, NULL, 0 }
#define REFUSED(name, letter, reason) { name, letter, OPTION_REFUSED, VALUE_OPTIONAL, reason, 0 }

#define NO_TIMER "there are no timers and no sockets here; the command starts at once"
#define NO_OTHER_MANAGER "the command runs on this host, as root started it"

static const struct option_entry table[] = {
	{ "property", 'p', OPTION_PROPERTY, VALUE_NEEDED, NULL, 0 },
	{ "unit", 'u', OPTION_TEXT, VALUE_NEEDED, NULL, offsetof(struct options, unit) },
	{ "uid", '\0', OPTION_SHORTHAND, VALUE_NEEDED, "--uid=", SHORTHAND_USER },
	{ "gid", '\0', OPTION_SHORTHAND, VALUE_NEEDED, "--gid=", SHORTHAND_GROUP },
	{ "setenv", 'E', OPTION_SETENV, VALUE_NEEDED, NULL, 0 },
	{ "working-directory", '\0', OPTION_WORKING_DIRECTORY, VALUE_NEEDED, NULL, 0 },
	{ "same-dir", 'd', OPTION_SAME_DIRECTORY, VALUE_NONE, NULL, 0 },
	{ "service-type", '\0', OPTION_SHORTHAND, VALUE_NEEDED, "--service-type=", SHORTHAND_TYPE },
	{ "unit-file", '\0', OPTION_UNIT_FILE, VALUE_NEEDED, NULL, 0 },
	{ "instance", '\0', OPTION_TEXT, VALUE_NEEDED, NULL, offsetof(struct options, instance) },
	{ "start-post", '\0', OPTION_PHASE, VALUE_NONE, "startPost", 0 },
	{ "reload", '\0', OPTION_PHASE, VALUE_NONE, "reload", 0 },
	{ "stop", '\0', OPTION_PHASE, VALUE_NONE, "stop", 0 },
	{ "stop-post", '\0', OPTION_PHASE, VALUE_OPTIONAL, "stopPost", 0 },
	{ "main-pid", '\0', OPTION_MAIN_PID, VALUE_NEEDED, NULL, 0 },
	{ "ignore-unknown", '\0', OPTION_SWITCH, VALUE_NONE, NULL, offsetof(struct options, ignore_unknown) },
	{ "isolation", '\0', OPTION_ISOLATION, VALUE_NEEDED, NULL, 0 },
	{ "untrusted", '\0', OPTION_SWITCH, VALUE_NONE, NULL, offsetof(struct options, untrusted) },
	{ "passwd-overlay", '\0', OPTION_PASSWD_OVERLAY, VALUE_OPTIONAL, NULL, 0 },
	{ "explain", '\0', OPTION_SWITCH, VALUE_NONE, NULL, offsetof(struct options, explain) },
	{ "check", '\0', OPTION_CHECK, VALUE_NONE, NULL, 0 },
	{ "clear-environment", '\0', OPTION_SWITCH, VALUE_NONE, NULL, offsetof(struct options, clear_environment) },
	{ "help", 'h', OPTION_HELP, VALUE_NONE, NULL, 0 },
	{ "version", '\0', OPTION_VERSION, VALUE_NONE, NULL, 0 },
	{ "expand-environment", '\0', OPTION_NO_EXPANSION, VALUE_NEEDED, NULL, 0 },

	IGNORED("system", '\0', VALUE_NONE),
	IGNORED("wait", '\0', VALUE_NONE),
	IGNORED("pipe", 'P', VALUE_NONE),
	IGNORED("pty", 't', VALUE_NONE),
	IGNORED("quiet", 'q', VALUE_NONE),
	IGNORED("collect", 'G', VALUE_NONE),
	IGNORED("no-block", '\0', VALUE_NONE),
	IGNORED("no-ask-password", '\0', VALUE_NONE),
	IGNORED("no-pager", '\0', VALUE_NONE),
	IGNORED("slice", '\0', VALUE_NEEDED),
	IGNORED("slice-inherit", '\0', VALUE_NONE),
	IGNORED("description", '\0', VALUE_NEEDED),
	IGNORED("background", '\0', VALUE_NEEDED),
	IGNORED("job-mode", '\0', VALUE_NEEDED),
	IGNORED("json", '\0', VALUE_NEEDED),

	REFUSED("user", '\0', NO_OTHER_MANAGER),
	REFUSED("host", 'H', NO_OTHER_MANAGER),
	REFUSED("machine", 'M', NO_OTHER_MANAGER),
	REFUSED("capsule", 'C', NO_OTHER_MANAGER),
	REFUSED("scope", '\0', "there are no control groups here; the command stays in that of its parent"),
	REFUSED("shell", 'S', "name the shell as the command, and add --same-dir"),
	REFUSED("remain-after-exit", 'r', "the user ends with the command; dynuserctl acquire holds one"),
	REFUSED("send-sighup", '\0', "signals are those of the command's parent"),
	REFUSED("ignore-failure", '\0', "the exit status is the command's own"),
	REFUSED("nice", '\0', "use nice(1) before dynuser-run"),
	REFUSED("on-active", '\0', NO_TIMER),
	REFUSED("on-boot", '\0', NO_TIMER),
	REFUSED("on-startup", '\0', NO_TIMER),
	REFUSED("on-unit-active", '\0', NO_TIMER),
	REFUSED("on-unit-inactive", '\0', NO_TIMER),
	REFUSED("on-calendar", '\0', NO_TIMER),
	REFUSED("on-clock-change", '\0', NO_TIMER),
	REFUSED("on-timezone-change", '\0', NO_TIMER),
	REFUSED("timer-property", '\0', NO_TIMER),
	REFUSED("path-property", '\0', NO_TIMER),
	REFUSED("socket-property", '\0', NO_TIMER),
};

static const char help[] =
	"Usage: dynuser-run [OPTIONS] [--] COMMAND [ARGUMENT...]\n"
	"       dynuser-run [OPTIONS] --unit-file=PATH [--instance=NAME] [--reload|--stop|--start-post|--stop-post]\n"
	"       dynuser-run --check [--json=pretty|short] [--instance=NAME] UNIT-FILE...\n"
	"\n"
	"Becomes COMMAND as a dynamic user: a UID of its own for as long as it runs, in a world where nothing but its\n"
	"own directories can be written to. Same process, no parent.\n"
	"\n"
	"  -p, --property=NAME=VALUE    set a property, as in [Service] of a unit file\n"
	"  -u, --unit=NAME              run under this unit name; the user's name comes from it\n"
	"      --uid=USER               run as this user (User=)\n"
	"      --gid=GROUP              run with this group (Group=)\n"
	"      --service-type=TYPE      the type of the service (Type=)\n"
	"  -E, --setenv=NAME[=VALUE]    set a variable, or pass on one of the environment\n"
	"      --clear-environment      begin with an empty environment\n"
	"      --working-directory=DIR  run in this directory\n"
	"  -d, --same-dir               run in the current directory\n"
	"      --unit-file=PATH         run what [Service] of this file says\n"
	"      --instance=NAME          the instance, if the file is a template\n"
	"      --start-post             run ExecStartPost= of the unit file, for the service that runs\n"
	"      --reload                 run its ExecReload=\n"
	"      --stop                   run its ExecStop=, then end the service by KillSignal=\n"
	"      --stop-post[=HOW]        run its ExecStopPost=; the service ended with this exit status or signal\n"
	"      --main-pid=PID           the process of the service, if several run under the unit's name\n"
	"      --ignore-unknown         warn of properties that are not known, instead of failing\n"
	"      --isolation=full|best-effort\n"
	"                               if mounts cannot be made: refuse (the default), or do without\n"
	"      --untrusted              run a program that may be hostile: without network and environment, others hidden from it\n"
	"      --passwd-overlay[=no]    add its user to the /etc/passwd that it sees, or never do; the default is to do so if\n"
	"                               the program asks no NSS module\n"
	"      --explain                print what would be done, and do nothing\n"
	"      --check                  say which of these unit files would be accepted, and why not\n"
	"  -h, --help                   print this\n"
	"      --version                print the version\n"
	"\n"
	"Options of systemd-run that change nothing here are accepted: --wait, --pipe (-P), --pty (-t), --quiet (-q),\n"
	"--collect (-G), --no-block, --slice=, --description= and others.\n"
	"\n"
	"Exit status: the command's own; 125 the launcher failed, 126 the command cannot be executed, 127 it was not\n"
	"found; 128 and the signal's number, in a shell, if a signal ended it.\n";

static _Noreturn void print(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		fail(STATUS_LAUNCHER, "cannot write to the standard output");
	exit(EXIT_SUCCESS);
}

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

/* In a value of WorkingDirectory= a % would begin a specifier (systemd.unit(5)); systemd-run's option has none. */
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

/* NAME alone passes on the launcher's own variable, as with systemd-run(1); it is empty if there is none. */
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

static enum passwd_overlay read_overlay(const char *value)
{
	if (value == NULL || strcmp(value, "yes") == 0)
		return OVERLAY_YES;
	if (strcmp(value, "no") == 0)
		return OVERLAY_NO;
	fail(STATUS_LAUNCHER, "--passwd-overlay: '%s' must be yes or no" HINT, value);
}

static void set_phase(struct options *options, const char *phase)
{
	if (options->phase != NULL && strcmp(options->phase, phase) != 0)
		fail(STATUS_LAUNCHER, "--start-post, --reload, --stop and --stop-post exclude each other" HINT);
	options->phase = phase;
}

static unsigned int read_pid(const char *value)
{
	unsigned long pid = digits_read(value, PID_MAX);

	if (pid == 0)
		fail(STATUS_LAUNCHER, "--main-pid: '%s' is not the number of a process" HINT, value);
	return (unsigned int)pid;
}

static void apply(struct options *options, const struct option_entry *entry, const char *value)
{
	char *place = (char *)options + entry->place;

	switch (entry->code) {
	case OPTION_TEXT:
		*(const char **)(void *)place = value;
		break;
	case OPTION_SWITCH:
		*(bool *)place = true;
		break;
	case OPTION_SHORTHAND:
		add_shorthand(options, entry->place, entry->word, value);
		break;
	case OPTION_PHASE:
		set_phase(options, entry->word);
		options->ended = value;
		break;
	case OPTION_PROPERTY:
		add_property(options, value);
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
	case OPTION_UNIT_FILE:
		options->unit_file = absolute(value);
		break;
	case OPTION_MAIN_PID:
		options->main_pid = read_pid(value);
		break;
	case OPTION_ISOLATION:
		options->isolation = read_isolation(value);
		break;
	case OPTION_PASSWD_OVERLAY:
		options->passwd_overlay = read_overlay(value);
		break;
	case OPTION_CHECK:
		/* As the first argument it has been carried out already: see check.h. */
		fail(STATUS_LAUNCHER, "--check must be the first argument" HINT);
	case OPTION_HELP:
		print(help);
	case OPTION_VERSION:
		print("dynuser-run " DYNUSER_VERSION "\n");
	case OPTION_NO_EXPANSION:
		/* "no" is what happens anyway: arguments are never expanded. */
		if (strcmp(value, "no") != 0 && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
			fail(STATUS_LAUNCHER,
			     "--expand-environment=%s is not supported: the arguments of a command are passed as they are" HINT,
			     value);
		break;
	case OPTION_IGNORED:
	case OPTION_REFUSED:
		break;
	}
}

/* The option of that long name (length bytes) or, if the name is null, that letter; null if there is none. */
static const struct option_entry *find(const char *name, size_t length, char letter)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (name == NULL ? table[i].letter == letter :
				   strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0)
			return &table[i];
	}
	return NULL;
}

static void check_supported(const struct option_entry *entry)
{
	if (entry->code == OPTION_REFUSED)
		fail(STATUS_LAUNCHER, "--%s of systemd-run is not supported: %s" HINT, entry->name, entry->word);
}

/* Reads a long option; returns how many words it took. */
static int read_long(struct options *options, char **words)
{
	const char *name = words[0] + 2;
	size_t length = strcspn(name, "=");
	const struct option_entry *entry = find(name, length, 0);
	const char *value = name[length] == '=' ? name + length + 1 : NULL;

	if (entry == NULL)
		fail(STATUS_LAUNCHER, "unknown option %s" HINT, words[0]);
	check_supported(entry);
	if (entry->value == VALUE_NONE && value != NULL)
		fail(STATUS_LAUNCHER, "--%s takes no value" HINT, entry->name);
	if (entry->value != VALUE_NEEDED || value != NULL) {
		apply(options, entry, value);
		return 1;
	}
	if (words[1] == NULL)
		fail(STATUS_LAUNCHER, "--%s needs a value" HINT, entry->name);
	apply(options, entry, words[1]);
	return 2;
}

/* Reads a word of short options, the last of which may have a value; returns how many words it took. */
static int read_short(struct options *options, char **words)
{
	for (const char *letter = words[0] + 1; *letter != '\0'; letter++) {
		const struct option_entry *entry = find(NULL, 0, *letter);

		if (entry == NULL)
			fail(STATUS_LAUNCHER, "unknown option -%c" HINT, *letter);
		check_supported(entry);
		if (entry->value != VALUE_NEEDED) {
			apply(options, entry, NULL);
			continue;
		}
		if (letter[1] != '\0') {
			apply(options, entry, letter + 1);
			return 1;
		}
		if (words[1] == NULL)
			fail(STATUS_LAUNCHER, "-%c needs a value" HINT, *letter);
		apply(options, entry, words[1]);
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
	if (options->phase != NULL && options->unit_file == NULL)
		fail(STATUS_LAUNCHER, "--start-post, --reload, --stop and --stop-post need --unit-file" HINT);
	if (options->main_pid != 0 && options->phase == NULL)
		fail(STATUS_LAUNCHER, "--main-pid needs --start-post, --reload or --stop" HINT);
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
	if (words[0] != NULL)
		options.path = strchr(words[0], '/') == NULL ? words[0] : absolute(words[0]);
	if (options.path != NULL && json_is_utf8(options.path, strlen(options.path)))
		options.program = options.path;
	return options;
}
