/*
 * Owns the tests' way into the module: it is loaded with dlopen(3) as glibc does it, and every entry point that gives
 * a record is a query, so that one loop reaches them all.
 */
#ifndef TEST_MODULE_H
#define TEST_MODULE_H

#include <grp.h>
#include <gshadow.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>

#include "identity.h"

enum query {
	PASSWD_BY_UID,
	PASSWD_BY_NAME,
	GROUP_BY_GID,
	GROUP_BY_NAME,
	SHADOW_BY_NAME,
	GSHADOW_BY_NAME,
	/* From here on the next of a list. */
	PASSWD_NEXT,
	GROUP_NEXT,
	SHADOW_NEXT,
	GSHADOW_NEXT,
	QUERIES,
};

union record {
	struct passwd passwd;
	struct group group;
	struct spwd shadow;
	struct sgrp gshadow;
};

/* What one call gave, and whether it kept its hands off errno. */
struct outcome {
	enum nss_status status;
	/* what *errnop was set to; 0: it was left alone */
	int error_number;
};

struct module;

/* Loads the shared object. */
struct module *module_load(const char *path);
void module_unload(struct module *module);

/* Makes the call; who gives number and name, and is of no matter for the next of a list. Fails if errno was changed. */
struct outcome module_ask(const struct module *module, enum query query, const struct identity *who,
			  union record *record, char *buffer, size_t size);

/* Begins, or ends, the list of the query's database. */
void module_set(const struct module *module, enum query query);
void module_end(const struct module *module, enum query query);

typedef enum nss_status initgroups_function(const char *, gid_t, long *, long *, gid_t **, long, int *);
initgroups_function *module_initgroups(const struct module *module);

/* The record as a line of passwd(5), group(5), shadow(5) or gshadow(5), to compare; text has TEXT_BYTES. */
#define TEXT_BYTES 256
void record_text(enum query query, const union record *record, char *text);
/* The line that the query must give for the user. */
void expected_text(enum query query, const struct identity *who, char *text);
/* Fails unless every string and array of the record is within the buffer, the arrays aligned. */
void record_is_inside(enum query query, const union record *record, const char *buffer, size_t size);
/* The bytes that the query needs for the user in a buffer that is aligned for pointers. */
size_t expected_size(enum query query, const struct identity *who);

#endif
