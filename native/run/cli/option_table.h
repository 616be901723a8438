/* The options, and what becomes of the other options of systemd-run(1). */
#ifndef RUN_OPTION_TABLE_H
#define RUN_OPTION_TABLE_H

#include <stddef.h>

enum option_code {
	OPTION_PROPERTY,
	OPTION_UNIT,
	OPTION_USER,
	OPTION_GROUP,
	OPTION_SETENV,
	OPTION_WORKING_DIRECTORY,
	OPTION_SAME_DIRECTORY,
	OPTION_SERVICE_TYPE,
	OPTION_UNIT_FILE,
	OPTION_INSTANCE,
	OPTION_IGNORE_UNKNOWN,
	OPTION_ISOLATION,
	OPTION_UNTRUSTED,
	OPTION_EXPLAIN,
	OPTION_CLEAR_ENVIRONMENT,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_NO_EXPANSION,
	/* of systemd-run, without a meaning for a process that becomes the program */
	OPTION_IGNORED,
	/* of systemd-run, and not supported; reason says why */
	OPTION_REFUSED,
};

/* VALUE_OPTIONAL: only after "=". */
enum option_value { VALUE_NONE, VALUE_NEEDED, VALUE_OPTIONAL };

struct option_entry {
	const char *name;
	char letter;
	enum option_code code;
	enum option_value value;
	const char *reason;
};

/* The option of that long name (length bytes), or that letter; null if there is none. */
const struct option_entry *option_named(const char *name, size_t length);
const struct option_entry *option_lettered(char letter);

#endif
