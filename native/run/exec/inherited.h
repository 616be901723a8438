/*
 * What the launcher was started with besides arguments and environment: streams, signals, descriptors. The service inherits only the
 * three streams, and the sockets of sd_listen_fds(3) if they are for this process.
 */
#ifndef RUN_INHERITED_H
#define RUN_INHERITED_H

#include <stdbool.h>

/*
 * To be called first. Opens /dev/null for each of the three streams that is closed, so that no other descriptor becomes one;
 * resets the action of every signal and unblocks all; marks every other descriptor to be closed by execve(2). Returns how many
 * sockets were passed by the protocol of sd_listen_fds(3), from descriptor 3 on.
 */
unsigned int inherited_take(void);

/* Keeps the sockets open over execve(2). To be called by the process that LISTEN_PID names, right before it. */
void inherited_pass_on(unsigned int sockets);

/* The descriptor of the socket of that index, whether so many were passed or not. */
int inherited_socket(unsigned int index);

/* The descriptor that was passed under a name (LISTEN_FDNAMES), of so many sockets; -1: none was. */
int inherited_named(unsigned int sockets, const char *name);

/* Whether a variable (NAME=VALUE) is one of those by which sockets are passed. */
bool inherited_is_variable(const char *variable);

#endif
