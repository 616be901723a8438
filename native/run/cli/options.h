/* Owns the command line: what dynuser-run was asked for. It judges no value; the daemon does. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdbool.h>

#include "string_list.h"

enum isolation { ISOLATION_DEFAULT, ISOLATION_FULL, ISOLATION_BEST_EFFORT };

/* Properties that options stand for. */
enum { SHORTHAND_USER, SHORTHAND_GROUP, SHORTHAND_DIRECTORY, SHORTHAND_TYPE, SHORTHANDS };

struct shorthand {
	const char *property;
	/* The option by which the property was given last, "--uid="; null: by its name, or not at all. */
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
	/* the command and its arguments, with a null pointer behind them; its first is null where there is none */
	char **command;
};

/*
 * Reads the command line. Prints what --help and --version ask for and ends with status 0; says what is wrong and ends with
 * STATUS_LAUNCHER. Options end at "--" and at the first word that is none.
 */
struct options options_read(int argc, char **argv);

#endif
