/* The command line of dynuser-run. Values are judged by the daemon. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdbool.h>

#include "string_list.h"

enum isolation { ISOLATION_DEFAULT, ISOLATION_FULL, ISOLATION_BEST_EFFORT };

/* Properties that options stand for. */
enum { SHORTHAND_USER, SHORTHAND_GROUP, SHORTHAND_DIRECTORY, SHORTHAND_TYPE, SHORTHANDS };

struct shorthand {
	const char *property;
	/* The option by which the property was given last, "--uid="; null: by --property=, or not at all. */
	const char *option;
};

struct options {
	const char *unit;
	const char *unit_file;
	const char *instance;
	/* NAME=VALUE as in [Service], and assignments of the environment, each in the order of the command line */
	struct strings properties;
	struct strings environment;
	struct shorthand shorthands[SHORTHANDS];
	enum isolation isolation;
	bool ignore_unknown;
	bool explain;
	bool untrusted;
	bool clear_environment;
	/* the command and its arguments, ended by a null pointer; only that if there is none */
	char **command;
};

/*
 * Reads the command line. --help and --version print and exit with status 0; an error is reported with STATUS_LAUNCHER. Options end at
 * "--" and at the first word that is not an option.
 */
struct options options_read(int argc, char **argv);

#endif
