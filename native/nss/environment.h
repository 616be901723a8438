/*
 * Owns what the environment may tell the module. It is read with secure_getenv(3) alone: a program that runs with
 * more rights than its caller (AT_SECURE: set-user-ID, set-group-ID, capabilities) obeys none of it.
 */
#ifndef DYNUSER_NSS_ENVIRONMENT_H
#define DYNUSER_NSS_ENVIRONMENT_H

#include <stdbool.h>

/* DYNUSER_NSS_BYPASS=1: answer "not found" at once. For the daemon's own probes, which would otherwise ask itself. */
bool environment_bypass(void);

/* DYNUSER_NSS_SOURCE=varlink: ask the socket, not the links. */
bool environment_forces_varlink(void);

/*
 * DYNUSER_RUNTIME_DIRECTORY where it is an absolute path of at most RUNTIME_DIRECTORY_MAX bytes, else /run/dynuser.
 * The text belongs to the environment.
 */
const char *environment_runtime_directory(void);

#endif
