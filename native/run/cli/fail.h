/*
 * Messages and failures of the launcher: one line on standard error after "dynuser-run: ", and one of the exit statuses of env(1),
 * nice(1) and the like.
 */
#ifndef RUN_FAIL_H
#define RUN_FAIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	STATUS_LAUNCHER = 125,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
	/* a program that a signal ended: this plus the signal's number, as in shells */
	STATUS_SIGNAL = 128,
};

/* Whether an errno number says that nothing is at a path. */
static inline bool is_absence(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/* What an errno number means, in the words of glibc, which most programs of a host print, even if this one uses musl. */
const char *fail_words(int error);

/*
 * Keeps standard error for these lines: they stay where it leads now. To be called before another file becomes standard error; a
 * second call is harmless.
 */
void fail_keep_stream(void);

/* Moves the descriptor that it keeps, if any, to at least that number, so that those below are free. */
void fail_move_stream(int least);

/* Replaces control characters by question marks: file names and values may hold anything, and a terminal must not act on it. */
void make_printable(char *text, size_t length);

/* Prints one line, formatted as by printf(3), without the newline, and made printable. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and exits with that status. */
_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, with the meaning of the errno number appended, and exits with STATUS_LAUNCHER. */
_Noreturn void fail_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
