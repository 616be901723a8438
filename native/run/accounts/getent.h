/*
 * Owns the asking of getent(1), which asks the sources of nsswitch.conf(5) for us: a static program cannot load their modules,
 * and one that hangs or crashes there does so in a process of its own.
 */
#ifndef RUN_GETENT_H
#define RUN_GETENT_H

#include <stddef.h>

enum getent_end {
	/* It has all that it was asked for. */
	GETENT_FOUND,
	/* A key is not there; the answer is about the others. */
	GETENT_NOT_FOUND,
	/* It does not know this database, as that of another C library may not know "initgroups". */
	GETENT_NO_DATABASE,
	/* There is no such program, as in a container with few. */
	GETENT_ABSENT,
};

/* What it printed, with a NUL behind it, allocated. */
struct getent_answer {
	char *text;
	size_t length;
};

/*
 * Runs "getent DATABASE KEY...", to its end; keys must not begin with "-". The answer is there after GETENT_FOUND and
 * GETENT_NOT_FOUND. Ends the launcher where it cannot be run, fails, says more than it may, or takes longer than GETENT_SECONDS.
 */
enum getent_end getent_ask(const char *database, const char *const *keys, size_t count, struct getent_answer *answer);

/* How long it may take in all, which is what the daemon may be silent. */
#define GETENT_SECONDS 30U
/* The groups of a user as text, or many groups with many members. */
#define GETENT_BYTES_MAX (8U * 1024U * 1024U)

#endif
