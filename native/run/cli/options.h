/* The command line of dynuser-run. Values are judged by the daemon. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdbool.h>

#include "string_list.h"

enum isolation { ISOLATION_DEFAULT, ISOLATION_FULL, ISOLATION_BEST_EFFORT };
enum passwd_overlay { OVERLAY_DEFAULT, OVERLAY_NO, OVERLAY_YES };

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
	/* commands of a unit file that are run by name: the phase as the protocol names it; null: the service is started */
	const char *phase;
	/* how a service ended, for those after its end; null: not said */
	const char *ended;
	/* 0: not given */
	unsigned int main_pid;
	/* NAME=VALUE as in [Service], and assignments of the environment, each in the order of the command line */
	struct strings properties;
	struct strings environment;
	struct shorthand shorthands[SHORTHANDS];
	enum isolation isolation;
	enum passwd_overlay passwd_overlay;
	bool ignore_unknown;
	bool explain;
	bool untrusted;
	bool clear_environment;
	/* the program of the command: an absolute path, or a name; null: without a command */
	const char *path;
	/* the same for the daemon; null, too, if it is not UTF-8 */
	const char *program;
	/* the command and its arguments, ended by a null pointer; without a command only that */
	char **command;
};

/*
 * Reads the command line. --help and --version print and exit with status 0; an error is reported with STATUS_LAUNCHER. Options end at
 * "--" and at the first word that is not an option.
 */
struct options options_read(int argc, char **argv);

#endif
