/*
 * Owns what the launcher was started with besides arguments and environment: streams, signals, descriptors. A service gets
 * nothing of it unasked but its three streams, and the sockets of sd_listen_fds(3) where they are for this process.
 */
#ifndef RUN_INHERITED_H
#define RUN_INHERITED_H

#include <stdbool.h>

/* What was handed over by the protocol of sd_listen_fds(3): so many descriptors from 3 on; 0: none. */
struct inherited {
	unsigned int sockets;
};

/*
 * The first thing to do: opens /dev/null for each of the three streams that is closed, so that no descriptor of ours becomes
 * one; gives every signal its default action and lets all through; and marks every other descriptor to be closed by execve(2).
 */
struct inherited inherited_take(void);

/* Lets the sockets through execve(2) again: for the process that LISTEN_PID names, right before it. */
void inherited_pass_on(const struct inherited *inherited);

/* Whether the variable (NAME=VALUE) belongs to the sockets that are passed on. */
bool inherited_has_variable(const struct inherited *inherited, const char *variable);

#endif
