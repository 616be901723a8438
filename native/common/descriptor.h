/* What is done with any descriptor: closing, reading to the end, writing, and passing over a unix socket (SCM_RIGHTS of unix(7)). */
#ifndef DYNUSER_DESCRIPTOR_H
#define DYNUSER_DESCRIPTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Closes a descriptor, if it is one, and leaves errno as it is. */
void close_quietly(int descriptor);

/* Reads until the end, or until the room is full. Returns how many bytes there are, or -1 with errno. */
ssize_t read_all(int descriptor, void *bytes, size_t room);

/* Writes all of it. False with errno. */
bool write_all(int descriptor, const void *bytes, size_t length);

/* The path of what is open, as the kernel has it at this moment. False, with path empty, if it has none, or one of PATH_MAX bytes. */
bool descriptor_path(int descriptor, char path[PATH_MAX]);

/* Sends one message, with a descriptor unless that is -1. False with errno. */
bool send_message(int connection, const void *bytes, size_t length, int descriptor);

/*
 * Receives one message, with flags of recvmsg(2). *descriptor becomes the one that came with it, or -1. Returns its length, 0 if the
 * other end is closed, or -1 with errno: EPROTO if the message was cut, or had more than one descriptor.
 */
ssize_t receive_message(int connection, void *bytes, size_t room, int flags, int *descriptor);

#endif
