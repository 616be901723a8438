/* Decrypts credentials by systemd-creds(1), which has the keys of the host. */
#ifndef RUN_DECRYPT_H
#define RUN_DECRYPT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Decrypts what a file has from its beginning, as the credential of that name, into a place of size bytes. Returns how many it wrote.
 * -1: it cannot be decrypted, and systemd-creds has said why; with *missing there is no such program.
 */
ssize_t decrypt(const char *name, int encrypted, unsigned char *bytes, size_t size, bool *missing);

#endif
