/*
 * The program that called. NSS modules are guests in other people's threads: errno keeps its value, and a thread that is cancelled
 * (pthreads(7)) in the midst of a lookup must not leave a descriptor or memory behind, so it is cancelled afterwards. Neither costs a
 * system call. The environment is read with secure_getenv(3) alone: in a program that runs with more rights than its caller (AT_SECURE:
 * set-user-ID, set-group-ID, capabilities) it has no effect.
 */
#ifndef DYNUSER_NSS_CALLER_H
#define DYNUSER_NSS_CALLER_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

/* What the module must leave as it found it. */
struct caller {
	int error_number;
	int cancel_state;
};

static inline struct caller caller_enter(void)
{
	struct caller caller = { .error_number = errno };

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &caller.cancel_state);
	return caller;
}

static inline void caller_leave(const struct caller *caller)
{
	(void)pthread_setcancelstate(caller->cancel_state, NULL);
	errno = caller->error_number;
}

/*
 * Whether the effective UID is root's. Only root sees the shadow databases, as with shadow(5) itself. Nothing in our records is secret,
 * but programs take a record that they can read for the right to check a password with it.
 */
static inline bool caller_is_root(void)
{
	return geteuid() == 0;
}

/* DYNUSER_NSS_BYPASS=1: answer "not found" at once. For the daemon's own probes, which would otherwise ask itself. */
bool caller_bypasses(void);

/* DYNUSER_NSS_SOURCE=varlink: ask the socket, not the links. */
bool caller_forces_varlink(void);

/*
 * DYNUSER_RUNTIME_DIRECTORY if it is an absolute path of at most RUNTIME_DIRECTORY_MAX bytes, else /run/dynuser. The text belongs to
 * the environment.
 */
const char *caller_runtime_directory(void);

#endif
