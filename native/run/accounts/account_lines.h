/*
 * Owns the reading of what getent(1) prints: records as passwd(5) and group(5) have them, and the groups of a user. What is not
 * just that is no answer: nothing is guessed, and nothing passed over.
 */
#ifndef RUN_ACCOUNT_LINES_H
#define RUN_ACCOUNT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "accounts.h"

/*
 * Whether a user or a group can have this name: no database file can hold others, and getent(1) would take some for options or for
 * numbers.
 */
bool account_name(const char *name);

/* Reads the line of "getent initgroups USER". False: it is not that. */
bool account_initgroups(const char *text, size_t length, const char *user, account_found *found, void *context);

struct account_group {
	const char *name;
	gid_t id;
};

/*
 * Reads the next of the lines of "getent group NAME..." and goes behind it; *text is written to. False: it is no record, or there is
 * none.
 */
bool account_group(char **text, const char *end, struct account_group *group);

/* Reads the one line of "getent passwd USER", which is written to. False: it is not that. */
bool account_user(char *text, size_t length, struct account_user *user);

#endif
