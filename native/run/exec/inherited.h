/*
 * What the launcher was started with besides arguments and environment: streams, signals, descriptors. The service inherits only the
 * three streams, and the sockets of sd_listen_fds(3) if they are for this process.
 */
#ifndef RUN_INHERITED_H
#define RUN_INHERITED_H

#include <stdbool.h>

/* How many sockets were passed by the protocol of sd_listen_fds(3), from descriptor 3 on. */
struct inherited {
	unsigned int sockets;
};

/*
 * To be called first. Opens /dev/null for each of the three streams that is closed, so that no other descriptor becomes one;
 * resets the action of every signal and unblocks all; marks every other descriptor to be closed by execve(2).
 */
struct inherited inherited_take(void);

/* Keeps the sockets open over execve(2). To be called by the process that LISTEN_PID names, right before it. */
void inherited_pass_on(const struct inherited *inherited);

/* Where the socket of that index is, or would be. */
int inherited_socket_number(unsigned int index);

/* The descriptor of the socket of that index; -1: so many were not passed. */
int inherited_socket(const struct inherited *inherited, unsigned int index);

/* The descriptor that was passed under a name (LISTEN_FDNAMES); -1: none was. */
int inherited_named(const struct inherited *inherited, const char *name);

/* Whether the variable (NAME=VALUE) belongs to the sockets that are passed on. */
bool inherited_has_variable(const struct inherited *inherited, const char *variable);

#endif
