/*
 * Owns what a program has that a lookup must not change: open descriptors, the signal mask, signals that were raised.
 */
#ifndef TEST_LEFTOVERS_H
#define TEST_LEFTOVERS_H

#include <signal.h>

struct leftovers {
	int descriptors;
	sigset_t mask;
};

/* Takes the state, and from here on has SIGPIPE counted. */
struct leftovers leftovers_before(void);
/* Fails unless it is as before and no SIGPIPE came. */
void leftovers_after(const struct leftovers *before, const char *what);

#endif
