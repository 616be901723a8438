/* Owns a process whose threads and credentials are what a test says, one letter at a time. */
#ifndef DYNUSER_TEST_PUPPET_H
#define DYNUSER_TEST_PUPPET_H

#include <sys/types.h>

/* The UID that a puppet's threads change to. */
#define OURS 64000U

struct puppet {
	pid_t process;
	int orders, done;
};

struct puppet start_puppet(void);

/*
 * + starts a thread, - ends the last one; u and r change what the last one is, to OURS and back to root; U and R the same of
 * the first thread of all.
 */
void tell(const struct puppet *puppet, const char *orders);

void end_puppet(const struct puppet *puppet);

#endif
