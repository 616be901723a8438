/* keyctl(2) as the user itself: nobody else, not even root, has a right to these keyrings. See reap/keyrings.h. */
#include "keyrings.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run_as_uid.h"

/* A line for each user that has keys (proc(5)): what is not in it has none. */
#define KEY_USERS "/proc/key-users"
#define KEY_USERS_READ 4096
/* All rights to whoever has the keyring and to its owner, those of user-keyring(7) and more. */
#define RIGHTS 0x3F3F0000UL

/*
 * Invalidated, a keyring is gone as soon as the kernel comes to it, and a fresh one is made when it is next asked for. Emptied
 * before that, since it is not gone at once.
 */
static void end_keyring(long keyring)
{
	/* The owner may have taken its own rights. */
	(void)syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, RIGHTS);
	(void)syscall(SYS_keyctl, KEYCTL_CLEAR, keyring);
	(void)syscall(SYS_keyctl, KEYCTL_INVALIDATE, keyring);
}

static void end_own(const void *unused)
{
	const long make = 1;
	/* All by their numbers: once one is invalid the kernel finds none by its role. */
	const long keyrings[] = {
		syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_SESSION_KEYRING, make),
		syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, make),
		/* EOPNOTSUPP: a kernel without them. In this process's own, which holds it, and ends with it. */
		syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, (long)-1, (long)KEY_SPEC_PROCESS_KEYRING),
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(keyrings) / sizeof(keyrings[0]); i++) {
		if (keyrings[i] > 0)
			end_keyring(keyrings[i]);
	}
}

/*
 * Looks for a line of the user in what was read. Returns whether there is one; if there is none, what is left of a line
 * that was cut off goes to the front, for the next read.
 */
static bool search_lines(char *text, size_t *length, uid_t uid)
{
	char *line = text;
	char *end;

	while ((end = memchr(line, '\n', *length - (size_t)(line - text))) != NULL) {
		if (strtoul(line, NULL, 10) == uid)
			return true;
		line = end + 1;
	}
	*length -= (size_t)(line - text);
	memmove(text, line, *length);
	return false;
}

/* Where it cannot be told, as on a kernel whose /proc lacks the file, there may be some. */
static bool may_have_keys(uid_t uid)
{
	/* With a NUL behind it, for strtoul(3). A line has at most some 90 bytes. */
	char text[KEY_USERS_READ + 1] = { 0 };
	size_t length = 0;
	bool found = false;
	ssize_t got = 0;
	int users = open(KEY_USERS, O_RDONLY | O_CLOEXEC);

	if (users < 0)
		return true;
	while (!found && (got = read(users, text + length, KEY_USERS_READ - length)) > 0) {
		length += (size_t)got;
		found = search_lines(text, &length, uid);
	}
	close(users);
	return found || got < 0;
}

void clear_keyrings(uid_t uid)
{
	if (may_have_keys(uid))
		(void)run_as_uid(uid, end_own, NULL);
}
