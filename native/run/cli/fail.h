/*
 * Owns how the launcher speaks and how it ends: one line on standard error, "dynuser-run: " before it, and one of the
 * exit statuses that env(1), nice(1) and the like have for it. Every failure of the launcher ends here.
 */
#ifndef RUN_FAIL_H
#define RUN_FAIL_H

enum {
	STATUS_LAUNCHER = 125,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
	/* a program that a signal ended: this and the signal's number, as shells have it */
	STATUS_SIGNAL = 128,
};

/* What an errno number means, in the words of glibc, whichever library this is: those that other programs of most hosts say. */
const char *fail_words(int error);

/* Says one line, as printf(3) makes it, without the newline. Control characters in it become question marks. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says it and ends with that status. */
_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says it, with what the errno number means behind it, and ends with STATUS_LAUNCHER. */
_Noreturn void fail_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
