/* Owns a set of PIDs that grows and is emptied, kept in order; most are added in rising order, which costs nothing. */
#ifndef DYNUSER_HELPER_PID_SET_H
#define DYNUSER_HELPER_PID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pid_set {
	pid_t *pids;
	size_t count, room;
};

bool pid_set_has(const struct pid_set *set, pid_t pid);

/* Adds one that it has not. Returns false if there is no memory for it. */
bool pid_set_add(struct pid_set *set, pid_t pid);

#endif
