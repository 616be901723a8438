/* All options, by name; see option_table.h. Those of systemd-run are of version 257 (systemd-run(1)). */
#include "option_table.h"

#include <string.h>

#define IGNORED(name, letter, value) { name, letter, OPTION_IGNORED, value, NULL }
#define REFUSED(name, letter, reason) { name, letter, OPTION_REFUSED, VALUE_OPTIONAL, reason }

#define NO_TIMER "there are no timers and no sockets here; the command starts at once"
#define NO_OTHER_MANAGER "the command runs on this host, as root started it"

static const struct option_entry table[] = {
	{ "property", 'p', OPTION_PROPERTY, VALUE_NEEDED, NULL },
	{ "unit", 'u', OPTION_UNIT, VALUE_NEEDED, NULL },
	{ "uid", '\0', OPTION_USER, VALUE_NEEDED, NULL },
	{ "gid", '\0', OPTION_GROUP, VALUE_NEEDED, NULL },
	{ "setenv", 'E', OPTION_SETENV, VALUE_NEEDED, NULL },
	{ "working-directory", '\0', OPTION_WORKING_DIRECTORY, VALUE_NEEDED, NULL },
	{ "same-dir", 'd', OPTION_SAME_DIRECTORY, VALUE_NONE, NULL },
	{ "service-type", '\0', OPTION_SERVICE_TYPE, VALUE_NEEDED, NULL },
	{ "unit-file", '\0', OPTION_UNIT_FILE, VALUE_NEEDED, NULL },
	{ "instance", '\0', OPTION_INSTANCE, VALUE_NEEDED, NULL },
	{ "ignore-unknown", '\0', OPTION_IGNORE_UNKNOWN, VALUE_NONE, NULL },
	{ "isolation", '\0', OPTION_ISOLATION, VALUE_NEEDED, NULL },
	{ "untrusted", '\0', OPTION_UNTRUSTED, VALUE_NONE, NULL },
	{ "explain", '\0', OPTION_EXPLAIN, VALUE_NONE, NULL },
	{ "clear-environment", '\0', OPTION_CLEAR_ENVIRONMENT, VALUE_NONE, NULL },
	{ "help", 'h', OPTION_HELP, VALUE_NONE, NULL },
	{ "version", '\0', OPTION_VERSION, VALUE_NONE, NULL },
	{ "expand-environment", '\0', OPTION_NO_EXPANSION, VALUE_NEEDED, NULL },

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

#define ENTRIES (sizeof(table) / sizeof(table[0]))

const struct option_entry *option_named(const char *name, size_t length)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0)
			return &table[i];
	}
	return NULL;
}

const struct option_entry *option_lettered(char letter)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		if (table[i].letter == letter)
			return &table[i];
	}
	return NULL;
}
