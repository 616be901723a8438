/* Owns the dynamic users of the tests: what links and servers say, and what records must look like. */
#ifndef TEST_USERS_H
#define TEST_USERS_H

#include "identity.h"

#define USERS 4U

/* The ends of the range, a name of one byte and one of 31. */
extern const struct identity users[USERS];

/* Two that are possible but not there. */
extern const struct identity nobody_there;

/* A runtime directory of the test's own, to which DYNUSER_RUNTIME_DIRECTORY is set. */
struct runtime {
	char path[80];
};

/* Makes it, empty, below TMPDIR. */
struct runtime runtime_make(void);
/* Makes by-uid and by-name, and the links of all users in there. */
void runtime_publish(const struct runtime *runtime);
/* Makes or replaces one link, <runtime>/<directory>/<name>. */
void runtime_link(const struct runtime *runtime, const char *directory, const char *name, const char *text);
/* Removes it and all that is in there. */
void runtime_remove(const struct runtime *runtime);

#endif
