/* IPC objects for the tests of removing them, made by real processes that have ended. All of it ends the test that fails. */
#ifndef DYNUSER_TEST_IPC_OBJECTS_H
#define DYNUSER_TEST_IPC_OBJECTS_H

#include <stdbool.h>
#include <sys/types.h>

/* Who the objects to remove belong to, and who the others do. */
#define OURS 64000U
#define OTHERS 64001U
#define SEGMENT 4096

/* What one user has made: System V ids; the names in /dev/shm and /dev/mqueue begin with the UID. */
struct made {
	int segment, semaphores, messages;
};

/* Makes an empty file that is not there yet, for root alone. */
void make_file(const char *path);

/* Makes one of each of the five kinds, by a process of that user which ends with its segment attached. */
struct made make_as(uid_t uid);

/* Whether all of what a user made is there, or nothing of it. */
void check_made(uid_t uid, const struct made *made, bool expected);

/* Makes a segment by a third user, of which our number is the group alone. Gives its id. */
int make_by_group(void);

/* Whether the path names something; a link counts, wherever it leads. */
bool there(const char *path);

#endif
